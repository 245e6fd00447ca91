import type { Device } from "../device.ts";
import { type Expectation, expectationText, meets } from "../expectation.ts";
import { loginDefs, passwordAges } from "../facts/accounts.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";

/** A field of /etc/shadow for each account that has a password. */
export interface PasswordAgeCheck {
  readonly test: "password-age";
  readonly field: "minDays" | "maxDays" | "warnDays" | "inactiveDays";
  readonly expected: Expectation;
}

/** A value of /etc/login.defs. */
export interface LoginDefsCheck {
  readonly test: "login-defs";
  readonly key: string;
  readonly expected: Expectation;
  /** What the programs take where it is not set; without it an unset key fails. */
  readonly fallback?: string;
}

const WORDS = {
  minDays: "minimum age",
  maxDays: "maximum age",
  warnDays: "warning",
  inactiveDays: "inactive days",
} as const;

/** Compares the field. No account with a password: it does not apply. */
export function judgePasswordAge(check: PasswordAgeCheck, device: Device): Outcome {
  const ages = passwordAges(device);
  if (ages.state === "unreadable") return because("error", ages.reason);
  if (ages.state === "missing") return because("not-applicable", "there is no /etc/shadow");
  const used = ages.value.filter((one) => one.password === "set");
  if (used.length === 0) return because("not-applicable", "no account has a password");
  const bad = used.filter((one) => {
    const value = one[check.field];
    return value === undefined || !meets(String(value), check.expected);
  });
  const found =
    bad.length === 0
      ? `all ${used.length} accounts with a password`
      : bad.map((one) => `${one.name} ${one[check.field] ?? "not set"}`).join(", ");
  const expected = `${WORDS[check.field]} ${expectationText(check.expected)}`;
  return decide(bad.length === 0, evidence("/etc/shadow", expected, found));
}

/** Compares the value. Without the file (no shadow tools here) it does not apply. */
export function judgeLoginDefs(check: LoginDefsCheck, device: Device): Outcome {
  const path = "/etc/login.defs";
  const defs = loginDefs(device);
  if (defs.state === "unreadable") return because("error", defs.reason);
  if (device.facts(path).state === "missing" || defs.state === "missing") {
    return because("not-applicable", `${path} is not there`);
  }
  const value = defs.value.get(check.key) ?? check.fallback;
  const expected = `${check.key} ${expectationText(check.expected)}`;
  const isGood = value !== undefined && meets(value, check.expected);
  return decide(isGood, evidence(path, expected, value ?? "not set"));
}
