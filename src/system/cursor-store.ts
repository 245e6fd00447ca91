import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { CursorStore } from "../contract/collector.ts";
import { AgentError, describeError } from "../contract/errors.ts";
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

/** A cursor store that counts what it could not read or write. */
export interface FileCursorStore extends CursorStore {
  /** Reads that found a file which was corrupt or unreadable, and so gave undefined. */
  corruptReads(): number;
  /** Writes that the disk refused. */
  refusedWrites(): number;
}

/**
 * The persistent value of one collector in `FOLDER/COLLECTOR.json`, mode 0600. A missing file reads as
 * undefined; so does a corrupt one, which is counted and logged: a collector then starts over.
 * A write that the disk refuses leaves the old file, is counted, and logged once until the disk accepts again.
 * `write` throws AGENT_INTERNAL for a value above 64 KiB or nested too deep to be read back. Creating the
 * store touches nothing; the first write makes the folder.
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
  let refusedWrites = 0;
  let isRefused = false;
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

  /** Why the value is not on disk; undefined when it is. */
  function refusal(text: string): string | undefined {
    try {
      prepareFolder();
    } catch (error) {
      // A full or foreign folder is no reason to end: the position is all that is lost.
      return describeError(error);
    }
    const written = writeFileAtomically(path, text, 0o600);
    return written.ok ? undefined : written.problem.detail;
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
      const reason = refusal(text);
      if (reason !== undefined) {
        refusedWrites += 1;
        const remedy = "free space on the state directory, which the agent's user must own";
        if (!isRefused) log?.warn({ collector: collectorName, reason, remedy }, "cursor not saved");
      }
      isRefused = reason !== undefined;
    },

    corruptReads: () => corruptReads,
    refusedWrites: () => refusedWrites,
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
