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

/** What the header itself implies, such as the protocol, is not asked here. */
function payloadField(payload: JsonObject): NftField | undefined {
  const { protocol, field, tunnel } = {
    protocol: payload["protocol"],
    field: payload["field"],
    tunnel: payload["tunnel"],
  };
  // A header within a tunnel says nothing of the packet around it.
  if (typeof protocol !== "string" || tunnel !== undefined) return undefined;
  if (protocol === "ip" || protocol === "ip6") return addressHeaderField(protocol, field);
  if (protocol === "ether") return field === "type" ? { test: familyTest } : undefined;
  const isTransport = protocol === "th" || protocolNumber(protocol) !== undefined;
  if (isTransport && field === "sport") return { test: portTest("source") };
  if (isTransport && field === "dport") return { test: portTest("destination") };
  return protocol === "tcp" && field === "flags" ? flagField(0xff) : undefined;
}

function addressHeaderField(
  header: "ip" | "ip6",
  field: JsonValue | undefined,
): NftField | undefined {
  const family: AddressFamily = header === "ip" ? "ipv4" : "ipv6";
  if (field === "saddr") return { test: addressTest("source", family) };
  if (field === "daddr") return { test: addressTest("destination", family) };
  if (field === "protocol" || field === "nexthdr") return { test: protocolTest };
  return undefined;
}

function addressTest(side: PacketSide, family: AddressFamily): NftField["test"] {
  return (values) => {
    const ranges = all(values, (value) => addressRange(value, family));
    return ranges === undefined ? undefined : { kind: "address", side, family, ranges };
  };
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
      return { test: interfaceTest("in") };
    case "oifname":
    case "oif":
      return { test: interfaceTest("out") };
    case "l4proto":
      return { test: protocolTest };
    case "nfproto":
      return { test: familyTest };
    case "protocol":
      return { test: familyTest };
    case "mark":
      return { test: markTest(MASK_32) };
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
  if (key === "status") return { test: () => undefined, bits: STATUS_BITS };
  if (key === "direction") return { test: directionTest };
  if (dir !== "original") return undefined;
  if (key === "ip daddr") return { test: addressTest("original-destination", "ipv4") };
  if (key === "ip6 daddr") return { test: addressTest("original-destination", "ipv6") };
  if (key === "ip saddr") return { test: addressTest("source", "ipv4") };
  if (key === "ip6 saddr") return { test: addressTest("source", "ipv6") };
  if (key === "proto-dst") return { test: portTest("original-destination") };
  if (key === "proto-src") return { test: portTest("source") };
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

const REVERSE_PATH_FLAGS: ReadonlySet<JsonValue | undefined> = new Set(["saddr", "iif", "mark"]);

function routeField(route: JsonObject): NftField | undefined {
  const flags = Array.isArray(route["flags"]) ? route["flags"] : [route["flags"]];
  const isOfInterface = flags.includes("iif") || flags.includes("oif");
  if (route["result"] === "type") {
    // Whether an address is local to one interface is not what kinds of addresses tell.
    if (isOfInterface) return undefined;
    const side = flags.includes("saddr") ? "source" : "destination";
    return { test: (values) => addressTypeTest(side, values) };
  }
  const isReverse = flags.includes("saddr") && flags.includes("iif");
  const isPlain = flags.every((flag) => REVERSE_PATH_FLAGS.has(flag));
  return isReverse && isPlain ? { test: reversePathTest } : undefined;
}

function addressTypeTest(
  side: "source" | "destination",
  values: readonly JsonValue[],
): ConditionTest | undefined {
  const types = all(values, (value) => (typeof value === "string" ? value : undefined));
  return types === undefined ? undefined : { kind: "address-type", side, types };
}

const REVERSE_PATH_MISSING: ConditionTest = {
  kind: "other",
  name: "reverse-path-missing",
  text: "fib saddr . iif oif missing",
};
const MISSING: ReadonlySet<JsonValue | undefined> = new Set([0, "0", false, "", "missing"]);

/**
 * `fib saddr . iif oif missing` and `== 0` find senders that the way back does not lead to, `exists` and
 * `!= 0` the others. Interfaces by name ask for more than that.
 */
const reversePathTest: NftField["test"] = ([value, ...others]) => {
  if (others.length > 0) return undefined;
  if (MISSING.has(value)) return REVERSE_PATH_MISSING;
  if (value !== true) return undefined;
  return {
    kind: "any-of",
    alternatives: [[{ ...REVERSE_PATH_MISSING, isNegated: true }]],
  };
};

/** `meta mark & 3`, `tcp flags & (fin | syn)`, `ct state & (new | related)`. */
function maskedField(sides: readonly JsonValue[]): NftField | undefined {
  const [left, mask] = sides;
  if (left === undefined || mask === undefined || !isJsonObject(left)) return undefined;
  const meta = left["meta"];
  if (isJsonObject(meta) && meta["key"] === "mark" && typeof mask === "number") {
    return { test: markTest(mask >>> 0) };
  }
  const payload = left["payload"];
  const isFlags =
    isJsonObject(payload) && payload["protocol"] === "tcp" && payload["field"] === "flags";
  const bits = isFlags && payload["tunnel"] === undefined ? flagBits(mask) : undefined;
  return bits === undefined ? undefined : flagField(bits);
}

function flagField(mask: number): NftField {
  const exactly = (value: JsonValue): ConditionTest | undefined => {
    const set = flagBits(value);
    return set === undefined ? undefined : { kind: "tcp-flags", mask, set };
  };
  return {
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
