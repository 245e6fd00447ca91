/** Random conditions and statements in the language of nft. */
import {
  destination,
  port,
  portPair,
  separatePorts,
  separateSources,
  sourceNetwork,
  sourcePortPair,
  sourceRange,
} from "./ingredients.ts";
import type { Dice } from "./random.ts";
import type { Family } from "./topology.ts";

/** Names of sets and maps that a table declares. */
export interface Declared {
  readonly addressSets: readonly { readonly name: string; readonly family: Family }[];
  readonly portSets: readonly string[];
  /** Verdict maps keyed by port. */
  readonly portMaps: readonly string[];
  /** Sets of address and port. */
  readonly pairSets: readonly { readonly name: string; readonly family: Family }[];
}

/** Where a rule stands. */
export interface NftSite {
  /** Families that packets of this table may have. */
  readonly families: readonly Family[];
  readonly hook: "prerouting" | "input" | "forward";
  /** Before -200 connection tracking has not seen the packet. */
  readonly isBeforeConntrack: boolean;
  readonly declared: Declared;
}

const not = (dice: Dice, probability = 0.2): string => (dice.chance(probability) ? "!= " : "");
const address = (family: Family): string => (family === "ipv4" ? "ip" : "ip6");
const set = (entries: readonly string[]): string => `{ ${entries.join(", ")} }`;

function sources(dice: Dice, site: NftSite): string {
  const family = dice.pick(site.families);
  const named = site.declared.addressSets.filter((one) => one.family === family);
  const choices: (readonly [number, () => string])[] = [
    [3, () => masked(sourceNetwork(dice, family), dice)],
    [1, () => sourceRange(dice, family)],
    [3, () => set(separateSources(dice, family, dice.whole(1, 4)))],
  ];
  if (named.length > 0) choices.push([4, () => `@${dice.pick(named).name}`]);
  return `${address(family)} saddr ${not(dice)}${dice.weighted(choices)}`;
}

/** nft writes a whole network as such; one address needs no length. */
function masked(network: string, dice: Dice): string {
  return dice.chance(0.3) ? (network.split("/")[0] ?? network) : network;
}

function destinations(dice: Dice, site: NftSite): string {
  const family = dice.pick(site.families);
  return `${address(family)} daddr ${not(dice)}${destination(dice, family)}`;
}

function interfaces(dice: Dice, site: NftSite): string {
  if (site.hook === "forward" && dice.chance(0.5))
    return `oifname ${not(dice)}${dice.pick(['"docker0"', '"eth0"', '"dock*"'])}`;
  return dice.weighted([
    [4, () => `iifname ${not(dice)}${dice.pick(['"eth0"', '"eth1"', '"eth*"', '"lo"', '"e*"'])}`],
    [2, () => `iif ${not(dice)}${dice.pick(['"eth0"', '"eth1"', '"lo"'])}`],
    [2, () => `iifname ${not(dice)}{ ${dice.pick(['"eth0", "lo"', '"eth1", "docker0"'])} }`],
  ]);
}

function ports(dice: Dice, site: NftSite): string {
  const choices: (readonly [number, () => string])[] = [
    [4, () => `${not(dice)}${port(dice)}`],
    [2, () => `${not(dice)}${portPair(dice).join("-")}`],
    [4, () => `${not(dice)}${set(separatePorts(dice, dice.whole(1, 5), "-"))}`],
    [1, () => dice.pick(["< 1024", ">= 5000", "> 443", "<= 123"])],
  ];
  if (site.declared.portSets.length > 0)
    choices.push([3, () => `${not(dice)}@${dice.pick(site.declared.portSets)}`]);
  const protocol = dice.weighted([
    [5, () => "tcp"],
    [4, () => "udp"],
    [1, () => "meta l4proto { tcp, udp } th"],
  ]);
  if (dice.chance(0.07)) return `${protocol} sport ${not(dice)}${sourcePortPair(dice).join("-")}`;
  return `${protocol} dport ${dice.weighted(choices)}`;
}

function protocols(dice: Dice, site: NftSite): string {
  const choices = [
    `meta l4proto ${not(dice)}${dice.pick(["tcp", "udp", "icmp", "6", "{ tcp, udp }"])}`,
    ...site.families.map((family) =>
      family === "ipv4"
        ? `ip protocol ${not(dice)}${dice.pick(["tcp", "udp"])}`
        : `ip6 nexthdr ${not(dice)}${dice.pick(["tcp", "udp"])}`,
    ),
  ];
  if (site.families.length > 1) choices.push(`meta nfproto ${dice.pick(["ipv4", "ipv6"])}`);
  return dice.pick(choices);
}

function connection(dice: Dice, site: NftSite): string {
  const states = dice.some(
    ["established", "related", "new", "invalid", "untracked"],
    dice.whole(1, 3),
  );
  return dice.weighted([
    [5, () => `ct state ${not(dice)}${dice.chance(0.5) ? set(states) : states.join(",")}`],
    [1, () => `ct status ${dice.pick(["dnat", "snat"])}`],
    [1, () => `ct direction ${dice.pick(["original", "reply"])}`],
    [
      1,
      () => {
        const family = dice.pick(site.families);
        return `ct original ${address(family)} daddr ${destination(dice, family)}`;
      },
    ],
  ]);
}

function pair(dice: Dice, site: NftSite): string {
  const family = dice.pick(site.families);
  const named = site.declared.pairSets.filter((one) => one.family === family);
  const key = `${address(family)} saddr . ${dice.pick(["tcp", "udp"])} dport`;
  if (named.length > 0 && dice.chance(0.5)) return `${key} ${not(dice)}@${dice.pick(named).name}`;
  if (dice.chance(0.3))
    return `iifname . tcp dport { "eth0" . ${port(dice)}, "eth1" . ${port(dice)} }`;
  return `${key} ${not(dice)}${set(pairs(dice, family))}`;
}

/** Elements of a set of source address and port, with networks and ranges in it. */
export function pairs(dice: Dice, family: Family): readonly string[] {
  const entries = separateSources(dice, family, dice.whole(1, 4)).map(
    (source) => `${source} . ${dice.chance(0.5) ? port(dice) : portPair(dice).join("-")}`,
  );
  return entries;
}

/** Zero to three conditions. */
export function nftConditions(dice: Dice, site: NftSite): string {
  const kinds: (readonly [number, () => string])[] = [
    [7, () => sources(dice, site)],
    [2, () => destinations(dice, site)],
    [4, () => interfaces(dice, site)],
    [8, () => ports(dice, site)],
    [2, () => protocols(dice, site)],
    [2, () => pair(dice, site)],
    [1, () => `fib daddr type ${not(dice)}${dice.pick(["local", "unicast", "broadcast"])}`],
    [1, () => dice.pick(["meta mark 0x1", "meta mark != 0x0", "meta mark and 0xf0 == 0x10"])],
    [
      0.7,
      () =>
        dice.pick(["tcp flags syn", "tcp flags & (fin|syn|rst|ack) == syn", "tcp flags != syn"]),
    ],
  ];
  if (!site.isBeforeConntrack) kinds.push([3, () => connection(dice, site)]);
  const count = dice.weighted<number>([
    [1, () => 0],
    [5, () => 1],
    [6, () => 2],
    [2, () => 3],
  ]);
  const parts: string[] = [];
  for (let tries = 0; parts.length < count && tries < 8; tries += 1) {
    const part = dice.weighted(kinds);
    if (isCompatible([...parts, part])) parts.push(part);
  }
  return parts.join(" ");
}

/** nft refuses rules that name two protocols or two families, which never match. */
function isCompatible(parts: readonly string[]): boolean {
  const text = parts.join(" ");
  const families = [/\bip (saddr|daddr|protocol)|ip saddr/, /\bip6 /, /nfproto/];
  const protocols = [
    /\btcp (dport|sport|flags)/,
    /\budp (dport|sport)/,
    /l4proto/,
    /ip protocol|nexthdr/,
  ];
  const count = (patterns: readonly RegExp[]): number =>
    patterns.filter((pattern) => pattern.test(text)).length;
  return count(families) <= 1 && count(protocols) <= 1;
}

/** Ends a rule without a jump. */
export function nftStatement(dice: Dice, site: NftSite): string {
  const verdicts: (readonly [number, () => string])[] = [
    [6, () => "accept"],
    [5, () => "drop"],
    [1, () => "return"],
    [0.7, () => "counter"],
    [0.6, () => 'log prefix "seen: "'],
    [
      1,
      () =>
        dice.pick(["meta mark set 0x1", "meta mark set meta mark or 0x10", "meta mark set 0x0"]),
    ],
  ];
  if (site.hook !== "prerouting") verdicts.push([1.5, () => reject(dice, site)]);
  if (site.isBeforeConntrack) verdicts.push([2, () => "notrack"]);
  const counter = dice.chance(0.3) ? "counter " : "";
  const comment = dice.chance(0.1) ? ' comment "tcp dport 22 accept"' : "";
  const verdict = dice.weighted(verdicts);
  return verdict === "counter" ? `counter${comment}` : `${counter}${verdict}${comment}`;
}

function reject(dice: Dice, site: NftSite): string {
  const [only, other] = site.families;
  const type = other !== undefined ? "icmpx" : only === "ipv4" ? "icmp" : "icmpv6";
  return dice.chance(0.5) ? "reject" : `reject with ${type} type admin-prohibited`;
}

/** Whole rules whose JSON differs from what one would think: see each in `nft -j`. */
export function nftOddity(dice: Dice, site: NftSite): string {
  const verdict = dice.pick(["accept", "drop"]);
  const choices = [
    `tcp flags & (syn|ack) == (syn|ack) ${verdict}`,
    `tcp flags syn,ack ${verdict}`,
    `tcp flags != syn,ack ${verdict}`,
    `tcp flags { syn, ack } ${verdict}`,
    `iifname . meta l4proto . th dport { "eth0" . tcp . ${port(dice)}, "eth1" . udp . ${port(dice)} } ${verdict}`,
    "meta mark set meta mark and 0xff",
  ];
  if (!site.isBeforeConntrack)
    choices.push(
      `ct state & (new|established) == 0 ${verdict}`,
      `ct state & (established|related) != 0 ${verdict}`,
      `ct state != new,established ${verdict}`,
    );
  if (site.hook !== "prerouting") {
    choices.push(`tcp dport ${port(dice)} reject with tcp reset`, "reject with tcp reset");
    if (site.families.length > 1)
      choices.push(
        `iifname "${dice.pick(["eth0", "eth1"])}" reject with icmp type admin-prohibited`,
        `iifname "${dice.pick(["eth0", "eth1"])}" reject with icmpv6 type admin-prohibited`,
      );
  }
  return dice.pick(choices);
}

/** A verdict map in place: by port, by source, by interface, by both, by state. */
export function nftVerdictMap(dice: Dice, site: NftSite, chains: readonly string[]): string {
  const verdict = (): string =>
    chains.length > 0 && dice.chance(0.4)
      ? `${dice.pick(["jump", "jump", "goto"])} ${dice.pick(chains)}`
      : dice.pick(["accept", "drop", "accept", "drop", "return", "continue"]);
  const mapped = (keys: readonly string[]): string =>
    set(keys.map((key) => `${key} : ${verdict()}`));
  const family = dice.pick(site.families);
  const kinds: (readonly [number, () => string])[] = [
    [
      4,
      () =>
        `${dice.pick(["tcp", "udp"])} dport vmap ${mapped(separatePorts(dice, dice.whole(1, 5), "-"))}`,
    ],
    [3, () => `${address(family)} saddr vmap ${mapped(separateSources(dice, family, 3))}`],
    [1, () => `iifname vmap ${mapped(['"eth0"', '"eth1"'])}`],
    [2, () => `${address(family)} saddr . tcp dport vmap ${mapped(pairs(dice, family))}`],
    [1, () => `meta l4proto vmap ${mapped(["tcp", "udp"])}`],
  ];
  if (site.declared.portMaps.length > 0)
    kinds.push([
      4,
      () => `${dice.pick(["tcp", "udp"])} dport vmap @${dice.pick(site.declared.portMaps)}`,
    ]);
  if (!site.isBeforeConntrack)
    kinds.push([2, () => `ct state vmap ${mapped(["established", "related", "invalid", "new"])}`]);
  return dice.weighted(kinds);
}

/** Rules that nobody can foresee, and the name of what makes them so. */
export function undecidableNft(dice: Dice): readonly [name: string, rule: string] {
  const [name, match] = dice.pick([
    ["limit", "limit rate 1/hour burst 2 packets"],
    ["limit", "limit rate over 1/hour"],
    ["numgen", "numgen random mod 2 0"],
    ["ether", "ether saddr 02:00:00:00:02:01"],
    ["ttl", "ip ttl < 65"],
    ["length", "meta length 60"],
    ["time", 'meta hour "00:00"-"12:00"'],
    ["pkttype", "meta pkttype unicast"],
  ] as const);
  return [name, `${match} ${dice.pick(["accept", "drop"])}`];
}
