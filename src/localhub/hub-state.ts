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
import { parseJsonObject } from "../parse/json.ts";

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const PUBLIC_FILE = 0o644;
const MAX_FILE_BYTES = 1_048_576;
const KEYS_FILE = "keys.json";

/** The folder that survives restarts: CA, server certificate and identity keys. */
export interface HubState {
  path(name: string): string;
  /** Text of a file; undefined when there is none. Throws AGENT_STATE_UNUSABLE. */
  read(name: string): string | undefined;
  /** Replaces a file at once: readers see the old or the new one. Throws AGENT_STATE_UNUSABLE. */
  write(name: string, text: string, who: "owner" | "everybody"): void;
}

/** Symmetric keys of identities by name, base64. */
export interface KeyBook {
  /** The kept key, or a new one that is kept from now on: a connection string survives a restart. */
  keyOf(name: string): string;
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

/** Reads the kept keys. Throws AGENT_STATE_UNUSABLE for a corrupt file: new keys would break agents. */
export function openKeyBook(state: HubState): KeyBook {
  const keys = new Map(readKeys(state));
  return {
    keyOf(name) {
      const known = keys.get(name);
      if (known !== undefined) return known;
      // Not from the injected chance: a secret must not repeat.
      const fresh = randomBytes(32).toString("base64");
      keys.set(name, fresh);
      const all = JSON.stringify(Object.fromEntries(keys), undefined, 2);
      state.write(KEYS_FILE, `${all}\n`, "owner");
      return fresh;
    },
  };
}

function readKeys(state: HubState): readonly (readonly [string, string])[] {
  const text = state.read(KEYS_FILE);
  if (text === undefined) return [];
  const parsed = parseJsonObject(text, KEYS_FILE);
  if (!parsed.ok) throw corrupt(state.path(KEYS_FILE), parsed.problem.detail);
  return Object.entries(parsed.value).map(([name, key]) => {
    if (typeof key !== "string") throw corrupt(state.path(KEYS_FILE), "a key is no text");
    return [name, key] as const;
  });
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

function corrupt(path: string, detail: string): AgentError {
  return new AgentError("AGENT_STATE_UNUSABLE", `${path}: ${detail}`, {
    remedy: "delete the file: the local hub then makes new keys and new connection strings",
  });
}
