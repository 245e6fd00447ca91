import type { RuleAction, VerdictMapEntry } from "../../contract/firewall.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import { printExpression } from "../nft-json/print-expression.ts";
import { printStatement } from "../nft-json/print-statement.ts";
import {
  elementConditions,
  fieldsOf,
  type NftScope,
  plainElement,
  settledElements,
} from "./from-nft-match.ts";
import { addressRange, numberRange } from "./from-nft-values.ts";

const ALL_BITS = 0xffffffff;
/** Statements that neither end the way nor bear on the rest of it. Source: nft(8), statements. */
const CONTINUING: ReadonlySet<string> = new Set([
  "log",
  "dup",
  "set",
  "map",
  "flow",
  "secmark",
  "ct helper",
  "ct timeout",
  "ct expectation",
  "last",
  "comment",
  // Takes an option of TCP out of the packet.
  "reset",
]);
/** Verdicts of the kernel's own extensions, which nft shows by name alone. */
const XT_TARGETS: Readonly<Record<string, RuleAction>> = {
  REJECT: { kind: "reject" },
  LOG: { kind: "continue" },
  NFLOG: { kind: "continue" },
  MASQUERADE: { kind: "source-nat" },
  SNAT: { kind: "source-nat" },
  TCPMSS: { kind: "continue" },
};

/** What a statement does; undefined for one that is not known as an action. */
export function statementAction(
  name: string,
  value: JsonValue,
  scope: NftScope,
): RuleAction | undefined {
  if (CONTINUING.has(name)) return { kind: "continue" };
  switch (name) {
    case "accept":
    case "drop":
    case "return":
    case "continue":
      return { kind: name };
    case "jump":
    case "goto":
      return jumpTo(name, value);
    case "reject":
      return { kind: "reject" };
    case "masquerade":
    case "snat":
      return { kind: "source-nat" };
    case "redirect":
      return destinationNat(value, true);
    case "dnat":
      return mappedNat(value, scope) ?? destinationNat(value, false);
    case "notrack":
      return { kind: "untrack" };
    case "mangle":
      return isJsonObject(value) ? mangle(value) : undefined;
    case "vmap":
      return isJsonObject(value) ? verdictMap(value, scope) : undefined;
    case "xt":
      return isJsonObject(value) ? xtTarget(value) : undefined;
    default:
      return undefined;
  }
}

/** A statement that may end or divert the way in a manner that cannot be foreseen. */
export function unknownAction(name: string, value: JsonValue): RuleAction {
  return { kind: "other", name, text: printStatement({ [name]: value }).slice(0, 300) };
}

function jumpTo(kind: "jump" | "goto", value: JsonValue): RuleAction | undefined {
  const target = isJsonObject(value) ? value["target"] : undefined;
  return typeof target === "string" ? { kind, chain: target } : undefined;
}

function xtTarget(value: JsonObject): RuleAction | undefined {
  const name = value["name"];
  return value["type"] === "target" && typeof name === "string" ? XT_TARGETS[name] : undefined;
}

/** Setting the packet's mark to a number is followed, to anything else is not. */
function mangle(value: JsonObject): RuleAction | undefined {
  const key = isJsonObject(value["key"]) ? value["key"] : {};
  const meta = key["meta"];
  if (!isJsonObject(meta)) {
    const isHarmless = key["ct"] !== undefined || key["tcp option"] !== undefined;
    return isHarmless || isUnasked(key["payload"]) ? { kind: "continue" } : undefined;
  }
  if (meta["key"] !== "mark") return { kind: "continue" };
  const mark = value["value"];
  if (typeof mark === "number") return { kind: "set-mark", value: mark, mask: ALL_BITS };
  return maskedMark(mark);
}

/** Header fields that are rewritten and bear on no verdict: not addresses, ports, protocols, flags. */
const UNASKED_FIELDS: ReadonlySet<JsonValue | undefined> = new Set([
  ...["ttl", "hoplimit", "dscp", "ecn", "flowlabel", "id", "checksum", "window"],
]);

function isUnasked(payload: JsonValue | undefined): boolean {
  return payload !== undefined && isJsonObject(payload) && UNASKED_FIELDS.has(payload["field"]);
}

/** `meta mark set meta mark | 1`, `& 0xff`, `^ 1`; the mark of a new connection is 0. */
function maskedMark(expression: JsonValue | undefined): RuleAction | undefined {
  if (expression === undefined || !isJsonObject(expression)) return undefined;
  const [entry] = Object.entries(expression);
  if (entry?.[0] === "ct" && isJsonObject(entry[1]) && entry[1]["key"] === "mark") {
    return { kind: "set-mark", value: 0, mask: ALL_BITS };
  }
  if (entry === undefined || !Array.isArray(entry[1])) return undefined;
  const [left, bits] = entry[1];
  const isMark = isJsonObject(left) && isJsonObject(left["meta"]) && left["meta"]["key"] === "mark";
  if (!isMark || typeof bits !== "number") return undefined;
  if (entry[0] === "|") return { kind: "set-mark", value: bits, mask: bits };
  if (entry[0] === "^") return { kind: "set-mark", value: bits, mask: 0 };
  return entry[0] === "&"
    ? { kind: "set-mark", value: 0, mask: (bits ^ ALL_BITS) >>> 0 }
    : undefined;
}

function destinationNat(value: JsonValue, isRedirect: boolean): RuleAction | undefined {
  if (value === null) return { kind: "destination-nat", isRedirect };
  if (!isJsonObject(value)) return undefined;
  const { addr, port } = { addr: value["addr"], port: value["port"] };
  const addresses = addr === undefined ? undefined : addressRange(addr, familyOf(addr));
  const ports = port === undefined ? undefined : numberRange(port);
  if (addr !== undefined && addresses === undefined) return undefined;
  if (port !== undefined && ports === undefined) return undefined;
  return {
    kind: "destination-nat",
    ...(addresses === undefined ? {} : { addresses }),
    ...(ports === undefined ? {} : { ports }),
    isRedirect,
  };
}

/** By the look of it: nft names the family only where the table does not say it. */
function familyOf(value: JsonValue): AddressFamily {
  return printExpression(value).includes(":") ? "ipv6" : "ipv4";
}

/** `dnat to tcp dport map { 80 : 10.0.0.1 . 8080 }`: a verdict map whose verdicts translate. */
function mappedNat(value: JsonValue, scope: NftScope): RuleAction | undefined {
  const addr = isJsonObject(value) ? value["addr"] : undefined;
  const map = isJsonObject(addr) ? addr["map"] : undefined;
  if (!isJsonObject(map) || !isJsonObject(value)) return undefined;
  const port = value["port"];
  return mapEntries(map, scope, (data) => {
    const parts = isJsonObject(data) && Array.isArray(data["concat"]) ? data["concat"] : [data];
    const [address, mappedPort] = parts;
    const target = {
      ...(address === undefined ? {} : { addr: address }),
      ...(mappedPort === undefined ? (port === undefined ? {} : { port }) : { port: mappedPort }),
    };
    return destinationNat(target, false);
  });
}

function verdictMap(value: JsonObject, scope: NftScope): RuleAction | undefined {
  return mapEntries(value, scope, (data) => {
    const [verdict] = isJsonObject(data) ? Object.entries(data) : [];
    return verdict === undefined ? undefined : statementAction(verdict[0], verdict[1], scope);
  });
}

/** Entries of an anonymous or a named map; `*` applies where no other key does, so it comes last. */
function mapEntries(
  map: JsonObject,
  scope: NftScope,
  actionOf: (data: JsonValue) => RuleAction | undefined,
): RuleAction | undefined {
  const pairs = pairsOf(map["data"], scope);
  if (map["key"] === undefined || pairs === undefined) return undefined;
  const fields = fieldsOf(map["key"]);
  const entries: VerdictMapEntry[] = [];
  const fallbacks: VerdictMapEntry[] = [];
  for (const pair of pairs) {
    if (!Array.isArray(pair)) return undefined;
    const [key, data] = pair;
    const plain = key === undefined ? undefined : plainElement(key);
    const conditions = plain === undefined ? undefined : elementConditions(fields, plain);
    const action = data === undefined ? undefined : actionOf(data);
    if (conditions === undefined || action === undefined) return undefined;
    const entry = { conditions, action };
    if (plain === "*") fallbacks.push(entry);
    else entries.push(entry);
  }
  return { kind: "verdict-map", entries: [...entries, ...fallbacks] };
}

function pairsOf(data: JsonValue | undefined, scope: NftScope): readonly JsonValue[] | undefined {
  if (typeof data === "string" && data.startsWith("@")) {
    return settledElements(data.slice(1), scope);
  }
  const pairs = data !== undefined && isJsonObject(data) ? data["set"] : undefined;
  return Array.isArray(pairs) ? pairs : undefined;
}
