import type { Device } from "../device.ts";
import { type Expectation, expectationText, meets } from "../expectation.ts";
import { sshdConfig } from "../facts/sshd-config.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";

/** An effective setting of the SSH server. */
export interface SshdCheck {
  readonly test: "sshd";
  /** As sshd_config(5) spells it. */
  readonly key: string;
  readonly expected: Expectation;
  /** What the server does where the key is not set; without it an unset key fails. */
  readonly fallback?: string;
}

/** Whether one of several keys is set at all. */
export interface SshdAnyCheck {
  readonly test: "sshd-any";
  readonly keys: readonly string[];
}

/** `1h30m` in seconds, as text; other texts as they are. Source: sshd_config(5), TIME FORMATS. */
export function secondsText(value: string): string {
  if (!/^(?:\d+[smhdw]?)+$/i.test(value) || value.length > 32) return value;
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  let seconds = 0;
  for (const [, digits = "0", unit = "s"] of value.matchAll(/(\d+)([smhdw]?)/gi)) {
    seconds += Number(digits) * (units[unit.toLowerCase()] ?? 1);
  }
  return String(seconds);
}

const TIMES = new Set(["clientaliveinterval", "logingracetime"]);

/**
 * The value that sshd takes, and each value that a Match block sets for some connections. `+`, `-` and
 * `^` before a list change the server's default list, which is then judged as set.
 */
export function judgeSshd(check: SshdCheck, device: Device): Outcome {
  const config = sshdConfig(device);
  if (config.state === "unreadable") return because("error", config.reason);
  if (config.state === "missing") return because("not-applicable", "no SSH server here");
  const key = check.key.toLowerCase();
  const expected = `${check.key} ${expectationText(check.expected)}`;
  const judge = (value: string, path: string, note: string): Outcome => {
    const plain = TIMES.has(key) ? secondsText(value) : value;
    return decide(meets(plain, check.expected), evidence(path, expected, note));
  };
  const set = config.value.values.get(key);
  const value = set?.value ?? check.fallback;
  const source = set?.path ?? "/etc/ssh/sshd_config";
  const base =
    value === undefined
      ? decide(false, evidence(source, expected, "not set"))
      : judge(value, source, set === undefined ? `${value} (default)` : value);
  const inMatch = config.value.inMatch
    .filter((one) => one.key === key)
    .map((one) => judge(one.value, one.path, `${one.value} (in a Match block)`));
  return allOf([base, ...inMatch]);
}

/** One key set is enough. */
export function judgeSshdAny(check: SshdAnyCheck, device: Device): Outcome {
  const config = sshdConfig(device);
  if (config.state === "unreadable") return because("error", config.reason);
  if (config.state === "missing") return because("not-applicable", "no SSH server here");
  const expected = `${check.keys.join(" or ")} set`;
  for (const key of check.keys) {
    const set = config.value.values.get(key.toLowerCase());
    if (set !== undefined && set.value !== "") {
      return decide(true, evidence(set.path, expected, `${key} ${set.value}`));
    }
  }
  return decide(false, evidence("/etc/ssh/sshd_config", expected, "none of them"));
}
