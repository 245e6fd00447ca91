import type {
  AddressRange,
  Condition,
  NumberRange,
  PacketSide,
} from "../../src/contract/firewall.ts";
import type { AddressFamily } from "../../src/contract/probe.ts";
import { addressFromNumber } from "../../src/parse/address-number.ts";

/** Names of the protocols that rules name most. Source: /etc/protocols. */
const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([
  [1, "icmp"],
  [2, "igmp"],
  [6, "tcp"],
  [17, "udp"],
  [33, "dccp"],
  [41, "ipv6"],
  [47, "gre"],
  [50, "esp"],
  [51, "ah"],
  [58, "icmpv6"],
  [132, "sctp"],
  [136, "udplite"],
]);

/** What a rule asks, as the fields of schema 1.0 and details carry it. Absent: the rule does not ask. */
export interface ConditionTexts {
  readonly sourceAddress?: string;
  readonly sourcePort?: string;
  readonly destinationAddress?: string;
  readonly destinationPort?: string;
  readonly protocol?: string;
  readonly inInterface?: string;
  readonly outInterface?: string;
  readonly connectionState?: string;
  /** Conditions that have no field of their own, in the rule's own words where they have some. */
  readonly further: readonly string[];
}

/** Longest list of addresses, ports or names in one field; what is beyond is counted. */
const MOST_LISTED = 50;

/** Texts of conditions that hold together. Of several on one field the first has it, the rest go `further`. */
export function conditionTexts(conditions: readonly Condition[]): ConditionTexts {
  const fields = new Map<string, string>();
  const further: string[] = [];
  for (const condition of conditions) {
    const { field, text } = describe(condition);
    if (field !== undefined && !fields.has(field)) fields.set(field, text);
    else if (field === undefined) further.push(text);
    else further.push(`${field} ${text}`);
  }
  return { ...Object.fromEntries(fields), further };
}

interface Described {
  readonly field?: Exclude<keyof ConditionTexts, "further">;
  readonly text: string;
}

function describe(condition: Condition): Described {
  const sign = (texts: readonly string[]): string => negate(texts, condition.isNegated);
  switch (condition.kind) {
    case "protocol":
      return { field: "protocol", text: sign(condition.numbers.map(protocolText)) };
    case "address": {
      const { family } = condition;
      const texts = condition.ranges.flatMap((range) => addressTexts(range, family));
      return withSide(condition.side, "Address", sign(texts));
    }
    case "port":
      return withSide(condition.side, "Port", sign(condition.ranges.map(rangeText)));
    case "interface":
      return {
        field: condition.side === "in" ? "inInterface" : "outInterface",
        text: sign(condition.names),
      };
    case "connection-state":
      return { field: "connectionState", text: sign(condition.states) };
    case "connection-direction":
      return { text: `connection direction ${sign([condition.direction])}` };
    case "family":
      return { text: `family ${sign([condition.family])}` };
    case "address-type":
      return { text: `${condition.side} address type ${sign(condition.types)}` };
    case "tcp-flags":
      return { text: `tcp flags ${sign([`${condition.set}/${condition.mask}`])}` };
    case "mark":
      return { text: `mark ${sign([`${hex(condition.value)}/${hex(condition.mask)}`])}` };
    case "any-of":
      return { text: sign([`any of ${condition.alternatives.length} combinations`]) };
    case "other":
      return { text: sign([condition.text]) };
  }
}

function withSide(side: PacketSide, what: "Address" | "Port", text: string): Described {
  if (side === "original-destination")
    return { text: `original destination ${what.toLowerCase()} ${text}` };
  return { field: `${side}${what}`, text };
}

/** `a,b`, `!a` or `!(a,b)`: the forms that readers of these events know from the classic agent. */
function negate(texts: readonly string[], isNegated: boolean): string {
  const listed = texts.slice(0, MOST_LISTED);
  if (texts.length > MOST_LISTED) listed.push(`${texts.length - MOST_LISTED} more`);
  const text = listed.join(",");
  if (!isNegated) return text;
  return listed.length === 1 ? `!${text}` : `!(${text})`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function rangeText({ from, to }: NumberRange): string {
  return from === to ? String(from) : `${from}-${to}`;
}

function protocolText(range: NumberRange): string {
  if (range.from !== range.to) return rangeText(range);
  return PROTOCOL_NAMES.get(range.from) ?? String(range.from);
}

/** One address, one network with its prefix, or `first-last`. All addresses of a family: `0.0.0.0/0`. */
function addressTexts(range: AddressRange, family: AddressFamily): readonly string[] {
  const first = addressFromNumber(family, range.from);
  if (range.from === range.to) return [first];
  const bits = family === "ipv4" ? 32 : 128;
  const size = range.to - range.from + 1n;
  const isNetwork = (size & (size - 1n)) === 0n && range.from % size === 0n;
  if (!isNetwork) return [`${first}-${addressFromNumber(family, range.to)}`];
  return [`${first}/${bits - (size.toString(2).length - 1)}`];
}
