import type { JsonObject, JsonValue } from "../contract/json.ts";
import { printable } from "./found-text.ts";

/** IoT Hub's bounds of desired properties. Source: IoT Hub device twins, "twin format" and "size". */
export const DESIRED_LIMIT_BYTES = 32_768;
const MAX_DEPTH = 10;
const MAX_KEY_BYTES = 1_024;
const MAX_TEXT_BYTES = 4_096;
const INTEGER_BOUND = 2 ** 52;
const FAULT_LIMIT = 32;

/** A bound of the hub that a document passes: the hub would refuse it. */
export interface LimitFault {
  /** Where, as dotted printable text; empty for the whole document. */
  readonly where: string;
  readonly message: string;
}

export interface LimitReport {
  /** Size by the hub's rules: keys and text in UTF-8 bytes, numbers 8, booleans 4. */
  readonly sizeBytes: number;
  /** At most 32. */
  readonly faults: readonly LimitFault[];
}

interface Visit {
  readonly value: JsonValue;
  readonly where: string;
  readonly depth: number;
}

/** Holds desired properties, without `$version` and `$metadata`, against the hub's bounds. */
export function checkTwinLimits(desired: JsonObject): LimitReport {
  const faults: LimitFault[] = [];
  let sizeBytes = 0;
  const open: Visit[] = [{ value: desired, where: "", depth: 0 }];
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    const { value, where, depth } = visit;
    if (typeof value !== "object" || value === null) {
      sizeBytes += scalarBytes(value);
      faults.push(...scalarFaults(value, where));
      continue;
    }
    if (depth === MAX_DEPTH + 1) {
      faults.push({ where, message: `nested deeper than ${MAX_DEPTH} levels` });
    }
    const below: Visit[] = [];
    for (const [key, inner] of Object.entries(value)) {
      const isList = Array.isArray(value);
      if (!isList) {
        sizeBytes += Buffer.byteLength(key);
        faults.push(...keyFaults(key, where));
      }
      below.push({ value: inner, where: whereOf(where, key), depth: depth + 1 });
    }
    // The last one in is visited first: reversed, faults come in document order.
    open.push(...below.reverse());
  }
  if (sizeBytes > DESIRED_LIMIT_BYTES) {
    const message = `${sizeBytes} bytes by the hub's rules; at most ${DESIRED_LIMIT_BYTES}`;
    faults.unshift({ where: "", message });
  }
  return { sizeBytes, faults: faults.slice(0, FAULT_LIMIT) };
}

function whereOf(parent: string, key: string): string {
  const name = printable(key, 64);
  return parent === "" ? name : printable(`${parent}.${name}`, 160);
}

function scalarBytes(value: JsonValue): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number") return 8;
  return typeof value === "boolean" ? 4 : 0;
}

function scalarFaults(value: JsonValue, where: string): readonly LimitFault[] {
  if (typeof value === "string" && Buffer.byteLength(value) > MAX_TEXT_BYTES) {
    return [{ where, message: `text of more than ${MAX_TEXT_BYTES} bytes` }];
  }
  if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) > INTEGER_BOUND) {
    return [{ where, message: "integer beyond 2^52" }];
  }
  return [];
}

function keyFaults(key: string, parent: string): readonly LimitFault[] {
  const where = whereOf(parent, key);
  const faults: LimitFault[] = [];
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    faults.push({ where, message: `key of more than ${MAX_KEY_BYTES} bytes` });
  }
  if (/[.$ \p{Cc}]/u.test(key)) {
    faults.push({
      where,
      message: "key with a dot, a dollar sign, a blank or a control character",
    });
  }
  return faults;
}
