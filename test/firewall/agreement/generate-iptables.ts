/** Random tables in the save format of iptables and ip6tables. */
import {
  conditions,
  destinationNat,
  type Site,
  type Table,
  target,
} from "./generate-iptables-rule.ts";
import { dockerTables, ufwTables } from "./generate-layouts.ts";
import { port, sourceNetwork } from "./ingredients.ts";
import type { Dice } from "./random.ts";
import type { Family } from "./topology.ts";

type Hook = Site["hook"];

const HOOKS: Readonly<Record<Table, readonly Hook[]>> = {
  raw: ["PREROUTING"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "POSTROUTING"],
  nat: ["PREROUTING", "POSTROUTING"],
  filter: ["INPUT", "FORWARD"],
};

/** Rules that nobody can foresee, and the name of what makes them so. */
const UNDECIDABLE: readonly (readonly [name: string, rule: string])[] = [
  ["limit", "-m limit --limit 1/hour --limit-burst 2"],
  ["hashlimit", "-m hashlimit --hashlimit-name h --hashlimit-above 5/hour --hashlimit-mode srcip"],
  ["recent", "-m recent --name seen --update --seconds 60 --hitcount 2"],
  ["recent", "-m recent --name seen --set"],
  ["time", "-m time --timestart 00:00 --timestop 12:00"],
  ["string", "-m string --algo bm --string probe"],
  ["statistic", "-m statistic --mode random --probability 0.5"],
  ["connlimit", "-m connlimit --connlimit-above 1"],
  ["mac", "-m mac --mac-source 02:00:00:00:02:01"],
  ["ttl", "-m ttl --ttl-lt 65"],
  ["length", "-m length --length 60"],
  ["u32", "-m u32 --u32 6&0xFF=6"],
  ["pkttype", "-m pkttype --pkt-type unicast"],
];

/** Name of the ipset that a rule with the match `set` asks; `generate.ts` fills it. */
export const IPSET_NAME = "known";

export interface SaveText {
  readonly text: string;
  readonly undecidable: readonly string[];
}

export interface Wishes {
  readonly family: Family;
  readonly withNat: boolean;
  readonly withUndecidable: boolean;
  readonly withIpset: boolean;
}

export function iptablesText(dice: Dice, wishes: Wishes): SaveText {
  const undecidable = wishes.withUndecidable ? undecidableRules(dice, wishes) : [];
  const extra = undecidable.map(([, rule]) => rule);
  const text = dice.weighted([
    [6, () => randomTables(dice, wishes, extra)],
    [wishes.withNat ? 1.5 : 0, () => dockerTables(dice, wishes.family, extra)],
    [1.5, () => ufwTables(dice, wishes.family, extra)],
  ]);
  return { text, undecidable: undecidable.map(([name]) => name) };
}

function undecidableRules(dice: Dice, wishes: Wishes): readonly (readonly [string, string])[] {
  const usable = UNDECIDABLE.filter(([name]) => wishes.family === "ipv4" || !/ttl|u32/.test(name));
  const matches = [...dice.some(usable, dice.whole(1, 2))];
  if (wishes.withIpset) matches.push(["set", `-m set --match-set ${IPSET_NAME} src`]);
  return matches.map(([name, match]) => [
    name,
    `-A INPUT ${match} -j ${name === "recent" && match.includes("--set") ? "ACCEPT" : dice.pick(["ACCEPT", "DROP"])}`,
  ]);
}

function randomTables(dice: Dice, wishes: Wishes, extra: readonly string[]): string {
  const { family } = wishes;
  const tables = [];
  if (dice.chance(0.25)) tables.push(randomTable(dice, family, "raw", []));
  if (dice.chance(0.35)) tables.push(randomTable(dice, family, "mangle", []));
  if (wishes.withNat) tables.push(randomTable(dice, family, "nat", []));
  tables.push(randomTable(dice, family, "filter", extra));
  return tables.join("");
}

function randomTable(dice: Dice, family: Family, table: Table, extra: readonly string[]): string {
  // Rules of nat must end in a mapping to matter; user chains there are few.
  const levels = table === "filter" ? dice.whole(0, 4) : dice.whole(0, 1);
  const chains = Array.from({ length: levels }, (_, level) =>
    Array.from({ length: dice.whole(1, 2) }, (_, at) => `${table}-${level + 1}${"ab"[at]}`),
  );
  const declared = HOOKS[table].map((hook) => `:${hook} ${policy(dice, table, hook)} [0:0]`);
  const userChains = chains.flat().map((name) => `:${name} - [0:0]`);
  const rules = HOOKS[table].flatMap((hook) =>
    chainRules(dice, { family, table, hook }, hook, chains, 0),
  );
  const inner = chains.flatMap((names, level) =>
    names.flatMap((name) =>
      chainRules(dice, innerSite(dice, family, table), name, chains, level + 1),
    ),
  );
  return [
    `*${table}`,
    ...declared,
    ...userChains,
    ...mixIn(dice, rules, extra),
    ...inner,
    "COMMIT\n",
  ].join("\n");
}

/** A user chain of nat may be reached from prerouting only, so that its mappings are valid. */
function innerSite(dice: Dice, family: Family, table: Table): Site {
  const hooks = table === "nat" ? (["PREROUTING"] as const) : HOOKS[table];
  const hook = dice.pick(hooks);
  // What asks for the other interface would be refused in a chain that both kinds of hook lead to.
  return { family, table, hook: hook === "POSTROUTING" ? "PREROUTING" : hook };
}

function policy(dice: Dice, table: Table, hook: Hook): string {
  if (table === "filter") return dice.chance(hook === "INPUT" ? 0.55 : 0.3) ? "DROP" : "ACCEPT";
  return table !== "nat" && dice.chance(0.05) ? "DROP" : "ACCEPT";
}

function chainRules(
  dice: Dice,
  site: Site,
  chain: string,
  chains: readonly (readonly string[])[],
  level: number,
): readonly string[] {
  const rules: string[] = [];
  if (chain === "INPUT" && site.table === "filter" && dice.chance(0.5))
    rules.push(
      "-A INPUT -i lo -j ACCEPT",
      "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    );
  const deeper = site.table === "nat" && site.hook === "POSTROUTING" ? [] : (chains[level] ?? []);
  const isDropper = site.table === "mangle" || site.table === "raw";
  const count = isDropper ? dice.whole(0, 3) : dice.whole(1, 6);
  for (let at = 0; at < count; at += 1)
    rules.push(`-A ${chain} ${rule(dice, site, deeper)}`.trim());
  return rules;
}

function rule(dice: Dice, site: Site, deeper: readonly string[]): string {
  if (site.table === "nat" && site.hook === "PREROUTING" && dice.chance(0.6))
    return destinationNat(dice, site.family);
  if (deeper.length > 0 && dice.chance(0.4)) {
    const way = dice.chance(0.25) ? "-g" : "-j";
    return `${conditions(dice, site)} ${way} ${dice.pick(deeper)}`;
  }
  if (site.table === "filter" && dice.chance(0.3))
    return `-s ${sourceNetwork(dice, site.family)} -p ${dice.pick(["tcp", "udp"])} --dport ${port(dice)} -j ACCEPT`;
  if (site.table === "filter" && dice.chance(0.03))
    return `-p tcp --dport ${port(dice)} -j REJECT --reject-with tcp-reset`;
  return `${conditions(dice, site)} ${target(dice, site)}`;
}

/** Puts rules anywhere between others. */
function mixIn(dice: Dice, rules: readonly string[], extra: readonly string[]): readonly string[] {
  const mixed = [...rules];
  for (const one of extra) mixed.splice(dice.whole(0, mixed.length), 0, one);
  return mixed;
}
