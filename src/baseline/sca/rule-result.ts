/**
 * What one rule found. `unknown`: neither, because a thing that it is about is not there (`isFault` false) or
 * because something could not be read or understood (`isFault` true).
 */
export type RuleResult =
  | { readonly state: "found" | "not-found"; readonly found: string }
  | { readonly state: "unknown"; readonly isFault: boolean; readonly reason: string };

/** A thing is not there, so the rule says nothing. */
export function absent(reason: string): RuleResult {
  return { state: "unknown", isFault: false, reason };
}

/** Something could not be read or understood. */
export function faulty(reason: string): RuleResult {
  return { state: "unknown", isFault: true, reason };
}

/** Found or not, with what was seen. */
export function seen(isFound: boolean, found: string): RuleResult {
  return { state: isFound ? "found" : "not-found", found };
}
