import type {
  IptablesCounters,
  IptablesField,
  IptablesMatch,
  IptablesOption,
  IptablesRule,
  IptablesTable,
  IptablesTarget,
} from "./model.ts";
import { printValue, textStyleOf } from "./option-values.ts";

/**
 * The tables as text that iptables-restore takes (`-c` for the counters) and that `parseIptablesSave`
 * reads back to equal tables. Values are quoted as the saving program quotes them; negation stands
 * before its option. Ends with a line break; empty for no tables.
 */
export function printIptablesSave(tables: readonly IptablesTable[]): string {
  const lines: string[] = [];
  for (const table of tables) {
    lines.push(`*${table.name}`);
    for (const chain of table.chains) {
      const counters = printCounters(chain.counters ?? { packets: 0n, bytes: 0n });
      lines.push(`:${chain.name} ${chain.policy ?? "-"} ${counters}`);
    }
    for (const chain of table.chains) {
      for (const rule of chain.rules) {
        const line = printIptablesRule(chain.name, rule);
        lines.push(rule.counters === undefined ? line : `${printCounters(rule.counters)} ${line}`);
      }
    }
    lines.push("COMMIT");
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** One rule as `-A CHAIN …`, without counters. One line unless a value holds a line break. */
export function printIptablesRule(chain: string, rule: IptablesRule): string {
  const parts = [`-A ${chain}`];
  addField(parts, "-s", rule.source);
  addField(parts, "-d", rule.destination);
  addField(parts, "-i", rule.inInterface);
  addField(parts, "-o", rule.outInterface);
  addField(parts, "-p", rule.protocol);
  if (rule.fragment !== undefined) parts.push(rule.fragment.isNegated ? "! -f" : "-f");
  for (const match of rule.matches) {
    const text = printIptablesMatch(match);
    if (text !== "") parts.push(text);
  }
  const target = printIptablesTarget(rule.target);
  if (target !== "") parts.push(target);
  return parts.join(" ");
}

/** One match as `-m MODULE --option value`; empty for options without a module when there are none. */
export function printIptablesMatch(match: IptablesMatch): string {
  const head = match.module === null ? [] : [`-m ${printValue(match.module, undefined)}`];
  return [...head, ...match.options.map(printOption)].join(" ");
}

/** A target as `-j NAME --option value`; empty for none. */
export function printIptablesTarget(target: IptablesTarget): string {
  if (target.kind === "none") return "";
  const head = `${target.kind === "jump" ? "-j" : "-g"} ${printValue(target.name, undefined)}`;
  return [head, ...target.options.map(printOption)].join(" ");
}

function addField(parts: string[], option: string, field: IptablesField | undefined): void {
  if (field === undefined) return;
  parts.push(`${field.isNegated ? "! " : ""}${option} ${printValue(field.value, undefined)}`);
}

function printOption(option: IptablesOption): string {
  const style = textStyleOf(option.name);
  const values = option.values.map((value) => printValue(value, style));
  const words = option.name === "" ? values : [option.name, ...values];
  return `${option.isNegated ? "! " : ""}${words.join(" ")}`;
}

function printCounters(counters: IptablesCounters): string {
  return `[${counters.packets}:${counters.bytes}]`;
}
