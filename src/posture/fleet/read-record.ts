import { isJsonObject } from "../../contract/json.ts";
import type { RecordReading } from "./happening.ts";
import type { FleetRecord } from "./partition-analyzer.ts";
import { readEndpointRecord } from "./read-endpoint.ts";
import { readLogBatch } from "./read-logs.ts";
import { readNotices } from "./read-notices.ts";
import type { ReadingRules } from "./reading-rules.ts";

/**
 * What a record tells, of whichever kind it is. What a device has sent is only ever taken as a message of
 * that device, whatever its body looks like: logs and notices are records that the hub has put no device
 * id on, written by those with the right to send to the event hub. Never throws.
 */
export function readFleetRecord(record: FleetRecord, rules: ReadingRules): RecordReading {
  const endpoint = readEndpointRecord(record, rules);
  if (endpoint !== undefined) return endpoint;
  const { body, sequenceNumber } = record;
  if (body === undefined) return { happenings: [], skipped: ["not-json"] };
  const notices = readNotices(body, sequenceNumber, rules);
  if (notices !== undefined) return notices;
  const entries = isJsonObject(body) ? body["records"] : body;
  if (Array.isArray(entries)) return readLogBatch(entries, sequenceNumber, rules);
  return { happenings: [], skipped: ["unknown-record"] };
}
