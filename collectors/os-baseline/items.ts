import type { Evidence, Outcome } from "../../src/baseline/outcome.ts";
import type { Rule } from "../../src/baseline/rule.ts";
import {
  countStandings,
  type RuleResult,
  type ScanReport,
  standingOf,
} from "../../src/baseline/scan.ts";
import type { WalkReport } from "../../src/baseline/walk-report.ts";
import { knownDetails, type PayloadItem } from "../../src/contract/event.ts";
import type { Probe } from "../../src/contract/probe.ts";
import type { SecretMask } from "../../src/contract/secret-mask.ts";
import { parseOsRelease } from "../../src/parse/os-release.ts";
import { plainText } from "../../src/parse/plain-text.ts";
import { LONGEST_LIST } from "./schema.ts";

/** What tells the summary from the results. */
export const SUMMARY_ID = "Gatewarden-Summary";

const MAX_ERROR = 300;
const MAX_DETAIL = 1_000;
/** Looks that are told of one check; the first ones are those of the running system. */
const MOST_LOOKS = 8;

/** `debian-12`, from os-release; `linux-0` where it does not say. Source: os-release(5), ID, VERSION_ID. */
export function systemName(probe: Probe): string {
  const own = probe.readText("/etc/os-release", 65_536);
  const text = own.ok ? own : probe.readText("/usr/lib/os-release", 65_536);
  const fields = parseOsRelease(text.ok ? text.value : "");
  const word = (name: string, fallback: string): string =>
    (fields.get(name) ?? "").replace(/[^A-Za-z0-9.]+/g, "").slice(0, 32) || fallback;
  return `${word("ID", "linux")}-${word("VERSION_ID", "0")}`;
}

/** Identifier of a check: controls by system, group and number; custom checks by their own. */
export function cceIdOf(rule: Rule, system: string): string {
  if (!/^\d/.test(rule.id)) return rule.id;
  return `CIS-${system}-${rule.group.replace(/[^A-Za-z0-9]+/g, "")}-${rule.id}`;
}

export interface ItemOptions {
  readonly system: string;
  readonly mask: SecretMask;
  /** Passes with evidence too. */
  readonly isDetailed: boolean;
}

/** The payload item of a result; undefined for what schema 1.0 has no word for. */
export function itemOf(result: RuleResult, options: ItemOptions): PayloadItem | undefined {
  const { rule, outcome, expiredWaiver } = result;
  const word = wordOf(result);
  if (word === undefined) return undefined;
  const isBad = word !== "Pass";
  const error = isBad ? errorText(outcome, options.mask) : "";
  const isTold = isBad || options.isDetailed;
  const evidence = isTold ? evidenceText(outcome.evidence, MAX_DETAIL, options.mask) : "";
  const expired = expiredWaiver && `${expiredWaiver.expires} ${expiredWaiver.reason}`;
  return {
    Description: plainText(rule.title),
    CceId: cceIdOf(rule, options.system),
    Result: word,
    Error: error,
    Severity: rule.severity,
    ...knownDetails({
      Group: plainText(rule.group),
      Level: String(rule.level),
      Evidence: evidence === error ? undefined : evidence,
      Remediation: word === "Fail" ? remediationText(rule) : undefined,
      WaiverExpired: isBad && expired ? plainText(expired) : undefined,
    }),
  };
}

/** Line by line: the lines of a file that a remedy names must stay lines. */
function remediationText({ remediation }: Rule): string {
  const lines = remediation.split("\n").map((line) => plainText(line, MAX_DETAIL));
  return lines.join("\n").slice(0, MAX_DETAIL);
}

function wordOf(result: RuleResult): "Pass" | "Fail" | "Err" | undefined {
  const standing = standingOf(result);
  if (standing === "passed") return "Pass";
  if (standing === "failed") return "Fail";
  return standing === "error" ? "Err" : undefined;
}

function errorText({ reason, evidence }: Outcome, mask: SecretMask): string {
  if (reason !== undefined) return plainText(mask.text(reason), MAX_ERROR);
  return evidenceText(evidence, MAX_ERROR, mask);
}

/** Whole looks, as many as there is room for. */
function evidenceText(looks: readonly Evidence[], maxLength: number, mask: SecretMask): string {
  const texts: string[] = [];
  let length = 0;
  for (const look of looks.slice(0, MOST_LOOKS)) {
    const text = plainText(mask.text(lookText(look)), Math.min(600, maxLength - 20));
    if (length + text.length > maxLength - 20) break;
    length += text.length + 2;
    texts.push(text);
  }
  const rest = looks.length - texts.length;
  return [...texts, ...(rest > 0 ? [`and ${rest} more`] : [])].join("; ");
}

function lookText({ source, expected, found, state }: Evidence): string {
  const now = state === undefined ? "" : ` (${state})`;
  return `${source}${now}: expected ${expected}, found ${found}`;
}

/** One item on the whole run: what schema 1.0 has no results for is counted here. */
export function summaryItem(
  report: ScanReport,
  isFull: boolean,
  walk: WalkReport | undefined,
): PayloadItem {
  const counts = countStandings(report.results);
  const idsOf = (isWanted: (result: RuleResult) => boolean): string =>
    joined(report.results.filter(isWanted).map(({ rule }) => rule.id));
  return {
    Description: "Summary of the OS baseline",
    CceId: SUMMARY_ID,
    Result: "Pass",
    Error: "",
    Severity: "Informational",
    ...knownDetails({
      Scope: isFull ? "full" : "changes",
      Passed: String(counts.passed),
      Failed: String(counts.failed),
      Errors: String(counts.error),
      NotApplicable: String(counts["not-applicable"]),
      Manual: String(counts.manual),
      Waived: String(counts.waived),
      NotJudged: String(report.skipped.length),
      WaivedChecks: idsOf((result) => standingOf(result) === "waived"),
      ExpiredWaivers: idsOf((result) => result.expiredWaiver !== undefined),
      ManualChecks: idsOf((result) => standingOf(result) === "manual"),
      WalkedAt: walk === undefined ? undefined : new Date(walk.finishedAtMs).toISOString(),
      WalkedFiles: walk === undefined ? undefined : String(walk.entries),
    }),
  };
}

function joined(ids: readonly string[]): string {
  let text = "";
  for (const [index, id] of ids.entries()) {
    if (text.length + id.length > LONGEST_LIST - 20)
      return `${text}, and ${ids.length - index} more`;
    text += `${index === 0 ? "" : ", "}${id}`;
  }
  return text;
}
