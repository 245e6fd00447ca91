import type { AddressFamily } from "../../../contract/address-family.ts";
import type {
  AddressRange,
  Condition,
  FirewallChain,
  FirewallRule,
} from "../../../contract/firewall.ts";
import { addressFromNumber } from "../../../parse/address-number.ts";

export interface IptablesStyle {
  readonly isVerbose: boolean;
  readonly isNumeric: boolean;
  readonly family: AddressFamily;
  readonly hasProtocolNumbers: boolean;
}

const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [1, "icmp"],
  [6, "tcp"],
  [17, "udp"],
  [58, "ipv6-icmp"],
  [132, "sctp"],
]);

function targetOf(rule: FirewallRule): string {
  const { action } = rule;
  if (
    action.kind === "accept" ||
    action.kind === "drop" ||
    action.kind === "reject" ||
    action.kind === "return"
  )
    return action.kind.toUpperCase();
  if (action.kind === "jump" || action.kind === "goto") return action.chain;
  return /-j (\S+)/.exec(rule.text)?.[1] ?? "";
}

function protocolOf(conditions: readonly Condition[], style: IptablesStyle): string {
  const found = conditions.find((one) => one.kind === "protocol");
  const number = found?.kind === "protocol" ? (found.numbers[0]?.from ?? 0) : 0;
  if (style.hasProtocolNumbers) return String(number);
  return number === 0 ? "all" : (PROTOCOLS.get(number) ?? String(number));
}

/** `127.0.0.0/8`; a range that is no block with a dash. */
function blockText({ from, to }: AddressRange, family: AddressFamily): string {
  const bits = family === "ipv4" ? 32 : 128;
  const size = to - from + 1n;
  const free = size.toString(2).length - 1;
  const isBlock = size === 1n << BigInt(free) && from % size === 0n;
  if (!isBlock) return `${addressFromNumber(family, from)}-${addressFromNumber(family, to)}`;
  const address = addressFromNumber(family, from);
  return free === 0 ? address : `${address}/${bits - free}`;
}

function addressOf(
  conditions: readonly Condition[],
  side: "source" | "destination",
  style: IptablesStyle,
): string {
  const found = conditions.find((one) => one.kind === "address" && one.side === side);
  const [range] = found?.kind === "address" ? found.ranges : [];
  if (range !== undefined)
    return (found?.isNegated === true ? "!" : "") + blockText(range, style.family);
  const any = style.family === "ipv4" ? "0.0.0.0/0" : "::/0";
  return style.isNumeric ? any : "anywhere";
}

function interfaceOf(conditions: readonly Condition[], side: "in" | "out"): string {
  const found = conditions.find((one) => one.kind === "interface" && one.side === side);
  if (found?.kind !== "interface") return "*";
  return (found.isNegated ? "!" : "") + (found.names[0] ?? "*").replace(/\*$/, "+");
}

function ruleLine(rule: FirewallRule, style: IptablesStyle): string {
  const { conditions } = rule;
  const source = addressOf(conditions, "source", style).padEnd(20);
  const destination = addressOf(conditions, "destination", style).padEnd(20);
  const target = targetOf(rule).padEnd(9);
  const protocol = protocolOf(conditions, style).padEnd(4);
  const packets = `${String(rule.counters?.packets ?? 0n).padStart(5)} ${String(rule.counters?.bytes ?? 0n).padStart(5)} `;
  const ways = `${interfaceOf(conditions, "in").padEnd(6)} ${interfaceOf(conditions, "out").padEnd(6)}  `;
  const head = style.isVerbose ? packets : "";
  return `${head}${target}  ${protocol} --  ${style.isVerbose ? ways : ""}${source} ${destination}`;
}

/** A chain as `iptables -L` lists it, matches beyond protocol, interface and address left out. */
export function iptablesChain(chain: FirewallChain, style: IptablesStyle): readonly string[] {
  const isBuiltIn = chain.base !== undefined || /^(?:INPUT|FORWARD|OUTPUT)$/.test(chain.name);
  const policy = (chain.base?.policy ?? "accept").toUpperCase();
  const counters = style.isVerbose ? " 0 packets, 0 bytes" : "";
  const head = isBuiltIn
    ? `Chain ${chain.name} (policy ${policy}${counters})`
    : `Chain ${chain.name} (1 references)`;
  const columns = style.isVerbose
    ? " pkts bytes target     prot opt in     out     source               destination         "
    : "target     prot opt source               destination         ";
  return [head, columns, ...chain.rules.map((rule) => ruleLine(rule, style))];
}
