/** Why an expected thing could not be had. A closed set, so that callers can decide by code. */
export type ProblemCode =
  | "not-found"
  | "not-permitted"
  | "timed-out"
  | "too-large"
  | "malformed"
  | "unsupported"
  /** Two things in force that contradict or hide each other. */
  | "conflict";

/** An expected failure: a value, not an exception. */
export interface Problem {
  readonly code: ProblemCode;
  /** What was being read or asked, such as a path: shown to the operator. */
  readonly subject: string;
  /** What was found instead, in words, length-capped; never a secret. */
  readonly detail: string;
}

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem };

export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

/** Wraps a problem as a failed result. `detail` is cut at 300 characters: it may quote device data. */
export function fail(code: ProblemCode, subject: string, detail: string): Result<never> {
  return { ok: false, problem: { code, subject, detail: detail.slice(0, 300) } };
}
