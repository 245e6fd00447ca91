/** Random conditions and targets in the save format of iptables. */
import {
  destination,
  port,
  portPair,
  separatePorts,
  sourceNetwork,
  sourcePortPair,
  sourceRange,
} from "./ingredients.ts";
import type { Dice } from "./random.ts";
import { CONTAINER_ADDRESSES, type Family } from "./topology.ts";

export type Table = "raw" | "mangle" | "nat" | "filter";

/** Where a rule stands. */
export interface Site {
  readonly family: Family;
  readonly table: Table;
  /** Built-in chain that leads here; decides which interfaces may be asked for. */
  readonly hook: "PREROUTING" | "INPUT" | "FORWARD" | "POSTROUTING";
}

const not = (dice: Dice, probability = 0.15): string => (dice.chance(probability) ? "! " : "");

/** "No interface at all" is left out: the save programs print `! -i +` as nothing, so nobody can read it. */
function interfaces(dice: Dice, site: Site): string {
  const incoming = ["eth0", "eth1", "eth+", "e+", "eth0+", "docker0", "lo", "+", "et"];
  const outgoing = ["docker0", "docker+", "eth0", "d+"];
  const canOut = site.hook === "FORWARD" || site.hook === "POSTROUTING";
  if (site.hook === "POSTROUTING" || (canOut && dice.chance(0.5)))
    return `${not(dice)}-o ${dice.pick(outgoing)}`;
  const name = dice.pick(incoming);
  return `${name === "+" ? "" : not(dice)}-i ${name}`;
}

function ports(dice: Dice, protocol: "tcp" | "udp"): string {
  const module = dice.chance(0.5) ? `-m ${protocol} ` : "";
  const span = (pair: readonly [number, number]): string => `${pair[0]}:${pair[1]}`;
  return dice.weighted([
    [6, () => `${module}${not(dice)}--dport ${port(dice)}`],
    [2, () => `${module}${not(dice)}--dport ${span(portPair(dice))}`],
    [1, () => `${module}--dport ${port(dice)}:`],
    [1, () => `${module}--dport :${port(dice)}`],
    [1, () => `${module}${not(dice)}--sport ${span(sourcePortPair(dice))}`],
    [1, () => `${module}--sport ${span(sourcePortPair(dice))} --dport ${span(portPair(dice))}`],
    [2, () => multiport(dice)],
  ]);
}

function multiport(dice: Dice): string {
  const list = separatePorts(dice, dice.whole(1, 5), ":").join(",");
  const side = dice.pick(["--dports", "--dports", "--dports", "--ports", "--sports"]);
  const chosen = side === "--sports" ? `${sourcePortPair(dice).join(":")},443` : list;
  return `-m multiport ${not(dice)}${side} ${chosen}`;
}

function protocols(dice: Dice): string {
  return dice.weighted([
    [
      8,
      () => {
        const protocol = dice.pick(["tcp", "udp"] as const);
        return `-p ${protocol} ${ports(dice, protocol)}`;
      },
    ],
    [2, () => `${not(dice, 0.3)}-p ${dice.pick(["tcp", "udp"])}`],
    [1, () => `-p tcp -m tcp ${tcpFlags(dice)}`],
    [1, () => `-p ${dice.pick(["icmp", "igmp", "sctp", "47", "6", "17"])}`],
  ]);
}

function tcpFlags(dice: Dice): string {
  return dice.pick([
    "--syn",
    "! --syn",
    "--tcp-flags SYN,ACK SYN",
    "--tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE",
    "! --tcp-flags FIN,SYN,RST,ACK SYN",
    "--tcp-flags SYN,RST SYN,RST",
  ]);
}

function connection(dice: Dice, site: Site): string {
  const states = dice.some(
    ["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"],
    dice.whole(1, 3),
  );
  return dice.weighted([
    [6, () => `-m conntrack ${not(dice)}--ctstate ${states.join(",")}`],
    [
      2,
      () => `-m state ${not(dice)}--state ${states.filter((s) => s !== "UNTRACKED")[0] ?? "NEW"}`,
    ],
    [
      1,
      () => `-m conntrack ${not(dice)}--ctstate ${dice.pick(["DNAT", "SNAT", "DNAT,ESTABLISHED"])}`,
    ],
    [1, () => `-m conntrack --ctorigdst ${destination(dice, site.family)}`],
    [1, () => `-p tcp -m conntrack ${not(dice)}--ctorigdstport ${port(dice)}`],
    [1, () => `-m conntrack --ctdir ${dice.pick(["ORIGINAL", "REPLY"])}`],
  ]);
}

const MARKS = ["0x1", "0x2/0x2", "0x10/0xf0", "0x0", "0x1/0xff", "0x0/0x3"] as const;

/** Zero to three conditions. */
export function conditions(dice: Dice, site: Site): string {
  const kinds: (readonly [number, () => string])[] = [
    [8, () => source(dice, site.family)],
    [2, () => `${not(dice)}-d ${destination(dice, site.family)}`],
    [2, () => `-m iprange ${not(dice)}--src-range ${sourceRange(dice, site.family)}`],
    [4, () => interfaces(dice, site)],
    [9, () => protocols(dice)],
    [1, () => addressType(dice, site)],
    [1, () => `-m mark ${not(dice)}--mark ${dice.pick(MARKS)}`],
  ];
  if (site.table !== "raw") kinds.push([2, () => connection(dice, site)]);
  const parts: string[] = [];
  const count = dice.weighted<number>([
    [1, () => 0],
    [4, () => 1],
    [6, () => 2],
    [2, () => 3],
  ]);
  while (parts.length < count) {
    const part = dice.weighted(kinds);
    if (!parts.some((other) => clashes(other, part))) parts.push(part);
  }
  // The protocol must stand before matches that need it.
  parts.sort((a, b) => Number(b.includes("-p ")) - Number(a.includes("-p ")));
  if (dice.chance(0.15)) parts.push(`-m comment --comment ${comment(dice)}`);
  return parts.join(" ");
}

/** iptables-nft refuses "not anywhere". */
function source(dice: Dice, family: Family): string {
  const network = sourceNetwork(dice, family);
  return `${network.endsWith("/0") ? "" : not(dice)}-s ${network}`;
}

/** There is no broadcast in IPv6; and two types must both hold there, while one is enough in IPv4. */
function addressType(dice: Dice, { family }: Site): string {
  const types = ["LOCAL", "UNICAST", family === "ipv4" ? "BROADCAST" : "MULTICAST"];
  const chosen = dice.some(types, dice.chance(0.2) ? 2 : 1).join(",");
  const side = dice.chance(0.8) ? "--dst-type" : "--src-type";
  return `-m addrtype ${not(dice)}${side} ${chosen}`;
}

/** Options that may be given once. */
function clashes(left: string, right: string): boolean {
  return [
    "-s ",
    "-d ",
    "-p ",
    "-i ",
    "-o ",
    "-m iprange",
    "-m conntrack",
    "-m mark",
    "-m addrtype",
    "state",
  ].some((option) => left.includes(option) && right.includes(option));
}

function comment(dice: Dice): string {
  return dice.pick([
    "plain",
    '"two words"',
    '"a \\"quoted\\" -j DROP"',
    '"-A INPUT -j ACCEPT"',
    '"*filter"',
    '"it\'s # 5; [x]"',
  ]);
}

/** Ends a rule without a jump. */
export function target(dice: Dice, site: Site): string {
  const verdicts: (readonly [number, () => string])[] = [
    [5, () => "-j ACCEPT"],
    [4, () => "-j DROP"],
    [1, () => "-j RETURN"],
    [1, () => ""],
    [0.6, () => `-j LOG --log-prefix ${dice.pick(['"seen: "', "x"])} --log-level 4`],
  ];
  if (site.table === "filter") verdicts.push([1.5, () => reject(dice, site.family)]);
  if (site.table === "mangle") verdicts.push([7, () => setMark(dice)]);
  if (site.table === "raw") verdicts.push([3, () => dice.pick(["-j NOTRACK", "-j CT --notrack"])]);
  if (site.table !== "nat") return dice.weighted(verdicts);
  if (site.hook === "POSTROUTING")
    return dice.pick(["-j MASQUERADE", "-j RETURN", "-j ACCEPT", ""]);
  return dice.weighted([
    [1, () => "-j ACCEPT"],
    [1, () => "-j RETURN"],
    [1, () => ""],
  ]);
}

function reject(dice: Dice, family: Family): string {
  const kinds =
    family === "ipv4"
      ? ["icmp-port-unreachable", "icmp-host-prohibited", "icmp-admin-prohibited"]
      : ["icmp6-port-unreachable", "icmp6-adm-prohibited"];
  return dice.chance(0.4) ? "-j REJECT" : `-j REJECT --reject-with ${dice.pick(kinds)}`;
}

function setMark(dice: Dice): string {
  return dice.pick([
    "-j MARK --set-mark 0x1",
    "-j MARK --set-xmark 0x10/0xff",
    "-j MARK --or-mark 0x2",
    "-j MARK --and-mark 0xfe",
    "-j MARK --xor-mark 0x1",
    "-j MARK --set-mark 0x2/0x3",
  ]);
}

/** DNAT to the container, or REDIRECT to another port; with what it needs to be valid. */
export function destinationNat(dice: Dice, family: Family): string {
  const protocol = dice.pick(["tcp", "udp"] as const);
  const container = CONTAINER_ADDRESSES[family];
  const written = family === "ipv4" ? container : `[${container}]`;
  return dice.weighted([
    [
      4,
      () =>
        `-p ${protocol} ${ports(dice, protocol)} -j DNAT --to-destination ${written}:${port(dice)}`,
    ],
    [1, () => `-p ${protocol} ${ports(dice, protocol)} -j DNAT --to-destination ${container}`],
    [3, () => `-p ${protocol} ${ports(dice, protocol)} -j REDIRECT --to-ports ${port(dice)}`],
    [
      1,
      () => `-s ${sourceNetwork(dice, family)} -p ${protocol} -j REDIRECT --to-ports ${port(dice)}`,
    ],
  ]);
}
