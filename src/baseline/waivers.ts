import { fail, ok, type Result } from "../contract/result.ts";

/** Somebody answers for a failure of one rule until a day. */
export interface Waiver {
  /** Number or id of the rule. */
  readonly rule: string;
  readonly reason: string;
  /** The last day on which it holds, `2026-12-31`, UTC. */
  readonly expires: string;
}

const DAY_MS = 86_400_000;

/** The first instant after the waiver, wall clock ms; undefined where the date does not exist. */
export function waiverEndMs(waiver: Waiver): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(waiver.expires);
  if (match === null) return undefined;
  const startMs = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  const isReal = new Date(startMs).toISOString().startsWith(waiver.expires);
  return isReal ? startMs + DAY_MS : undefined;
}

/** Whether it holds; one whose date does not exist never does. */
export function isInForce(waiver: Waiver, nowMs: number): boolean {
  const endMs = waiverEndMs(waiver);
  return endMs !== undefined && nowMs < endMs;
}

/**
 * Waivers as one text: `5.2.4 2026-12-31 the vendor needs it; 3.1.1 2027-01-31 it is a router`. Errors:
 * `malformed` naming the first entry that has another form or a date that does not exist.
 */
export function parseWaivers(text: string, subject: string): Result<readonly Waiver[]> {
  const waivers: Waiver[] = [];
  for (const entry of text.split(";").map((part) => part.trim())) {
    if (entry === "") continue;
    const [rule = "", expires = "", ...words] = entry.split(/\s+/);
    const waiver = { rule, expires, reason: words.join(" ") };
    if (waiver.reason === "" || waiverEndMs(waiver) === undefined) {
      return fail("malformed", subject, `'${entry.slice(0, 80)}': expected RULE YYYY-MM-DD REASON`);
    }
    waivers.push(waiver);
  }
  return ok(waivers);
}
