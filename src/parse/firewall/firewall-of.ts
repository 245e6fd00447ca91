import type { Firewall, FirewallRule, FirewallTable } from "../../contract/firewall.ts";
import type { FirewallReading, FirewallText } from "../../contract/firewall-source.ts";
import type { Problem } from "../../contract/result.ts";
import type { IptablesProblem } from "../iptables-save/model.ts";
import { parseIptablesSave } from "../iptables-save/parse-iptables-save.ts";
import { parseNftJson } from "../nft-json/parse-nft-json.ts";
import { plainText } from "../plain-text.ts";
import { firewallFromIptables } from "./from-iptables.ts";
import { firewallFromNft } from "./from-nft.ts";

/** A rule set in the common model, with what could not be read of it. */
export interface FirewallView {
  readonly firewall: Firewall;
  readonly problems: readonly Problem[];
}

const MOST_RULES = 200_000;
/** What iptables-nft-save leaves out because nft alone can show it, and what it says beside. */
const NOT_MISSING: ReadonlySet<IptablesProblem["kind"]> = new Set([
  "incompatible-table",
  "legacy-tables-present",
]);

/**
 * The texts of all tools as one firewall. Tables of iptables-nft are taken from nft, which shows every
 * rule exactly, but for rules with matches that iptables alone can spell out. Parsing never throws; what
 * is not understood is a problem.
 */
export function firewallOf(reading: FirewallReading): FirewallView {
  const problems: Problem[] = [...reading.problems];
  const saved: FirewallTable[] = [];
  const tables: FirewallTable[] = [];
  let isComplete = reading.unknown.length === 0;
  for (const text of [...reading.texts].sort(nftablesLast)) {
    const { backend } = text;
    const part = backend === "nftables" ? nftables(text, saved) : iptables(text, backend);
    problems.push(...part.problems);
    isComplete &&= part.firewall.isComplete && !text.isCut;
    (backend === "iptables-nft" ? saved : tables).push(...part.firewall.tables);
  }
  const alone = saved.filter((table) => !tables.some((other) => isSamePlace(table, other)));
  const all = [...tables, ...alone].map((table) => withDormancy(table, reading));
  return { firewall: { tables: all, isComplete }, problems };
}

function withDormancy(table: FirewallTable, { dormant = [] }: FirewallReading): FirewallTable {
  const isListed = dormant.some(
    ({ family, name }) => family === table.family && name === table.name,
  );
  return isListed && table.backend !== "iptables-legacy" ? { ...table, isDormant: true } : table;
}

function nftablesLast(left: FirewallText, right: FirewallText): number {
  return Number(left.backend === "nftables") - Number(right.backend === "nftables");
}

/** The same table as nft and as iptables-nft show it; iptables-legacy has tables of the same names. */
function isSamePlace(saved: FirewallTable, other: FirewallTable): boolean {
  const isLegacy = other.backend === "iptables-legacy";
  return !isLegacy && other.family === saved.family && other.name === saved.name;
}

function iptables(
  { text, family }: FirewallText,
  backend: "iptables-legacy" | "iptables-nft",
): FirewallView {
  const save = parseIptablesSave(text, { maxRules: MOST_RULES });
  const faults = save.problems.filter((problem) => !NOT_MISSING.has(problem.kind));
  const source = { backend, family: family === "ip6" ? "ipv6" : "ipv4" } as const;
  // Only what it says is missing may be missing: nft shows the tables that this tool cannot.
  const isComplete = save.isComplete || faults.length === 0;
  return {
    firewall: { ...firewallFromIptables({ ...save, isComplete }, source) },
    problems: faults.slice(0, 3).map(({ line, kind, detail }) => ({
      code: kind === "too-large" || kind === "too-many-rules" ? "too-large" : "malformed",
      subject: `${backend} ${family}`,
      detail: `line ${line}: ${kind}: ${plainText(detail, 120)}; ${faults.length} such in all`,
    })),
  };
}

function nftables({ text }: FirewallText, saved: readonly FirewallTable[]): FirewallView {
  const parsed = parseNftJson(text);
  const known = rulesByChain(saved);
  return {
    firewall: firewallFromNft(parsed, (rule, position, count) => {
      const rules = known.get(chainKey(rule.family, rule.table, rule.chain)) ?? [];
      // Between the two readings the chain may have changed: then the places mean nothing.
      return rules.length === count ? rules[position] : undefined;
    }),
    problems: parsed.problems.slice(0, 3).map(({ code, detail }) => ({
      code,
      subject: "nftables",
      detail,
    })),
  };
}

function rulesByChain(
  tables: readonly FirewallTable[],
): ReadonlyMap<string, readonly FirewallRule[]> {
  return new Map(
    tables.flatMap(({ family, name, chains }) =>
      chains.map((chain) => [chainKey(family, name, chain.name), chain.rules] as const),
    ),
  );
}

function chainKey(family: string, table: string, chain: string): string {
  return `${family} ${table} ${chain}`;
}
