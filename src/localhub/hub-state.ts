import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { AgentError, describeError } from "../contract/errors.ts";
import { isJsonObject, type JsonObject } from "../contract/json.ts";
import { parseJsonObject } from "../parse/json.ts";

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const PUBLIC_FILE = 0o644;
const MAX_FILE_BYTES = 1_048_576;
const KEYS_FILE = "identity-keys.json";

/** The folder that survives restarts: CA, server certificate and identity keys. */
export interface HubState {
  path(name: string): string;
  /** Text of a file; undefined when there is none. Throws AGENT_STATE_UNUSABLE. */
  read(name: string): string | undefined;
  /** Replaces a file at once: readers see the old or the new one. Throws AGENT_STATE_UNUSABLE. */
  write(name: string, text: string, who: "owner" | "everybody"): void;
}

/** The symmetric keys of one identity, base64. */
export interface IdentityKeys {
  readonly primaryKey: string;
  readonly secondaryKey: string;
}

/** Opens the folder, making it when it is absent. Throws AGENT_STATE_UNUSABLE. */
export function openHubState(directory: string): HubState {
  guarded(directory, () => mkdirSync(directory, { recursive: true, mode: PRIVATE_FOLDER }));
  const path = (name: string): string => join(directory, name);
  return {
    path,
    read(name) {
      return guarded(path(name), () => {
        const facts = statSync(path(name), { throwIfNoEntry: false });
        if (facts === undefined) return undefined;
        if (facts.size > MAX_FILE_BYTES) throw new Error(`${facts.size} bytes long`);
        return readFileSync(path(name), "utf8");
      });
    },
    write(name, text, who) {
      const mode = who === "owner" ? PRIVATE_FILE : PUBLIC_FILE;
      guarded(path(name), () => replaceFile(path(name), text, mode));
    },
  };
}

function replaceFile(path: string, text: string, mode: number): void {
  const temporary = `${path}.new`;
  const descriptor = openSync(temporary, "w", mode);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, path);
}

function guarded<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    // The file system throws; the CLI prints what to do.
    throw new AgentError("AGENT_STATE_UNUSABLE", `${path}: ${describeError(error)}`, {
      remedy: "give the local hub a folder that its user may write, with free space",
      cause: error,
    });
  }
}

/**
 * Keys of the named identities, made where there are none and kept, so that a connection string works
 * after a restart. Throws AGENT_STATE_UNUSABLE for a corrupt file: new keys would silently break agents.
 */
export function identityKeys(
  state: HubState,
  names: readonly string[],
): ReadonlyMap<string, IdentityKeys> {
  const text = state.read(KEYS_FILE);
  const kept = new Map<string, IdentityKeys>();
  if (text !== undefined) {
    const parsed = parseJsonObject(text, KEYS_FILE);
    if (!parsed.ok) throw corrupt(state.path(KEYS_FILE), parsed.problem.detail);
    for (const [name, value] of Object.entries(parsed.value)) {
      const keys = isJsonObject(value) ? keysIn(value) : undefined;
      if (keys === undefined) throw corrupt(state.path(KEYS_FILE), `${name} has no keys`);
      kept.set(name, keys);
    }
  }
  const missing = names.filter((name) => !kept.has(name));
  for (const name of missing) kept.set(name, { primaryKey: newKey(), secondaryKey: newKey() });
  if (missing.length > 0) {
    const all = JSON.stringify(Object.fromEntries(kept), undefined, 2);
    state.write(KEYS_FILE, `${all}\n`, "owner");
  }
  return kept;
}

function keysIn(value: JsonObject): IdentityKeys | undefined {
  const { primaryKey, secondaryKey } = value;
  if (typeof primaryKey !== "string" || typeof secondaryKey !== "string") return undefined;
  return { primaryKey, secondaryKey };
}

function corrupt(path: string, detail: string): AgentError {
  return new AgentError("AGENT_STATE_UNUSABLE", `${path}: ${detail}`, {
    remedy: "delete the file: the local hub then makes new keys and new connection strings",
  });
}

/** A secret of 32 bytes, base64, as IoT Hub makes them. Not from the injected chance: it must not repeat. */
function newKey(): string {
  return randomBytes(32).toString("base64");
}
