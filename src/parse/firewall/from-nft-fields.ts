import type { Condition, ConditionTest, PacketSide } from "../../contract/firewall.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import { protocolNumber } from "./from-iptables-values.ts";
import {
  addressRange,
  all,
  flagBits,
  numberRange,
  protocolRange,
  wordsOf,
} from "./from-nft-values.ts";

/** The left side of a match: what of the packet is looked at. */
export interface NftField {
  /** A field of bits, such as flags: there operators have meanings of their own. */
  readonly bits?: BitField;
  /** Hold whatever the comparison is: `tcp dport` looks at TCP only. */
  readonly given: readonly Condition[];
  /** The test for one of these values; undefined where a value cannot be understood. */
  readonly test: (values: readonly JsonValue[]) => ConditionTest | undefined;
}

/**
 * How bits are compared: `a` (operator `in`) asks for one of them, `== a,b` and `!= a,b` for exactly
 * these, `!` for none. Source: nft(8), bitmask types; seen with nft 1.0.6.
 */
export interface BitField {
  readonly anyOf: (value: JsonValue) => ConditionTest | undefined;
  readonly exactly: (value: JsonValue) => ConditionTest | undefined;
}

const MASK_32 = 0xffffffff;

function is(test: ConditionTest): Condition {
  return { ...test, isNegated: false };
}

/** The field that an expression of nft names; undefined for one that a question cannot answer. */
export function nftField(expression: JsonValue | undefined): NftField | undefined {
  if (expression === undefined || !isJsonObject(expression)) return undefined;
  const [entry] = Object.entries(expression);
  if (entry === undefined) return undefined;
  const [kind, value] = entry;
  if (kind === "payload") return isJsonObject(value) ? payloadField(value) : undefined;
  if (kind === "meta") return isJsonObject(value) ? metaField(value["key"]) : undefined;
  if (kind === "ct") return isJsonObject(value) ? trackingField(value) : undefined;
  if (kind === "fib") return isJsonObject(value) ? routeField(value) : undefined;
  if (kind === "&") return Array.isArray(value) ? maskedField(value) : undefined;
  return undefined;
}

function payloadField(payload: JsonObject): NftField | undefined {
  const { protocol, field } = { protocol: payload["protocol"], field: payload["field"] };
  if (protocol === "ip" || protocol === "ip6") return addressHeaderField(protocol, field);
  if (typeof protocol !== "string") return undefined;
  const number = protocolNumber(protocol);
  const given: readonly Condition[] =
    protocol === "th" || number === undefined
      ? []
      : [is({ kind: "protocol", numbers: [{ from: number, to: number }] })];
  if (protocol !== "th" && number === undefined) return undefined;
  if (field === "sport" || field === "dport") return portField(field, given);
  return protocol === "tcp" && field === "flags" ? flagField(given, 0xff) : undefined;
}

function addressHeaderField(
  header: "ip" | "ip6",
  field: JsonValue | undefined,
): NftField | undefined {
  const family: AddressFamily = header === "ip" ? "ipv4" : "ipv6";
  const given = [is({ kind: "family", family })];
  if (field === "saddr") return { given, test: addressTest("source", family) };
  if (field === "daddr") return { given, test: addressTest("destination", family) };
  if (field === "protocol" || field === "nexthdr") return { given, test: protocolTest };
  return undefined;
}

function addressTest(side: PacketSide, family: AddressFamily): NftField["test"] {
  return (values) => {
    const ranges = all(values, (value) => addressRange(value, family));
    return ranges === undefined ? undefined : { kind: "address", side, family, ranges };
  };
}

function portField(field: "sport" | "dport", given: readonly Condition[]): NftField {
  const side = field === "sport" ? "source" : "destination";
  return { given, test: portTest(side) };
}

function portTest(side: PacketSide): NftField["test"] {
  return (values) => {
    const ranges = all(values, numberRange);
    return ranges === undefined ? undefined : { kind: "port", side, ranges };
  };
}

const protocolTest: NftField["test"] = (values) => {
  const numbers = all(values, protocolRange);
  return numbers === undefined ? undefined : { kind: "protocol", numbers };
};

function metaField(key: JsonValue | undefined): NftField | undefined {
  switch (key) {
    case "iifname":
    case "iif":
      return { given: [], test: interfaceTest("in") };
    case "oifname":
    case "oif":
      return { given: [], test: interfaceTest("out") };
    case "l4proto":
      return { given: [], test: protocolTest };
    case "nfproto":
      return { given: [], test: familyTest };
    case "protocol":
      return { given: [], test: familyTest };
    case "mark":
      return { given: [], test: markTest(MASK_32) };
    default:
      return undefined;
  }
}

function interfaceTest(side: "in" | "out"): NftField["test"] {
  return (values) => {
    const names = all(values, (value) => (typeof value === "string" ? value : undefined));
    return names === undefined ? undefined : { kind: "interface", side, names };
  };
}

const familyTest: NftField["test"] = (values) => {
  const [value, ...others] = values;
  if (others.length > 0) return undefined;
  if (value === "ipv4" || value === "ip") return { kind: "family", family: "ipv4" };
  return value === "ipv6" || value === "ip6" ? { kind: "family", family: "ipv6" } : undefined;
};

function markTest(mask: number): NftField["test"] {
  return (values) => {
    const [value, ...others] = values;
    if (typeof value !== "number" || others.length > 0) return undefined;
    return { kind: "mark", value, mask };
  };
}

function trackingField(tracking: JsonObject): NftField | undefined {
  const { key, dir } = { key: tracking["key"], dir: tracking["dir"] };
  if (key === "state") return stateField();
  if (key === "status") return { given: [], test: () => undefined, bits: STATUS_BITS };
  if (key === "direction") return { given: [], test: directionTest };
  if (dir !== "original") return undefined;
  if (key === "ip daddr") return { given: [], test: addressTest("original-destination", "ipv4") };
  if (key === "ip6 daddr") return { given: [], test: addressTest("original-destination", "ipv6") };
  if (key === "ip saddr") return { given: [], test: addressTest("source", "ipv4") };
  if (key === "ip6 saddr") return { given: [], test: addressTest("source", "ipv6") };
  if (key === "proto-dst") return { given: [], test: portTest("original-destination") };
  if (key === "proto-src") return { given: [], test: portTest("source") };
  return undefined;
}

const STATES: ReadonlySet<string> = new Set([
  "new",
  "established",
  "related",
  "invalid",
  "untracked",
]);

/** A packet has one state, so a value of several bits is never met exactly. */
function stateField(): NftField {
  const stateTest = (value: JsonValue): ConditionTest | undefined => {
    const states = wordsOf(value);
    return states?.every((state) => STATES.has(state))
      ? { kind: "connection-state", states }
      : undefined;
  };
  return {
    given: [],
    test: (values) => {
      const states = all(values, (value) => wordsOf(value)?.join(","));
      const isKnown = states?.every((state) => STATES.has(state)) ?? false;
      return isKnown && states !== undefined ? { kind: "connection-state", states } : undefined;
    },
    bits: {
      anyOf: stateTest,
      exactly(value) {
        const test = stateTest(value);
        const isSingle = test?.kind === "connection-state" && test.states.length === 1;
        return test === undefined || isSingle ? test : { kind: "any-of", alternatives: [] };
      },
    },
  };
}

/** Of the states that a connection may be in at the same time, translation alone can be foreseen. */
const STATUS_BITS: BitField = {
  anyOf(value) {
    const states = wordsOf(value);
    return states?.every((state) => state === "snat" || state === "dnat")
      ? { kind: "connection-state", states }
      : undefined;
  },
  exactly: () => undefined,
};

const directionTest: NftField["test"] = ([value, ...others]) => {
  if (others.length > 0) return undefined;
  if (value === "original" || value === 0)
    return { kind: "connection-direction", direction: "original" };
  return value === "reply" || value === 1
    ? { kind: "connection-direction", direction: "reply" }
    : undefined;
};

function routeField(route: JsonObject): NftField | undefined {
  const flags = Array.isArray(route["flags"]) ? route["flags"] : [route["flags"]];
  if (route["result"] === "type") {
    const side = flags.includes("saddr") ? "source" : "destination";
    return { given: [], test: (values) => addressTypeTest(side, values) };
  }
  const isReverse = flags.includes("saddr") && flags.includes("iif");
  return isReverse ? { given: [], test: reversePathTest } : undefined;
}

function addressTypeTest(
  side: "source" | "destination",
  values: readonly JsonValue[],
): ConditionTest | undefined {
  const types = all(values, (value) => (typeof value === "string" ? value : undefined));
  return types === undefined ? undefined : { kind: "address-type", side, types };
}

/**
 * `fib saddr . iif oif missing` and `… check missing` (0, false) find senders that the way back does not
 * lead to; the test that is named "reverse-path" holds for the others.
 */
const reversePathTest: NftField["test"] = ([value, ...others]) => {
  const isMissing = value === 0 || value === false || value === "" || value === "missing";
  if (others.length > 0 || !isMissing) return undefined;
  return { kind: "other", name: "reverse-path-missing", text: "fib saddr . iif oif missing" };
};

/** `meta mark & 3`, `tcp flags & (fin | syn)`, `ct state & (new | related)`. */
function maskedField(sides: readonly JsonValue[]): NftField | undefined {
  const [left, mask] = sides;
  if (left === undefined || mask === undefined || !isJsonObject(left)) return undefined;
  const meta = left["meta"];
  if (isJsonObject(meta) && meta["key"] === "mark" && typeof mask === "number") {
    return { given: [], test: markTest(mask >>> 0) };
  }
  const payload = left["payload"];
  if (!isJsonObject(payload) || payload["field"] !== "flags") return undefined;
  const bits = flagBits(mask);
  const field = payloadField(payload);
  return bits === undefined || field === undefined ? undefined : flagField(field.given, bits);
}

function flagField(given: readonly Condition[], mask: number): NftField {
  const exactly = (value: JsonValue): ConditionTest | undefined => {
    const set = flagBits(value);
    return set === undefined ? undefined : { kind: "tcp-flags", mask, set };
  };
  return {
    given,
    test: ([value, ...others]) =>
      value === undefined || others.length > 0 ? undefined : exactly(value),
    bits: {
      anyOf(value) {
        const wanted = flagBits(value);
        if (wanted === undefined) return undefined;
        const isNone: Condition = {
          kind: "tcp-flags",
          mask: wanted & mask,
          set: 0,
          isNegated: true,
        };
        return { kind: "any-of", alternatives: [[isNone]] };
      },
      exactly,
    },
  };
}
