import type {
  AddressRange,
  Condition,
  ConditionTest,
  PacketSide,
} from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import type {
  IptablesField,
  IptablesMatch,
  IptablesOption,
  IptablesRule,
} from "../iptables-save/model.ts";
import { printIptablesMatch } from "../iptables-save/print-iptables-save.ts";
import {
  addressRange,
  markText,
  networkRanges,
  portRanges,
  protocolNumber,
  tcpFlagBits,
} from "./from-iptables-values.ts";

/** Modules that ask nothing by themselves: the protocol of the head already does. */
const SILENT_WITHOUT_OPTIONS = new Set([
  ...["tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmp6", "icmpv6", "ah", "esp"],
]);
const PORT_SIDES: ReadonlyMap<string, "source" | "destination"> = new Map([
  ["--sport", "source"],
  ["--source-port", "source"],
  ["--sports", "source"],
  ["--source-ports", "source"],
  ["--dport", "destination"],
  ["--destination-port", "destination"],
  ["--dports", "destination"],
  ["--destination-ports", "destination"],
]);
/** `--syn`: of SYN, RST, ACK and FIN only SYN is set. Source: iptables-extensions(8), tcp. */
const SYN_ONLY = { mask: 23, set: 2 };

/**
 * What a rule asks of a packet, all of which must hold. What cannot be expressed is `other`: its text is
 * the match as iptables-save writes it, including negations inside; where `isNegated` is set, the text is
 * without that negation.
 */
export function iptablesConditions(
  rule: IptablesRule,
  family: AddressFamily,
): readonly Condition[] {
  return [
    ...fieldCondition("-s", rule.source, (text) => addressTest("source", text, family)),
    ...fieldCondition("-d", rule.destination, (text) => addressTest("destination", text, family)),
    ...fieldCondition("-i", rule.inInterface, (name) => interfaceTest("in", name)),
    ...fieldCondition("-o", rule.outInterface, (name) => interfaceTest("out", name)),
    ...protocolConditions(rule.protocol),
    ...fragmentConditions(rule.fragment),
    ...rule.matches.flatMap((match) => matchConditions(match, family)),
  ];
}

function fieldCondition(
  option: string,
  field: IptablesField | undefined,
  testOf: (text: string) => ConditionTest | undefined,
): readonly Condition[] {
  if (field === undefined) return [];
  const { value, isNegated } = field;
  const test = testOf(value) ?? { kind: "other", name: "head", text: `${option} ${value}` };
  return [{ ...test, isNegated }];
}

function addressTest(
  side: PacketSide,
  text: string,
  family: AddressFamily,
): ConditionTest | undefined {
  const ranges = networkRanges(text, family);
  return ranges === undefined ? undefined : { kind: "address", side, family, ranges };
}

function interfaceTest(side: "in" | "out", name: string): ConditionTest | undefined {
  // A name that ends in an asterisk is a plain name here, a pattern in the model.
  if (name === "" || name.endsWith("*")) return undefined;
  const pattern = name.endsWith("+") ? `${name.slice(0, -1)}*` : name;
  return { kind: "interface", side, names: [pattern] };
}

function protocolConditions(field: IptablesField | undefined): readonly Condition[] {
  if (field !== undefined && !field.isNegated && protocolNumber(field.value) === 0) return [];
  return fieldCondition("-p", field, (text) => {
    const number = protocolNumber(text);
    if (number === undefined) return undefined;
    return { kind: "protocol", numbers: [{ from: number, to: number === 0 ? 255 : number }] };
  });
}

function fragmentConditions(fragment: IptablesRule["fragment"]): readonly Condition[] {
  if (fragment === undefined) return [];
  return [{ kind: "other", name: "fragment", text: "-f", isNegated: fragment.isNegated }];
}

function matchConditions(match: IptablesMatch, family: AddressFamily): readonly Condition[] {
  const { module } = match;
  if (module === "comment") return [];
  if (module === "rpfilter") return [reversePath(match)];
  if (match.options.length === 0) {
    return module === null || SILENT_WITHOUT_OPTIONS.has(module) ? [] : [otherMatch(match)];
  }
  const isByInterface = match.options.some(({ name }) => name.startsWith("--limit-iface-"));
  if (module === "addrtype" && isByInterface) return [otherMatch(match)];
  const conditions: Condition[] = [];
  let isWhole = true;
  for (const option of match.options) {
    if (isAnyIcmp(option)) continue;
    const test = optionTest(match, option, family);
    if (test === undefined) isWhole = false;
    else conditions.push({ ...test, isNegated: option.isNegated });
  }
  return isWhole ? conditions : [...conditions, otherMatch(match)];
}

function otherMatch(match: IptablesMatch): Condition {
  const name = match.module ?? "implicit";
  return { kind: "other", name, text: printIptablesMatch(match), isNegated: false };
}

/** The way back to the sender leads through the interface of arrival; `--invert` turns it round. */
function reversePath(match: IptablesMatch): Condition {
  const options = match.options.filter(({ name }) => name !== "--invert");
  return {
    kind: "other",
    name: "reverse-path",
    text: printIptablesMatch({ ...match, options }),
    isNegated: options.length < match.options.length,
  };
}

function isAnyIcmp({ name, values, isNegated }: IptablesOption): boolean {
  return name === "--icmp-type" && values[0] === "any" && !isNegated;
}

function optionTest(
  { module }: IptablesMatch,
  option: IptablesOption,
  family: AddressFamily,
): ConditionTest | undefined {
  const [value, second, ...more] = option.values;
  if (more.length > 0) return undefined;
  switch (module) {
    case null:
    case "tcp":
    case "udp":
    case "udplite":
    case "sctp":
    case "dccp":
    case "multiport":
      return protocolOptionTest(option.name, value, second);
    case "iprange":
      return rangeTest(option.name, value, family);
    case "conntrack":
      return conntrackTest(option.name, value, family);
    case "state":
      return option.name === "--state" ? stateTest(value) : undefined;
    case "addrtype":
      return addressTypeTest(option.name, value, family);
    case "mark":
      return option.name === "--mark" ? markTest(value) : undefined;
    default:
      return undefined;
  }
}

function protocolOptionTest(
  name: string,
  value: string | undefined,
  second: string | undefined,
): ConditionTest | undefined {
  if (name === "--syn") return { kind: "tcp-flags", ...SYN_ONLY };
  if (value === undefined) return undefined;
  if (name === "--tcp-flags") {
    const mask = tcpFlagBits(value);
    const set = second === undefined ? undefined : tcpFlagBits(second);
    return mask === undefined || set === undefined ? undefined : { kind: "tcp-flags", mask, set };
  }
  const side = PORT_SIDES.get(name);
  if (second !== undefined || (side === undefined && name !== "--ports")) return undefined;
  const ranges = portRanges(value);
  if (ranges === undefined) return undefined;
  if (side !== undefined) return { kind: "port", side, ranges };
  const either = (["source", "destination"] as const).map((each) => [
    { kind: "port", side: each, ranges, isNegated: false } as const,
  ]);
  return { kind: "any-of", alternatives: either };
}

function rangeTest(
  name: string,
  value: string | undefined,
  family: AddressFamily,
): ConditionTest | undefined {
  const side = sideOf(name, "--src-range", "--dst-range");
  const range = value === undefined ? undefined : addressRange(value, family);
  if (side === undefined || range === undefined) return undefined;
  return { kind: "address", side, family, ranges: [range] };
}

function conntrackTest(
  name: string,
  value: string | undefined,
  family: AddressFamily,
): ConditionTest | undefined {
  if (value === undefined) return undefined;
  switch (name) {
    case "--ctstate":
      return stateTest(value);
    case "--ctdir": {
      const direction = value.toLowerCase();
      if (direction !== "original" && direction !== "reply") return undefined;
      return { kind: "connection-direction", direction };
    }
    case "--ctorigdst":
      return addressTest("original-destination", value, family);
    case "--ctorigdstport": {
      const ranges = portRanges(value);
      return ranges && { kind: "port", side: "original-destination", ranges };
    }
    default:
      return undefined;
  }
}

function stateTest(value: string | undefined): ConditionTest | undefined {
  if (value === undefined) return undefined;
  return { kind: "connection-state", states: value.toLowerCase().split(",") };
}

/** IPv4 asks the routing table; a packet has one type, and any of those named will do. */
function addressTypeTest(
  name: string,
  value: string | undefined,
  family: AddressFamily,
): ConditionTest | undefined {
  const side = sideOf(name, "--src-type", "--dst-type");
  if (side === undefined || value === undefined) return undefined;
  const types = value.toLowerCase().split(",");
  if (family === "ipv4") return { kind: "address-type", side, types };
  return { kind: "any-of", alternatives: [sixTypes(side, types)] };
}

const ROUTED_TYPES = ["local", "anycast", "prohibit", "unreachable"];
const SIX_MULTICAST: AddressRange = { from: 0xffn << 120n, to: (1n << 128n) - 1n };
const SIX_UNSPECIFIED: AddressRange = { from: 0n, to: 0n };
const SIX_MAPPED: AddressRange = { from: 0xffffn << 32n, to: (0xffffn << 32n) + 0xffffffffn };

/** IPv6 looks at the address first, and what is named must hold together. Source: xt_addrtype.c, match_type6. */
function sixTypes(side: "source" | "destination", types: readonly string[]): readonly Condition[] {
  const address = (ranges: readonly AddressRange[], isNegated: boolean): Condition => ({
    kind: "address",
    side,
    family: "ipv6",
    ranges,
    isNegated,
  });
  const conditions: Condition[] = [];
  if (types.includes("multicast")) conditions.push(address([SIX_MULTICAST], false));
  if (types.includes("unspec")) conditions.push(address([SIX_UNSPECIFIED], false));
  if (types.includes("unicast")) {
    conditions.push(address([SIX_UNSPECIFIED, SIX_MAPPED, SIX_MULTICAST], true));
  }
  const routed = types.filter((type) => ROUTED_TYPES.includes(type));
  if (routed.length > 0) {
    conditions.push({ kind: "address-type", side, types: routed, isNegated: false });
  }
  return conditions;
}

function markTest(value: string | undefined): ConditionTest | undefined {
  const mark = value === undefined ? undefined : markText(value);
  return mark === undefined ? undefined : { kind: "mark", ...mark };
}

function sideOf(
  name: string,
  source: string,
  destination: string,
): "source" | "destination" | undefined {
  if (name === source) return "source";
  return name === destination ? "destination" : undefined;
}
