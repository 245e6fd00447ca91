import { join } from "node:path";
import { AgentError } from "../contract/errors.ts";
import type { JsonValue } from "../contract/json.ts";
import type { Log } from "../contract/log.ts";
import type { Random } from "../contract/random.ts";
import { parseJson } from "../parse/json.ts";
import { readSmallText, writeFileAtomically } from "../system/files.ts";
import { lockFolder } from "../system/folder-lock.ts";

const PRIVATE_FILE = 0o600;
const MAX_STATE_BYTES = 1_048_576;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The folder that survives restarts: identity, twin, counters, spool and cursors of one agent. */
export interface StateFolder {
  readonly path: string;
  /** Folder of the spool and of the aggregation journal. */
  readonly spoolFolder: string;
  readonly cursorFolder: string;
  /** The configured agent id, else the kept one, else a new one that is kept. */
  agentId(configured: string | undefined, random: Random): string;
  /** Content of a JSON file; undefined when absent or unreadable (that is logged once). */
  readJson(name: string): JsonValue | undefined;
  /** Replaces a JSON file; a failure is logged, never thrown: the agent goes on without it. */
  writeJson(name: string, value: JsonValue): void;
  release(): void;
}

/**
 * Takes the folder for this process. Throws AGENT_STATE_UNUSABLE or AGENT_STATE_LOCKED, each with a
 * remedy.
 */
export function openStateFolder(path: string, log: Log): StateFolder {
  const release = lockFolder(path);
  function readJson(name: string): JsonValue | undefined {
    const text = readSmallText(join(path, name), MAX_STATE_BYTES);
    if (!text.ok) {
      if (text.problem.code !== "not-found") {
        log.warn(
          { file: name, reason: text.problem.detail },
          "state file unreadable, starting over",
        );
      }
      return undefined;
    }
    const parsed = parseJson(text.value, name);
    if (parsed.ok) return parsed.value;
    log.warn({ file: name, reason: parsed.problem.detail }, "state file corrupt, starting over");
    return undefined;
  }
  function writeJson(name: string, value: JsonValue): void {
    const written = writeFileAtomically(join(path, name), JSON.stringify(value), PRIVATE_FILE);
    if (!written.ok) {
      log.warn(
        { file: name, reason: written.problem.detail, remedy: "free space on the state directory" },
        "state file not written",
      );
    }
  }
  return {
    path,
    spoolFolder: join(path, "spool"),
    cursorFolder: join(path, "cursors"),
    readJson,
    writeJson,
    agentId(configured, random) {
      if (configured !== undefined) return configured;
      const kept = readJson("agent.json");
      const id = keptAgentId(kept);
      if (id !== undefined) return id;
      const fresh = random.uuid();
      const file = join(path, "agent.json");
      const written = writeFileAtomically(file, JSON.stringify({ agentId: fresh }), PRIVATE_FILE);
      if (written.ok) return fresh;
      throw new AgentError(
        "AGENT_STATE_UNUSABLE",
        `cannot write ${file}: ${written.problem.detail}`,
        {
          remedy: "Free space, or name another stateDirectory.",
        },
      );
    },
    release,
  };
}

function keptAgentId(kept: JsonValue | undefined): string | undefined {
  if (typeof kept !== "object" || kept === null || !("agentId" in kept)) return undefined;
  const { agentId } = kept;
  return typeof agentId === "string" && UUID.test(agentId) ? agentId : undefined;
}
