import { realpathSync } from "node:fs";
import { isAbsolute, join, sep } from "node:path";
import { AgentError } from "../contract/errors.ts";
import { createBoundedReader } from "./bounded-read.ts";

const MAX_SECRET_BYTES = 65_536;
const CREDENTIAL_PREFIX = "credential:";
/** Names systemd accepts that cannot leave the folder. Source: systemd.exec(5), LoadCredential=. */
const CREDENTIAL_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/;
/** What the unit's `LoadCredential=gatewarden:FOLDER` puts before the name of each file of the folder. */
const FOLDER_CREDENTIAL_PREFIX = "gatewarden_";
/** Readable or writable by the group or by everybody. */
const OPEN_TO_OTHERS = 0o066;

/** Where credentials are found. */
export interface CredentialPlaces {
  /** Where systemd put them for this process. Source: systemd.exec(5), CREDENTIALS_DIRECTORY. */
  readonly directory?: string | undefined;
  /** Where the unit takes them from: serves outside the service, with the modes of plain files. */
  readonly source?: string | undefined;
}

/** How a file NAME of the folder of credentials is named in the configuration. */
export function credentialReference(fileName: string): string {
  return `${CREDENTIAL_PREFIX}${FOLDER_CREDENTIAL_PREFIX}${fileName}`;
}

/** The file of the folder of credentials that a reference means; undefined for any other reference. */
export function fileOfCredential(reference: string): string | undefined {
  const prefix = `${CREDENTIAL_PREFIX}${FOLDER_CREDENTIAL_PREFIX}`;
  return reference.startsWith(prefix) ? reference.slice(prefix.length) : undefined;
}

/**
 * The path behind a reference: an absolute path, or `credential:NAME` in the directory of systemd, else
 * in the folder that the unit takes them from, where a file is named without `gatewarden_`. Throws
 * AGENT_SECRET_UNREADABLE when it is neither or there is no such folder; the reference is not quoted.
 */
export function pathOfReference(
  reference: string,
  subject: string,
  places: CredentialPlaces = {},
): string {
  if (places.directory !== undefined || places.source === undefined) {
    return secretPath(reference, subject, places.directory);
  }
  const path = secretPath(reference, subject, places.source);
  const file = fileOfCredential(reference);
  return file === undefined || file === "" ? path : join(places.source, file);
}

/**
 * The secret text in a file; one trailing newline is cut. `reference` is an absolute path, or
 * `credential:NAME` for a systemd credential. `subject` names the secret in errors ("the device key");
 * no error ever holds its content. `credentialsSource` serves where systemd gave nothing. Outside the credentials directory the file must be readable and
 * writable by its owner only; systemd itself gives 0440 with its own access list.
 * Throws AGENT_SECRET_EXPOSED, or AGENT_SECRET_UNREADABLE when it is missing, forbidden, empty, above
 * 64 KiB, no regular file or not UTF-8. Source: systemd.exec(5), CREDENTIALS.
 */
export function readSecret(
  reference: string,
  subject: string,
  credentialsDirectory?: string,
  credentialsSource?: string,
): string {
  const places = { directory: credentialsDirectory, source: credentialsSource };
  const path = pathOfReference(reference, subject, places);
  const read = createBoundedReader().read(path, MAX_SECRET_BYTES);
  if (!read.ok) {
    const { code, detail } = read.problem;
    const isFromSource =
      credentialsDirectory === undefined &&
      credentialsSource !== undefined &&
      reference.startsWith(CREDENTIAL_PREFIX);
    throw unreadable(
      subject,
      `cannot be read from ${path}: ${detail}`,
      isFromSource ? remedyOutside(credentialsSource) : remedyFor(code, path),
    );
  }
  const mode = read.value.stats.mode & 0o777;
  if ((mode & OPEN_TO_OTHERS) !== 0 && !isBelow(path, credentialsDirectory)) {
    const text = mode.toString(8).padStart(4, "0");
    throw new AgentError(
      "AGENT_SECRET_EXPOSED",
      `${subject} in ${path} is open to other users (mode ${text})`,
      { remedy: `Close it: chmod 0600 ${path}. If others may have read it, replace the secret.` },
    );
  }
  return secretText(read.value.bytes, subject, path);
}

function secretPath(reference: string, subject: string, folder: string | undefined): string {
  if (reference.startsWith(CREDENTIAL_PREFIX)) {
    const name = reference.slice(CREDENTIAL_PREFIX.length);
    if (!CREDENTIAL_NAME.test(name)) {
      throw unreadable(
        subject,
        "is given by a credential name that is not allowed",
        "Use letters, digits, '.', '_' and '-' only, as in credential:device-key.",
      );
    }
    if (folder === undefined) {
      throw unreadable(
        subject,
        `is the credential ${name}, but the agent was started without credentials`,
        `Add LoadCredential=${name}:PATH to the systemd unit, or give the path of a file.`,
      );
    }
    return join(folder, name);
  }
  // A mistyped reference may be the secret itself: it is never quoted.
  if (!isAbsolute(reference)) {
    throw unreadable(
      subject,
      "is not given as an absolute path",
      "Give the absolute path of a file, or credential:NAME; never the secret itself.",
    );
  }
  return reference;
}

function secretText(bytes: Uint8Array, subject: string, path: string): string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // The decoder's error is dropped: it could describe the content.
    throw unreadable(subject, `in ${path} is not UTF-8 text`, "Store the secret as plain text.");
  }
  const trimmed = text.replace(/\r?\n$/, "");
  if (trimmed === "") throw unreadable(subject, `in ${path} is empty`, "Store the secret there.");
  return trimmed;
}

function isBelow(path: string, folder: string | undefined): boolean {
  if (folder === undefined) return false;
  try {
    return realpathSync(path).startsWith(`${realpathSync(folder)}${sep}`);
  } catch {
    // Gone since it was read, or no such folder: then nothing vouches for it.
    return false;
  }
}

/** systemd handed nothing over, and the folder that it takes credentials from did not serve either. */
function remedyOutside(source: string): string {
  return (
    `In the service, the unit needs LoadCredential=gatewarden:${source}; by hand, run it as root; ` +
    "sudo gatewarden setup writes the file."
  );
}

function remedyFor(code: string, path: string): string {
  if (code === "not-found") return `Create ${path}, readable by the agent's user only (0600).`;
  if (code === "not-permitted") return `Give ${path} to the agent's user with mode 0600.`;
  return "Name a regular file of at most 64 KiB that holds the secret and nothing else.";
}

function unreadable(subject: string, what: string, remedy: string): AgentError {
  return new AgentError("AGENT_SECRET_UNREADABLE", `${subject} ${what}`, { remedy });
}
