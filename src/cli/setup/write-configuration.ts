import { join } from "node:path";
import { AgentError } from "../../contract/errors.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { Problem, Result } from "../../contract/result.ts";
import { parseJsonObject } from "../../parse/json.ts";
import { readSmallText, writeFileAtomically } from "../../system/files.ts";
import { ensureServiceFolder, groupIdOf, namesIn } from "../../system/service-folder.ts";
import type { ConfigurationDraft } from "./configuration-draft.ts";

const SERVICE_GROUP = "gatewarden";
const MAX_CONFIG_BYTES = 1_048_576;
const CONFIG_FILE = "config.json";
const CREDENTIALS_FOLDER = "credentials";

/** The configuration that is there. */
export interface ExistingConfiguration {
  readonly text: string;
  /** Undefined when the text is no JSON object: nothing of it can be kept. */
  readonly tree: JsonObject | undefined;
}

/** Path of the configuration in its folder. */
export function configPath(folder: string): string {
  return join(folder, CONFIG_FILE);
}

/** Folder of the files that the unit hands over as credentials. */
export function credentialsFolder(configFolder: string): string {
  return join(configFolder, CREDENTIALS_FOLDER);
}

/** Undefined when there is none. Throws AGENT_CONFIG_UNREADABLE. */
export function readExisting(folder: string): ExistingConfiguration | undefined {
  const path = configPath(folder);
  const text = readSmallText(path, MAX_CONFIG_BYTES);
  if (!text.ok) {
    if (text.problem.code === "not-found") return undefined;
    throw new AgentError("AGENT_CONFIG_UNREADABLE", `${path}: ${text.problem.detail}`, {
      remedy: "Run it as root: sudo gatewarden setup; or move that file away.",
    });
  }
  const tree = parseJsonObject(text.value, CONFIG_FILE);
  return { text: text.value, tree: tree.ok ? tree.value : undefined };
}

/** What was written. */
export interface Written {
  /** Path of the copy of the former configuration; undefined when there was none or it is the same. */
  readonly backup: string | undefined;
  /** The service's group may read the configuration; false when there is no such group. */
  readonly hasGroup: boolean;
}

/**
 * Writes credentials (0600 in a 0700 folder), then the configuration (0640 for the service's group, else
 * 0600), each atomically. The former configuration is kept as `config.json.bak-N`. Throws
 * AGENT_CONFIG_UNREADABLE.
 */
export function writeConfiguration(
  folder: string,
  draft: ConfigurationDraft,
  existing: ExistingConfiguration | undefined,
  isRoot: boolean,
): Written {
  const credentials = credentialsFolder(folder);
  must(ensureServiceFolder(folder, 0o755, "when-new"));
  must(ensureServiceFolder(credentials, 0o700, "exact"));
  for (const [name, text] of draft.credentials) {
    must(writeFileAtomically(join(credentials, name), text, 0o600));
  }
  const path = configPath(folder);
  const groupId = isRoot ? groupIdOf(SERVICE_GROUP) : undefined;
  const backup =
    existing === undefined || existing.text === draft.text ? undefined : nextBackup(folder);
  if (backup !== undefined) must(writeFileAtomically(backup, existing?.text ?? "", 0o600));
  must(writeFileAtomically(path, draft.text, groupId === undefined ? 0o600 : 0o640, groupId));
  return { backup, hasGroup: groupId !== undefined };
}

function nextBackup(folder: string): string {
  const names = must(namesIn(folder));
  const used = names.map((name) => Number(/^config\.json\.bak-(\d{1,9})$/.exec(name)?.[1] ?? 0));
  return `${configPath(folder)}.bak-${Math.max(0, ...used) + 1}`;
}

function must<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw notWritten(result.problem);
}

function notWritten({ code, subject, detail }: Problem): AgentError {
  const remedies: Readonly<Record<string, string>> = {
    "not-permitted": "Run it as root: sudo gatewarden setup; is the file system writable?",
    "too-large": "Free space on that file system.",
  };
  return new AgentError("AGENT_CONFIG_UNREADABLE", `${subject} cannot be written: ${detail}`, {
    remedy: remedies[code] ?? "Correct it and run the setup again: it starts from the beginning.",
  });
}
