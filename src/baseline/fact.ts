import type { Result } from "../contract/result.ts";

/**
 * What the device says of one thing. `missing` (it is not there) and `unreadable` (it may be there) are
 * never the same answer: the one decides a rule, the other is an error of the rule.
 */
export type Fact<T> =
  | { readonly state: "value"; readonly value: T }
  | { readonly state: "missing" }
  | { readonly state: "unreadable"; readonly reason: string };

/** The answer `missing`. */
export const MISSING: Fact<never> = { state: "missing" };

/** Wraps what was read. */
export function valueFact<T>(value: T): Fact<T> {
  return { state: "value", value };
}

/** Wraps why something could not be read, in words. */
export function unreadableFact(reason: string): Fact<never> {
  return { state: "unreadable", reason };
}

/** A read of the Probe as a fact: `not-found` is missing, every other problem is unreadable. */
export function factOf<T>(result: Result<T>): Fact<T> {
  if (result.ok) return valueFact(result.value);
  const { code, subject, detail } = result.problem;
  return code === "not-found" ? MISSING : unreadableFact(`${subject}: ${detail} (${code})`);
}

/** The same fact about something made of the value. */
export function mapFact<T, U>(fact: Fact<T>, make: (value: T) => U): Fact<U> {
  return fact.state === "value" ? valueFact(make(fact.value)) : fact;
}

/** The value, or `fallback` where it is missing; the reason where it cannot be read. */
export function orElse<T>(fact: Fact<T>, fallback: T): Fact<T> {
  return fact.state === "missing" ? valueFact(fallback) : fact;
}
