import type { AddressRange, NumberRange } from "../../contract/firewall.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import { addressNumber } from "../address-number.ts";
import { protocolNumber, tcpFlagBits } from "./from-iptables-values.ts";

const BITS = { ipv4: 32, ipv6: 128 } as const;

/** `syn`, `["syn", "ack"]`, `{"|": ["syn", "ack"]}`, a number. */
export function flagBits(value: JsonValue): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "string") return tcpFlagBits(value.toUpperCase());
  const parts = Array.isArray(value) ? value : isJsonObject(value) ? value["|"] : undefined;
  if (!Array.isArray(parts)) return undefined;
  const bits = all(parts, flagBits);
  return bits?.reduce((sum, bit) => sum | bit, 0);
}

/** `a`, `["a", "b"]`, `{"|": ["a", {"|": ["b", "c"]}]}`. */
export function wordsOf(value: JsonValue): readonly string[] | undefined {
  if (typeof value === "string") return [value];
  const parts = Array.isArray(value) ? value : isJsonObject(value) ? value["|"] : undefined;
  return Array.isArray(parts) ? all(parts, wordsOf)?.flat() : undefined;
}

/** Every value converted; undefined as soon as one cannot be. */
export function all<T>(
  values: readonly JsonValue[],
  convert: (value: JsonValue) => T | undefined,
): readonly T[] | undefined {
  const converted: T[] = [];
  for (const value of values) {
    const one = convert(value);
    if (one === undefined) return undefined;
    converted.push(one);
  }
  return converted;
}

/** An address, a prefix, a range, or `*` for all. */
export function addressRange(value: JsonValue, family: AddressFamily): AddressRange | undefined {
  const last = (1n << BigInt(BITS[family])) - 1n;
  if (value === "*") return { from: 0n, to: last };
  if (typeof value === "string") {
    const number = addressNumber(value);
    return number === undefined ? undefined : { from: number, to: number };
  }
  if (!isJsonObject(value)) return undefined;
  const { prefix, range } = { prefix: value["prefix"], range: value["range"] };
  if (isJsonObject(prefix)) return prefixRange(prefix, family);
  if (!Array.isArray(range)) return undefined;
  const [first, end] = range.map((side) =>
    typeof side === "string" ? addressNumber(side) : undefined,
  );
  return first === undefined || end === undefined ? undefined : { from: first, to: end };
}

function prefixRange(prefix: JsonObject, family: AddressFamily): AddressRange | undefined {
  const { addr, len } = { addr: prefix["addr"], len: prefix["len"] };
  const number = typeof addr === "string" ? addressNumber(addr) : undefined;
  if (number === undefined || typeof len !== "number" || len < 0 || len > BITS[family])
    return undefined;
  const rest = BigInt(BITS[family] - len);
  const from = (number >> rest) << rest;
  return { from, to: from + (1n << rest) - 1n };
}

/** A number, a range, or `*` for all 16 bits. */
export function numberRange(value: JsonValue): NumberRange | undefined {
  if (typeof value === "number") return { from: value, to: value };
  if (value === "*") return { from: 0, to: 65_535 };
  const range = isJsonObject(value) ? value["range"] : undefined;
  if (!Array.isArray(range)) return undefined;
  const [from, to] = range;
  return typeof from === "number" && typeof to === "number" ? { from, to } : undefined;
}

/** A protocol by name or number, a range of numbers, or `*`. */
export function protocolRange(value: JsonValue): NumberRange | undefined {
  if (typeof value !== "string" || value === "*") return numberRange(value);
  const number = protocolNumber(value);
  return number === undefined ? undefined : { from: number, to: number };
}
