/** Random native nft rule sets. */

import {
  type Declared,
  type NftSite,
  nftConditions,
  nftOddity,
  nftStatement,
  nftVerdictMap,
  pairs,
  undecidableNft,
} from "./generate-nft-rule.ts";
import { port, separatePorts, separateSources, sourceNetwork } from "./ingredients.ts";
import type { Dice } from "./random.ts";
import { CONTAINER_ADDRESSES, type Family } from "./topology.ts";

export interface NftText {
  readonly text: string;
  readonly undecidable: readonly string[];
}

type TableFamily = "ip" | "ip6" | "inet";

const FAMILIES: Readonly<Record<TableFamily, readonly Family[]>> = {
  ip: ["ipv4"],
  ip6: ["ipv6"],
  inet: ["ipv4", "ipv6"],
};

/** Priorities of base chains; each used once, because nobody can tell the order of equal ones. */
class Priorities {
  readonly #taken = new Set<string>();

  take(dice: Dice, hook: string, choices: readonly number[]): number {
    const free = choices.filter((priority) => !this.#taken.has(`${hook} ${priority}`));
    const priority = dice.pick(free.length > 0 ? free : choices.map((choice) => choice + 7));
    this.#taken.add(`${hook} ${priority}`);
    return priority;
  }
}

/** What this version of nft writes into its JSON; what it leaves out, nobody can read there. */
export interface ShownByNft {
  /** Flags of tables: `dormant`. Not before nft 1.1.0. */
  readonly tableFlags: boolean;
  /** Devices of ingress chains. Left out by nft 1.0.6. */
  readonly devices: boolean;
}

export interface NftWishes {
  readonly shown: ShownByNft;
  readonly withNat: boolean;
  readonly withUndecidable: boolean;
}

export function nftText(dice: Dice, wishes: NftWishes): NftText {
  const priorities = new Priorities();
  const families: readonly TableFamily[] = dice.weighted<readonly TableFamily[]>([
    [5, () => ["inet"]],
    [2, () => ["ip", "ip6"]],
    [1, () => ["inet", "inet"]],
    [1, () => ["inet", "ip"]],
    [1, () => ["ip"]],
  ]);
  const undecidable = wishes.withUndecidable ? [undecidableNft(dice)] : [];
  const tables = families.map((family, at) =>
    table(dice, family, `t${at}`, priorities, at === 0 ? undecidable.map(([, rule]) => rule) : []),
  );
  if (wishes.withNat) tables.push(natTable(dice, "ip"), natTable(dice, "ip6"));
  const [isAsleep, isEarly] = [dice.chance(0.1), dice.chance(0.1)];
  if (isAsleep && wishes.shown.tableFlags) tables.push(dormantTable());
  if (isEarly && wishes.shown.devices) tables.push(ingressTable(dice));
  return { text: tables.join("\n"), undecidable: undecidable.map(([name]) => name) };
}

const block = (head: string, lines: readonly string[]): string =>
  [`${head} {`, ...lines.map((line) => `  ${line}`), "}"].join("\n");

function table(
  dice: Dice,
  family: TableFamily,
  name: string,
  priorities: Priorities,
  extra: readonly string[],
): string {
  const families = FAMILIES[family];
  const levels = dice.whole(0, 4);
  const chains = Array.from({ length: levels }, (_, level) =>
    Array.from({ length: dice.whole(1, 2) }, (_, at) => `level${level + 1}${"ab"[at]}`),
  );
  const { declared, text } = declarations(dice, families, chains.at(-1) ?? []);
  const site = (hook: NftSite["hook"], isBeforeConntrack = false): NftSite => ({
    families,
    hook,
    isBeforeConntrack,
    declared,
  });
  const user = chains.flatMap((names, level) =>
    names.map((chain) =>
      // Reached from any hook: what only some hooks allow is left out.
      block(
        `chain ${chain}`,
        rules(dice, innerSite(site("prerouting"), level + 1 === levels), chains[level + 1] ?? []),
      ),
    ),
  );
  const first = chains[0] ?? [];
  const bases = [
    baseChain(
      dice,
      "input",
      [-10, 0, 10, 20],
      priorities,
      mixIn(dice, rules(dice, site("input"), first), extra),
    ),
  ];
  if (dice.chance(0.25))
    bases.push(
      baseChain(dice, "input", [-5, 5, 15], priorities, rules(dice, site("input"), first)),
    );
  if (dice.chance(0.3))
    bases.push(
      baseChain(dice, "forward", [-1, 0, 1], priorities, rules(dice, site("forward"), first)),
    );
  if (dice.chance(0.25)) {
    const inner = rules(dice, site("prerouting"), first);
    bases.push(baseChain(dice, "prerouting", [-150, -140, -90], priorities, inner));
  }
  if (dice.chance(0.15)) {
    const inner = rules(dice, site("prerouting", true), []);
    bases.push(baseChain(dice, "prerouting", [-300, -310], priorities, inner));
  }
  return block(`table ${family} ${name}`, [...text, ...reversed(user), ...bases]);
}

/** The named verdict map leads to the deepest chains, which must not lead to themselves. */
function innerSite(site: NftSite, isDeepest: boolean): NftSite {
  return isDeepest ? { ...site, declared: { ...site.declared, portMaps: [] } } : site;
}

/** Chains that are jumped to are written before those that jump. */
function reversed(chains: readonly string[]): readonly string[] {
  return [...chains].reverse();
}

function baseChain(
  dice: Dice,
  hook: NftSite["hook"],
  choices: readonly number[],
  priorities: Priorities,
  inner: readonly string[],
): string {
  const priority = priorities.take(dice, hook, choices);
  const isStrict =
    hook === "input" ? dice.chance(0.5) : dice.chance(hook === "forward" ? 0.3 : 0.05);
  const policy = isStrict ? "drop" : "accept";
  return block(`chain ${hook}${Math.abs(priority)}${priority < 0 ? "early" : ""}`, [
    `type filter hook ${hook} priority ${priority}; policy ${policy};`,
    ...(hook === "input" && dice.chance(0.5)
      ? ['iifname "lo" accept', "ct state established,related accept"]
      : []),
    ...inner,
  ]);
}

interface Declarations {
  readonly declared: Declared;
  readonly text: readonly string[];
}

function declarations(
  dice: Dice,
  families: readonly Family[],
  chains: readonly string[],
): Declarations {
  const text: string[] = [];
  const addressSets = [];
  const pairSets = [];
  for (const family of families) {
    const short = family === "ipv4" ? "v4" : "v6";
    const type = family === "ipv4" ? "ipv4_addr" : "ipv6_addr";
    if (dice.chance(0.5)) {
      addressSets.push({ name: `known${short}`, family });
      const elements = separateSources(dice, family, dice.whole(0, 4));
      text.push(declaration(`set known${short}`, type, elements));
    }
    if (dice.chance(0.3)) {
      pairSets.push({ name: `pair${short}`, family });
      text.push(declaration(`set pair${short}`, `${type} . inet_service`, pairs(dice, family)));
    }
  }
  const portSets = dice.chance(0.4) ? ["ports"] : [];
  if (portSets.length > 0)
    text.push(declaration("set ports", "inet_service", separatePorts(dice, dice.whole(1, 5), "-")));
  const portMaps = dice.chance(0.3) ? ["verdicts"] : [];
  const verdicts = ["accept", "drop", "return", ...chains.map((chain) => `jump ${chain}`)];
  if (portMaps.length > 0) {
    const elements = separatePorts(dice, dice.whole(1, 4), "-").map(
      (key) => `${key} : ${dice.pick(verdicts)}`,
    );
    text.push(declaration("map verdicts", "inet_service : verdict", elements));
  }
  return { declared: { addressSets, portSets, portMaps, pairSets }, text };
}

function declaration(head: string, type: string, elements: readonly string[]): string {
  const filled = elements.length > 0 ? [`elements = { ${elements.join(", ")} }`] : [];
  return block(head, [`type ${type}; flags interval;`, ...filled]);
}

function rules(dice: Dice, site: NftSite, deeper: readonly string[]): readonly string[] {
  return Array.from({ length: dice.whole(1, 6) }, () => {
    if (dice.chance(0.25)) {
      const prefix = dice.chance(0.3) ? `iifname "${dice.pick(["eth0", "eth1"])}" ` : "";
      return `${prefix}${nftVerdictMap(dice, site, deeper)}`;
    }
    if (dice.chance(0.06)) return nftOddity(dice, site);
    if (deeper.length > 0 && dice.chance(0.35))
      return `${nftConditions(dice, site)} ${dice.chance(0.25) ? "goto" : "jump"} ${dice.pick(deeper)}`;
    return `${nftConditions(dice, site)} ${nftStatement(dice, site)}`.trim();
  });
}

function mixIn(dice: Dice, inner: readonly string[], extra: readonly string[]): readonly string[] {
  const mixed = [...inner];
  for (const one of extra) mixed.splice(dice.whole(0, mixed.length), 0, one);
  return mixed;
}

/** Published and redirected ports. */
function natTable(dice: Dice, family: "ip" | "ip6"): string {
  const ipFamily = family === "ip" ? "ipv4" : "ipv6";
  const container = CONTAINER_ADDRESSES[ipFamily];
  const written = family === "ip" ? container : `[${container}]`;
  const lines = Array.from({ length: dice.whole(1, 4) }, () => {
    const protocol = dice.pick(["tcp", "udp"]);
    const source = dice.chance(0.3) ? `${family} saddr ${sourceNetwork(dice, ipFamily)} ` : "";
    const match = `${source}${protocol} dport ${port(dice)}`;
    return dice.weighted([
      [3, () => `${match} dnat to ${written}:${port(dice)}`],
      [1, () => `${match} dnat to ${container}`],
      [3, () => `${match} redirect to :${port(dice)}`],
      [1, () => `${match} accept`],
    ]);
  });
  const masquerade = dice.chance(0.5)
    ? [
        block("chain leaving", [
          "type nat hook postrouting priority 100; policy accept;",
          'oifname "docker0" masquerade',
        ]),
      ]
    : [];
  return block(`table ${family} nat${family}`, [
    block("chain arriving", ["type nat hook prerouting priority -100; policy accept;", ...lines]),
    ...masquerade,
  ]);
}

/** Kept by the kernel and not called: without `dormant` it would drop everything. */
function dormantTable(): string {
  return block("table inet asleep", [
    "flags dormant;",
    block("chain input", ["type filter hook input priority 50; policy drop;"]),
  ]);
}

function ingressTable(dice: Dice): string {
  const device = dice.pick(["eth0", "eth1"]);
  const lines = Array.from({ length: dice.whole(1, 2) }, () =>
    dice.pick([
      `ip saddr ${sourceNetwork(dice, "ipv4")} drop`,
      `ip6 saddr ${sourceNetwork(dice, "ipv6")} drop`,
      `tcp dport ${port(dice)} drop`,
      `udp dport { ${separatePorts(dice, 3, "-").join(", ")} } drop`,
    ]),
  );
  return block("table netdev first", [
    block("chain ingress", [
      `type filter hook ingress device "${device}" priority -500; policy accept;`,
      ...lines,
    ]),
  ]);
}
