import { plainText } from "../parse/plain-text.ts";

/**
 * `not-applicable`: the thing that the rule is about is not on this device. `manual`: no program can
 * decide. `error`: what decides could not be read or understood.
 */
export type Verdict = "pass" | "fail" | "not-applicable" | "manual" | "error";

/** One look that led to a verdict. */
export interface Evidence {
  /** What was looked at: a path, a setting, a table of the kernel. */
  readonly source: string;
  readonly expected: string;
  readonly found: string;
  /** Whether it is in force now (`live`) or at the next start (`persistent`), where the two can differ. */
  readonly state?: "live" | "persistent";
}

export interface Outcome {
  readonly verdict: Verdict;
  readonly evidence: readonly Evidence[];
  /** Why, for verdicts that evidence alone does not explain. */
  readonly reason?: string;
}

/** Longest text of one field of evidence, UTF-16 units. */
const MAX_TEXT = 200;

/** Evidence with texts of the device made harmless and short. */
export function evidence(
  source: string,
  expected: string,
  found: string,
  state?: "live" | "persistent",
): Evidence {
  return {
    source: plainText(source, MAX_TEXT),
    expected: plainText(expected, MAX_TEXT),
    found: plainText(found, MAX_TEXT),
    ...(state === undefined ? {} : { state }),
  };
}

/** Pass or fail by one look. */
export function decide(isGood: boolean, ...looks: readonly Evidence[]): Outcome {
  return { verdict: isGood ? "pass" : "fail", evidence: looks };
}

/** An outcome that a reason explains. */
export function because(
  verdict: "not-applicable" | "manual" | "error",
  reason: string,
  looks: readonly Evidence[] = [],
): Outcome {
  return { verdict, evidence: looks, reason: plainText(reason, 300) };
}

/** Looks without those that say the same again, as parts of an expression often share a look. */
function distinct(looks: readonly Evidence[]): readonly Evidence[] {
  const byText = new Map(looks.map((look) => [JSON.stringify(look), look]));
  return [...byText.values()];
}

function joined(outcomes: readonly Outcome[], verdict: Verdict): Outcome {
  const reason = outcomes.find(
    (one) => one.verdict === verdict && one.reason !== undefined,
  )?.reason;
  return {
    verdict,
    evidence: distinct(outcomes.flatMap((one) => one.evidence)),
    ...(reason === undefined ? {} : { reason }),
  };
}

/**
 * All must pass. A failure decides; without one an error does; parts that do not apply are left out, and
 * nothing but such parts does not apply.
 */
export function allOf(outcomes: readonly Outcome[]): Outcome {
  for (const verdict of ["fail", "error", "manual", "pass"] as const) {
    if (outcomes.some((one) => one.verdict === verdict)) return joined(outcomes, verdict);
  }
  return joined(outcomes, "not-applicable");
}

/** One must pass. A pass decides; without one an error does, for it may hide a pass. */
export function anyOf(outcomes: readonly Outcome[]): Outcome {
  const passed = outcomes.filter((one) => one.verdict === "pass");
  if (passed.length > 0) return joined(passed, "pass");
  for (const verdict of ["error", "manual", "fail"] as const) {
    if (outcomes.some((one) => one.verdict === verdict)) return joined(outcomes, verdict);
  }
  return joined(outcomes, "not-applicable");
}

/** Pass and fail exchanged. */
export function opposite(outcome: Outcome): Outcome {
  if (outcome.verdict === "pass") return { ...outcome, verdict: "fail" };
  return outcome.verdict === "fail" ? { ...outcome, verdict: "pass" } : outcome;
}
