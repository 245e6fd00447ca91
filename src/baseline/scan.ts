import { describeError } from "../contract/errors.ts";
import type { Device } from "./device.ts";
import { judgeRule } from "./judge-rule.ts";
import { because, type Outcome } from "./outcome.ts";
import type { Pacer } from "./pacer.ts";
import type { Rule } from "./rule.ts";
import {
  isNameOf,
  type Selection,
  type SkipReason,
  skipReason,
  unknownNames,
} from "./selection.ts";
import { isInForce, type Waiver } from "./waivers.ts";

export interface ScanOptions {
  readonly rules: readonly Rule[];
  readonly device: Device;
  readonly selection: Selection;
  /** Steps are rules. */
  readonly pacer: Pacer;
  readonly signal: AbortSignal;
  /** Called after each rule, judged or not. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What one rule came to. */
export interface RuleResult {
  readonly rule: Rule;
  readonly outcome: Outcome;
  /** In force: a failure or an error of this rule is answered for. */
  readonly waiver?: Waiver;
  /** Its time is over, so it changes nothing. */
  readonly expiredWaiver?: Waiver;
}

export interface SkippedRule {
  readonly rule: Rule;
  readonly reason: SkipReason;
}

export interface ScanReport {
  /** In the order of the rules. */
  readonly results: readonly RuleResult[];
  readonly skipped: readonly SkippedRule[];
  /** Names in the selection that mean nothing. */
  readonly unknownNames: readonly string[];
  /** False when the signal ended it. */
  readonly isComplete: boolean;
}

/**
 * Judges rules one after the other, with rests in between. A rule that throws is an `error` of its own
 * and stops nothing.
 */
export async function scanDevice(options: ScanOptions): Promise<ScanReport> {
  const { rules, device, selection, signal } = options;
  const results: RuleResult[] = [];
  const skipped: SkippedRule[] = [];
  const report = (isComplete: boolean): ScanReport => ({
    results,
    skipped,
    unknownNames: unknownNames(rules, selection),
    isComplete,
  });
  for (const [index, rule] of rules.entries()) {
    if (signal.aborted) return report(false);
    const reason = skipReason(rule, selection);
    if (reason === undefined) results.push(resultOf(rule, device, selection.waivers));
    else skipped.push({ rule, reason });
    options.onProgress?.(index + 1, rules.length);
    await options.pacer.step(1);
  }
  return report(!signal.aborted);
}

function resultOf(rule: Rule, device: Device, waivers: readonly Waiver[]): RuleResult {
  const outcome = judgeSafely(rule, device);
  const own = waivers.filter((waiver) => isNameOf(waiver.rule, rule));
  const waiver = own.find((one) => isInForce(one, device.nowMs));
  if (waiver !== undefined) return { rule, outcome, waiver };
  const [expiredWaiver] = own;
  return expiredWaiver === undefined ? { rule, outcome } : { rule, outcome, expiredWaiver };
}

/** What throws here is a fault of one rule, or of a primitive: the other rules must be judged all the same. */
function judgeSafely(rule: Rule, device: Device): Outcome {
  try {
    // A check of no known form falls through every case, whatever the types say.
    const outcome: Outcome | undefined = judgeRule(rule, device);
    return outcome ?? because("error", "the rule could not be judged: it names no known test");
  } catch (error) {
    return because("error", `the rule could not be judged: ${describeError(error)}`);
  }
}

/** How a result counts. A waiver hides failures and errors, and never a pass. */
export type Standing = "passed" | "failed" | "error" | "not-applicable" | "manual" | "waived";

export function standingOf({ outcome, waiver }: RuleResult): Standing {
  const isBad = outcome.verdict === "fail" || outcome.verdict === "error";
  if (isBad && waiver !== undefined) return "waived";
  if (outcome.verdict === "pass") return "passed";
  return outcome.verdict === "fail" ? "failed" : outcome.verdict;
}

/** Results by standing; every standing is there. */
export function countStandings(results: readonly RuleResult[]): Readonly<Record<Standing, number>> {
  const counts = { passed: 0, failed: 0, error: 0, "not-applicable": 0, manual: 0, waived: 0 };
  for (const result of results) counts[standingOf(result)] += 1;
  return counts;
}
