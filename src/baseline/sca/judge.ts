import type { Device } from "../device.ts";
import { because, type Evidence, evidence, type Outcome } from "../outcome.ts";
import type { CommandOutput } from "./commands/output.ts";
import { commandOutput } from "./commands/run.ts";
import { judgeFiles, judgeFolders } from "./judge-files.ts";
import { findLine, type MatchStyle, textLines } from "./matcher.ts";
import type { ScaCheck, ScaPolicy, ScaRule, ScaTerm } from "./policy.ts";
import { processNames } from "./processes.ts";
import { absent, faulty, type RuleResult, seen } from "./rule-result.ts";

/** Terms in words. */
function termsText(terms: readonly ScaTerm[] | undefined): string {
  if (terms === undefined) return "to be there";
  return terms
    .map((term) => {
      const sign = term.isNegated ? "not " : "";
      if (term.kind === "literal") return `${sign}"${term.text}"`;
      if (term.kind === "regex") return `${sign}/${term.pattern}/`;
      return `${sign}/${term.pattern}/ ${term.operator} ${term.value}`;
    })
    .join(" and ");
}

function subjectOf(rule: ScaRule): string {
  switch (rule.kind) {
    case "file":
    case "folder":
      return rule.paths.join(", ");
    case "process":
      return `process ${rule.name}`;
    case "command":
      return rule.command;
    case "unknown":
      return rule.text;
  }
}

/** A part of an output decides only what is about that part. */
function isCovered(terms: readonly ScaTerm[], words: readonly string[]): boolean {
  return terms.some((term) => {
    const text = (term.kind === "literal" ? term.text : term.pattern)
      .replaceAll("\\", "")
      .toLowerCase();
    return words.some((word) => text.includes(word.toLowerCase()));
  });
}

/** Tells what a command prints on a device. */
export type CommandTeller = (command: string, device: Device) => CommandOutput;

function judgeCommand(
  rule: Extract<ScaRule, { readonly kind: "command" }>,
  device: Device,
  style: MatchStyle,
  tell: CommandTeller,
): RuleResult {
  const output = tell(rule.command, device);
  if (output.state === "no-program") return absent(`${output.name} is not installed`);
  if (output.state === "not-known") return absent(output.reason);
  if (output.state === "unreadable") return faulty(output.reason);
  if (rule.terms === undefined) return seen(true, "it would run");
  if (output.onlyAbout !== undefined && !isCovered(rule.terms, output.onlyAbout))
    return absent(`what ${rule.command} says of this is not known here`);
  const both = `${output.errors ?? ""}${output.text}`;
  const text = style.dialect === "v5" ? both.replace(/^\n+|\n+$/g, "") : both;
  const found = findLine(textLines(text), rule.terms, style);
  if (!found.ok) return faulty(`${found.problem.subject}: ${found.problem.detail}`);
  return seen(found.value, found.value ? "such a line" : "no such line");
}

function judgeProcess(name: string, device: Device): RuleResult {
  const names = processNames(device);
  if (names.state === "unreadable") return faulty(names.reason);
  if (names.state === "missing") return absent("processes are seen on a running device only");
  const isRunning = names.value.some((one) => one.command === name || one.path === name);
  return seen(isRunning, isRunning ? "it runs" : "it does not run");
}

/** A path of the kernel, which speaks of the running device only. */
function isKernelPath(path: string): boolean {
  return /^\/(?:proc|sys)(?:\/|$)/.test(path);
}

/** Policies ask it first, and a root that does not run answers alike. Source: proc_sys_kernel(5). */
const SYSTEM_TYPE = "/proc/sys/kernel/ostype";

function judgeSystemType(terms: readonly ScaTerm[], style: MatchStyle): RuleResult {
  const found = findLine(["Linux"], terms, style);
  if (!found.ok) return faulty(`${found.problem.subject}: ${found.problem.detail}`);
  return seen(found.value, "it is a Linux");
}

function judgeRuleAsWritten(
  rule: ScaRule,
  device: Device,
  style: MatchStyle,
  tell: CommandTeller,
): RuleResult {
  const paths = rule.kind === "file" || rule.kind === "folder" ? rule.paths : [];
  if (!device.isLive && paths.some(isKernelPath)) {
    const isType = paths.every((path) => path === SYSTEM_TYPE);
    if (isType && rule.terms !== undefined) return judgeSystemType(rule.terms, style);
    return absent("the kernel is asked on a running device only");
  }
  switch (rule.kind) {
    case "file":
      return judgeFiles(rule, device, style);
    case "folder":
      return judgeFolders(rule, device, style);
    case "process":
      return judgeProcess(rule.name, device);
    case "command":
      return judgeCommand(rule, device, style, tell);
    case "unknown":
      return faulty(`${rule.text}: ${rule.reason}`);
  }
}

/** The result of one rule, with its negation. `tell`: the emulators, unless a test brings real output. */
export function judgeScaRule(
  rule: ScaRule,
  device: Device,
  style: MatchStyle,
  tell: CommandTeller = commandOutput,
): RuleResult {
  const result = judgeRuleAsWritten(rule, device, style, tell);
  if (!rule.isNegated || result.state === "unknown") return result;
  return { ...result, state: result.state === "found" ? "not-found" : "found" };
}

function lookOf(rule: ScaRule, result: RuleResult): Evidence {
  const terms =
    rule.kind === "file" || rule.kind === "folder" || rule.kind === "command"
      ? rule.terms
      : undefined;
  const found = result.state === "unknown" ? result.reason : result.found;
  return evidence(subjectOf(rule), `${rule.isNegated ? "not " : ""}${termsText(terms)}`, found);
}

/**
 * Joins the results of rules. The first rule that settles the condition ends it; one that could not tell
 * leaves a check undecided that nothing settles. Source: Wazuh check_condition_evaluator.cpp.
 */
export function joinScaResults(
  condition: ScaCheck["condition"],
  results: readonly RuleResult[],
): "pass" | "fail" | "undecided" {
  const has = (state: RuleResult["state"]): boolean => results.some((one) => one.state === state);
  if (condition === "all" && has("not-found")) return "fail";
  if (condition === "any" && has("found")) return "pass";
  if (condition === "none" && has("found")) return "fail";
  if (results.length === 0 || has("unknown")) return "undecided";
  return condition === "any" ? "fail" : "pass";
}

/**
 * Judges a check of an imported policy. No command is run: what a command would print is worked out from
 * the files and kernel tables of the device. `not-applicable`: a thing that the check is about is not there,
 * or a command is not known here; `error`: something could not be read or understood.
 */
export function judgeScaCheck(check: ScaCheck, device: Device): Outcome {
  const results: RuleResult[] = [];
  const looks: Evidence[] = [];
  for (const rule of check.rules) {
    const result = judgeScaRule(rule, device, check);
    results.push(result);
    looks.push(lookOf(rule, result));
    // The rest could not change it.
    if (result.state === (check.condition === "all" ? "not-found" : "found")) break;
  }
  const joined = joinScaResults(check.condition, results);
  if (joined !== "undecided") return { verdict: joined, evidence: looks };
  if (results.length === 0) return because("not-applicable", "the check has no rules");
  const unknown = results.flatMap((one) => (one.state === "unknown" ? [one] : []));
  const fault = unknown.find((one) => one.isFault);
  const reason = (fault ?? unknown[0])?.reason ?? "";
  return because(fault === undefined ? "not-applicable" : "error", reason, looks);
}

/** Whether a policy is about this device: `pass` where it has no requirements. */
export function judgeScaRequirements(policy: ScaPolicy, device: Device): Outcome {
  if (policy.requirements === undefined) return { verdict: "pass", evidence: [] };
  return judgeScaCheck(policy.requirements, device);
}
