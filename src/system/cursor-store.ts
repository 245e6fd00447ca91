import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { CursorStore } from "../contract/collector.ts";
import { AgentError } from "../contract/errors.ts";
import type { JsonValue } from "../contract/json.ts";
import type { Log } from "../contract/log.ts";
import { parseJsonObject } from "../parse/json.ts";
import {
  ensurePrivateFolder,
  isTemporaryOf,
  readSmallText,
  removeQuietly,
  writeFileAtomically,
} from "./files.ts";

const MAX_CURSOR_BYTES = 65_536;
const COLLECTOR_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** A cursor store that counts what it could not read. */
export interface FileCursorStore extends CursorStore {
  /** Reads that found a file which was corrupt or unreadable, and so gave undefined. */
  corruptReads(): number;
}

/**
 * The persistent value of one collector in `FOLDER/COLLECTOR.json`, mode 0600. A missing file reads as
 * undefined; so does a corrupt one, which is counted and logged: a collector then starts over.
 * `write` throws AGENT_STATE_UNUSABLE when the disk refuses, AGENT_INTERNAL for a value above 64 KiB or
 * nested too deep to be read back. Creating the store touches nothing; the first write makes the folder.
 */
export function createCursorStore(
  folder: string,
  collectorName: string,
  log?: Log,
): FileCursorStore {
  if (!COLLECTOR_NAME.test(collectorName)) {
    throw internal("a cursor store was asked for under a name that is no collector name");
  }
  const fileName = `${collectorName}.json`;
  const path = join(folder, fileName);
  let corruptReads = 0;
  let isFolderReady = false;

  function prepareFolder(): void {
    if (isFolderReady) return;
    ensurePrivateFolder(folder);
    // What a killed write left behind is of no use to anybody.
    for (const name of readdirSync(folder)) {
      if (isTemporaryOf(name, fileName)) removeQuietly(join(folder, name));
    }
    isFolderReady = true;
  }

  function corrupt(reason: string): undefined {
    corruptReads += 1;
    log?.warn({ collector: collectorName, reason }, "cursor unreadable, starting over");
    return undefined;
  }

  return {
    read() {
      const text = readSmallText(path, MAX_CURSOR_BYTES);
      if (!text.ok) {
        return text.problem.code === "not-found" ? undefined : corrupt(text.problem.detail);
      }
      const parsed = parseJsonObject(text.value, path, { maxLength: MAX_CURSOR_BYTES });
      if (!parsed.ok) return corrupt(parsed.problem.detail);
      const value = parsed.value["cursor"];
      return value === undefined ? corrupt("no cursor in the file") : value;
    },

    write(value) {
      const text = cursorText(value, collectorName);
      prepareFolder();
      const written = writeFileAtomically(path, text, 0o600);
      if (written.ok) return;
      throw new AgentError(
        "AGENT_STATE_UNUSABLE",
        `the cursor of ${collectorName} cannot be saved to ${path}: ${written.problem.detail}`,
        { remedy: "Check the space on the disk and that the agent's user owns the state folder." },
      );
    },

    corruptReads: () => corruptReads,
  };
}

/** Checked by reading it back: a cursor that cannot be read later is a bug to be seen now. */
function cursorText(value: JsonValue, collectorName: string): string {
  const text = `${JSON.stringify({ cursor: value })}\n`;
  if (Buffer.byteLength(text) > MAX_CURSOR_BYTES) {
    throw internal(`the cursor of ${collectorName} is larger than ${MAX_CURSOR_BYTES} bytes`);
  }
  const parsed = parseJsonObject(text, collectorName);
  if (!parsed.ok) throw internal(`the cursor of ${collectorName} is ${parsed.problem.detail}`);
  return text;
}

function internal(message: string): AgentError {
  return new AgentError("AGENT_INTERNAL", message, { remedy: "Report this as a bug." });
}
