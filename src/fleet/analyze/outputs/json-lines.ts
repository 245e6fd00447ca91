import { isJsonObject } from "../../../contract/json.ts";
import type { SharedFolder } from "../../../contract/shared-folder.ts";
import { parseJson } from "../../../parse/json.ts";
import type { AlertOutput } from "../output.ts";
import { nameOfPlace, type Place } from "../place.ts";
import type { DeliveredId } from "../saved-partition.ts";
import { alertRecord } from "./alert-record.ts";

/** How much of a file is read back: some 20,000 alerts. */
const RECALL_BYTES = 16 * 1_048_576;
const MAX_ALERTS = 1_000;

export interface JsonLinesForm {
  /** A file is put aside when it has grown beyond. */
  readonly maxBytes: number;
  /** How many of those put aside are kept; older ones are removed. */
  readonly maxFiles: number;
}

/**
 * A file per partition, a line per alert. The files themselves say what was delivered: whoever opens a
 * partition reads their end, so that a crash repeats nothing.
 */
export function createJsonLines(folder: SharedFolder, form: JsonLinesForm): AlertOutput {
  const fileOf = (place: Place): string => nameOfPlace(place, `alerts-${place.partitionId}.jsonl`);

  function recall(name: string): readonly DeliveredId[] {
    const read = folder.readLastLines(name, RECALL_BYTES);
    if (!read.ok) return [];
    return read.value.split("\n").flatMap((line): readonly DeliveredId[] => {
      const json = line === "" ? undefined : parseJson(line, name);
      if (json?.ok !== true || !isJsonObject(json.value)) return [];
      const { id, sequenceNumber } = json.value;
      if (typeof id !== "string" || typeof sequenceNumber !== "number") return [];
      return [[id, sequenceNumber]];
    });
  }

  function putAside(name: string): void {
    for (let at = form.maxFiles - 1; at > 0; at -= 1)
      folder.rename(`${name}.${at}`, `${name}.${at + 1}`);
    folder.rename(name, `${name}.1`);
    folder.remove(`${name}.${form.maxFiles + 1}`);
  }

  return {
    name: "jsonLines",
    maxAlerts: MAX_ALERTS,
    hasMemory: true,
    async recall(place) {
      const name = fileOf(place);
      return [...recall(`${name}.1`), ...recall(name)];
    },
    async deliver(alerts, place) {
      const name = fileOf(place);
      const lines = alerts.map((alert) => `${JSON.stringify(alertRecord(alert, place))}\n`);
      const done = folder.append(name, lines.join(""));
      if (!done.ok) return { status: "retry", reason: done.problem.detail };
      if (done.value > form.maxBytes) putAside(name);
      return { status: "delivered" };
    },
    async close() {},
  };
}

/** The same lines to whoever reads our standard output; it tells nothing back. */
export function createLineOutput(print: (line: string) => void): AlertOutput {
  return {
    name: "standardOutput",
    maxAlerts: MAX_ALERTS,
    hasMemory: false,
    recall: async () => [],
    async deliver(alerts, place) {
      for (const alert of alerts) print(JSON.stringify(alertRecord(alert, place)));
      return { status: "delivered" };
    },
    async close() {},
  };
}
