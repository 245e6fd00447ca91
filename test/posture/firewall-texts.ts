/** Rule sets as the tools print them, read by the parsers of the agent. */
import assert from "node:assert/strict";
import type { FirewallText, UnknownBackend } from "../../src/contract/firewall-source.ts";
import { firewallOf } from "../../src/parse/firewall/firewall-of.ts";
import type { FirewallFacts } from "../../src/posture/recommendations/firewall-facts.ts";

export function savedRules(
  text: string,
  backend: "iptables-nft" | "iptables-legacy" = "iptables-nft",
  family: "ip" | "ip6" = "ip",
): FirewallText {
  return { backend, family, text, isCut: false };
}

export interface NftChain {
  /** `""` for chains that only jumps reach; their name is the first word of `policy`. */
  readonly hook: string;
  readonly policy: string;
  readonly type?: string;
  readonly rules: readonly (string | readonly unknown[])[];
}

/** One inet table in the JSON of `nft -j list ruleset`. */
export function nftRules(chains: readonly NftChain[], flags?: string): FirewallText {
  const place = { family: "inet", table: "t" };
  const objects = chains.flatMap(({ hook, policy, type = "filter", rules }) => {
    const name = hook === "" ? policy : hook;
    const base = hook === "" ? {} : { type, hook, prio: 0, policy };
    return [
      { chain: { ...place, name, ...base } },
      ...rules.map((rule) => ({
        rule: { ...place, chain: name, expr: typeof rule === "string" ? statements(rule) : rule },
      })),
    ];
  });
  const table = { family: "inet", name: "t", ...(flags === undefined ? {} : { flags: [flags] }) };
  const text = JSON.stringify({ nftables: [{ table }, ...objects] });
  return { backend: "nftables", family: "all", text, isCut: false };
}

const MATCHES: Readonly<Record<string, (value: string) => unknown>> = {
  "ct state": (value) => match({ ct: { key: "state" } }, value.split(","), "in"),
  iifname: (value) => match({ meta: { key: "iifname" } }, value),
  "tcp dport": (value) => match({ payload: { protocol: "tcp", field: "dport" } }, portOf(value)),
  "ip saddr": (value) => match({ payload: { protocol: "ip", field: "saddr" } }, networkOf(value)),
};

function match(left: unknown, right: unknown, op = "=="): unknown {
  return { match: { op, left, right } };
}
function portOf(value: string): unknown {
  const [from, to] = value.split("-").map(Number);
  return to === undefined ? from : { range: [from, to] };
}
function networkOf(value: string): unknown {
  const [addr, len] = value.split("/");
  return len === undefined ? addr : { prefix: { addr, len: Number(len) } };
}

/** The few forms of rules that the tests use, from the language of nft to its JSON. */
function statements(rule: string): readonly unknown[] {
  for (const [head, make] of Object.entries(MATCHES)) {
    if (!rule.startsWith(`${head} `)) continue;
    const [value = "", ...rest] = rule.slice(head.length + 1).split(" ");
    return [make(value), ...(rest.length === 0 ? [] : statements(rest.join(" ")))];
  }
  const [verb = "", target] = rule.split(" ");
  if (target === undefined) return [{ [verb]: null }];
  assert.ok(verb === "jump" || verb === "goto", `no such rule: ${rule}`);
  return [{ [verb]: { target } }];
}

/** A backend that needs rights which the agent does not have. */
export function unreadable(): UnknownBackend {
  const problem = {
    code: "not-permitted",
    subject: "iptables-legacy-save",
    detail: "no right",
  } as const;
  return { backend: "iptables-legacy", family: "ip", problem };
}

/** What the agent knows of a firewall with these texts. */
export function facts(
  texts: readonly FirewallText[],
  unknown: readonly UnknownBackend[] = [],
): FirewallFacts {
  const { firewall, problems } = firewallOf({ texts, unknown, problems: [] });
  assert.deepEqual(problems, []);
  return { firewall, unknown };
}
