import type { Condition } from "../../contract/firewall.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import { protocolNumber } from "./from-iptables-values.ts";

const DEEPEST_LOOK = 32;
/** Members that hold values, not looks at a packet; sets may be long. */
const VALUES: ReadonlySet<string> = new Set(["right", "data", "set"]);
/** Translation to an address of one family leaves packets of the other alone, and goes on. */
const OF_ONE_FAMILY: ReadonlySet<string> = new Set(["dnat", "snat", "tproxy"]);

const IPV4: Condition = { kind: "family", family: "ipv4", isNegated: false };
const IPV6: Condition = { kind: "family", family: "ipv6", isNegated: false };
const FAMILIES: ReadonlyMap<JsonValue | undefined, Condition> = new Map([
  ["ip", IPV4],
  ["ip6", IPV6],
  ["icmp", IPV4],
  ["igmp", IPV4],
  ["icmpv6", IPV6],
]);
const PROTOCOLS: ReadonlySet<JsonValue | undefined> = new Set(
  "tcp udp udplite sctp dccp ah esp comp igmp icmp icmpv6".split(" "),
);
const PROTOCOL_NAMES: Readonly<Record<string, string>> = { icmpv6: "ipv6-icmp", comp: "108" };

/**
 * What a statement demands of every packet by looking at a header at all, whatever it does with it: nft
 * puts tests of the protocol before a look at `tcp dport` and does not write them into its JSON. They
 * guard the rest of the rule, and a negation does not touch them: `tcp dport != 22` asks for TCP.
 * Source: nft(8), payload expressions; seen with `nft --debug=netlink`, 1.0.6.
 */
export function impliedConditions(name: string, value: JsonValue): readonly Condition[] {
  const found: Condition[] = [];
  if (OF_ONE_FAMILY.has(name) && isJsonObject(value)) add(found, FAMILIES.get(value["family"]));
  look(value, found, 0);
  return found;
}

/** The conditions that are not among those given. */
export function withoutKnown(
  conditions: readonly Condition[],
  known: readonly Condition[],
): readonly Condition[] {
  return conditions.filter((one) => !known.some((other) => isSame(one, other)));
}

function look(value: JsonValue, found: Condition[], depth: number): void {
  if (depth > DEEPEST_LOOK) return;
  if (Array.isArray(value)) {
    for (const part of value) look(part, found, depth + 1);
  } else if (isJsonObject(value)) {
    for (const [key, inner] of Object.entries(value)) {
      if (inner === undefined || (VALUES.has(key) && !isLook(key, inner))) continue;
      if (isJsonObject(inner)) expression(key, inner, found);
      look(inner, found, depth + 1);
    }
  }
}

/** `right` and `data` may be looks too, as in `meta mark set ct mark`; plain values are not. */
function isLook(key: string, inner: JsonValue): boolean {
  return key !== "set" && isJsonObject(inner) && inner["set"] === undefined;
}

function expression(kind: string, inner: JsonObject, found: Condition[]): void {
  if (kind === "payload" && inner["tunnel"] === undefined) header(inner["protocol"], found);
  // These fail on packets without the header; asking whether there is an option does not.
  if (kind === "tcp option" && inner["field"] !== undefined) header("tcp", found);
  if (kind === "sctp chunk" && inner["field"] !== undefined) header("sctp", found);
  if (kind === "ct" && typeof inner["key"] === "string") {
    add(found, FAMILIES.get(/^(ip6?) [sd]addr$/.exec(inner["key"])?.[1]));
  }
}

function header(protocol: JsonValue | undefined, found: Condition[]): void {
  add(found, FAMILIES.get(protocol));
  if (typeof protocol !== "string" || !PROTOCOLS.has(protocol)) return;
  const number = protocolNumber(PROTOCOL_NAMES[protocol] ?? protocol);
  if (number === undefined) return;
  add(found, {
    kind: "protocol",
    numbers: [{ from: number, to: number }],
    isNegated: false,
  });
}

function add(found: Condition[], condition: Condition | undefined): void {
  if (condition !== undefined && !found.some((one) => isSame(one, condition))) {
    found.push(condition);
  }
}

/** Of families and single protocols, the kinds that are implied. */
function isSame(one: Condition, other: Condition): boolean {
  if (one.isNegated !== other.isNegated) return false;
  if (one.kind === "family") return other.kind === "family" && one.family === other.family;
  if (one.kind !== "protocol" || other.kind !== "protocol") return false;
  const [first, ...rest] = one.numbers;
  const [second, ...more] = other.numbers;
  const isSingle = rest.length === 0 && more.length === 0;
  return isSingle && first?.from === second?.from && first?.to === second?.to;
}
