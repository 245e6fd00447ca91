import type { AddressFamily } from "../../../src/contract/probe.ts";

/** One text for iptables-restore or ip6tables-restore. */
export interface RuleSet {
  readonly name: string;
  readonly family: AddressFamily;
  readonly text: string;
}

export type TableName = "raw" | "mangle" | "nat" | "filter" | "security";

/** Lines of each table: `:chain` declares a user chain, everything else is a rule. */
export type TableLines = { readonly [Name in TableName]?: readonly string[] };

const CHAINS: { readonly [Name in TableName]: readonly string[] } = {
  raw: ["PREROUTING", "OUTPUT"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  filter: ["INPUT", "FORWARD", "OUTPUT"],
  security: ["INPUT", "FORWARD", "OUTPUT"],
};
const TABLES: readonly TableName[] = ["raw", "mangle", "nat", "filter", "security"];

/** What stands for addresses and names that differ between the families. */
const WORDS: Readonly<Record<AddressFamily, Readonly<Record<string, string>>>> = {
  ipv4: {
    "@host@": "192.0.2.1",
    "@last@": "192.0.2.9",
    "@net@": "198.51.100.0/24",
    "@all@": "0.0.0.0/0",
    "@icmp@": "icmp",
    "@set@": "trusted4",
    "@to@": "192.0.2.1:8080",
    "@unreachable@": "icmp-host-prohibited",
    "@any@": "0.0.0.0",
  },
  ipv6: {
    "@host@": "2001:db8::1",
    "@last@": "2001:db8::9",
    "@net@": "2001:db8:1::/48",
    "@all@": "::/0",
    "@icmp@": "ipv6-icmp",
    "@set@": "trusted6",
    "@to@": "[2001:db8::1]:8080",
    "@unreachable@": "icmp6-adm-prohibited",
    "@any@": "::",
  },
};

/** Every table with its built-in chains and no rule: what a fresh machine has. */
export const EMPTY_TEXT = restoreText(Object.fromEntries(TABLES.map((table) => [table, []])));

/** A rule set for both families, with `@words@` replaced. */
export function forBoth(name: string, tables: TableLines): readonly RuleSet[] {
  return [...forIpv4(name, tables), ...forIpv6(name, tables)];
}

export function forIpv4(name: string, tables: TableLines): readonly RuleSet[] {
  return [ruleSet(name, "ipv4", tables)];
}

export function forIpv6(name: string, tables: TableLines): readonly RuleSet[] {
  return [ruleSet(name, "ipv6", tables)];
}

function ruleSet(name: string, family: AddressFamily, tables: TableLines): RuleSet {
  const words = WORDS[family];
  const text = restoreText(tables).replace(/@[a-z]+@/g, (word) => {
    const replacement = words[word];
    if (replacement === undefined) throw new Error(`${name}: unknown word ${word}`);
    return replacement;
  });
  return { name, family, text };
}

function restoreText(tables: TableLines): string {
  const lines = TABLES.flatMap((table) => {
    const own = tables[table];
    if (own === undefined) return [];
    const [chains, rules] = [own.filter(isChain), own.filter((line) => !isChain(line))];
    const builtIn = CHAINS[table].filter(
      (name) => !chains.some((line) => line.startsWith(`:${name} `)),
    );
    return [
      `*${table}`,
      ...builtIn.map((name) => `:${name} ACCEPT [0:0]`),
      ...chains.map((line) => (line.includes(" ") ? line : `${line} - [0:0]`)),
      ...rules.map((line) => (line.startsWith("[") ? line : `-A ${line}`)),
      "COMMIT",
    ];
  });
  return `${lines.join("\n")}\n`;
}

function isChain(line: string): boolean {
  return line.startsWith(":");
}
