import type { Device } from "../device.ts";
import { type Expectation, expectationText, meets } from "../expectation.ts";
import {
  ALGORITHM_KEYS,
  defaultAlgorithms,
  effectiveAlgorithms,
} from "../facts/sshd-algorithms.ts";
import { type SshdConfig, sshdConfig } from "../facts/sshd-config.ts";
import {
  isAtLeast,
  parseSshdVersion,
  type SshdVersion,
  sshdVersion,
} from "../facts/sshd-version.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";

/** An effective setting of the SSH server. */
export interface SshdCheck {
  readonly test: "sshd";
  /** As sshd_config(5) spells it. */
  readonly key: string;
  readonly expected: Expectation;
  /** What the server does where the key is not set; lists of algorithms have theirs by version. */
  readonly fallback?: string;
  /** The version of OpenSSH from which on the key means nothing, because what it asks for is fixed. */
  readonly fixedSince?: string;
}

/** Whether one of several keys is set at all. */
export interface SshdAnyCheck {
  readonly test: "sshd-any";
  readonly keys: readonly string[];
}

const MAIN = "/etc/ssh/sshd_config";
/** The oldest and the newest version that default lists are known of. */
const OLDEST: SshdVersion = { major: 7, minor: 6 };
const NEWEST: SshdVersion = { major: 10, minor: 0 };

/** `1h30m` in seconds, as text; other texts as they are. Source: sshd_config(5), TIME FORMATS. */
export function secondsText(value: string): string {
  if (value === "" || value.length > 32 || !/^(?:\d+[smhdw])*\d*$/i.test(value)) return value;
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  let seconds = 0;
  for (const [, digits = "0", unit = "s"] of value.matchAll(/(\d+)([smhdw]?)/gi)) {
    seconds += Number(digits) * (units[unit.toLowerCase()] ?? 1);
  }
  return String(seconds);
}

const TIMES = new Set(["clientaliveinterval", "logingracetime"]);

/** One value of the key: undefined where it is not set. */
function judgeValue(
  check: SshdCheck,
  value: string | undefined,
  source: string,
  note: string,
): Outcome {
  const expected = `${check.key} ${expectationText(check.expected)}`;
  const taken = value ?? check.fallback;
  if (taken === undefined) return decide(false, evidence(source, expected, "not set"));
  const plain = TIMES.has(check.key.toLowerCase()) ? secondsText(taken) : taken;
  const found = value === undefined ? `${taken} (default)` : `${taken}${note}`;
  return decide(meets(plain, check.expected), evidence(source, expected, found));
}

/** Words of a list that the expectation does not want. */
function unwanted(list: readonly string[], expected: Expectation): readonly string[] {
  return list.filter((name) => !meets(name, expected));
}

/** A list of algorithms, by the defaults of the server's version; where that is open, by all versions. */
function judgeAlgorithms(
  check: SshdCheck,
  value: string | undefined,
  source: string,
  version: SshdVersion | undefined,
): Outcome {
  const key = check.key.toLowerCase();
  const versions = version === undefined ? [OLDEST, NEWEST] : [version];
  const outcomes = versions.map((one) => {
    const list = effectiveAlgorithms(value, defaultAlgorithms(key, one));
    const bad = unwanted(list, check.expected);
    const origin = value === undefined ? `default of ${one.major}.${one.minor}` : value;
    const found = `${bad.length === 0 ? list.join(",") : bad.join(",")} (${origin})`;
    const expected = `${check.key} ${expectationText(check.expected)}`;
    return decide(list.length > 0 && bad.length === 0, evidence(source, expected, found));
  });
  const [first, last] = outcomes;
  if (first !== undefined && first.verdict === last?.verdict) return first;
  return version === undefined || first === undefined
    ? because(
        "error",
        `the default of ${check.key} depends on the version of OpenSSH, which is not known`,
      )
    : first;
}

/** The value that sshd takes, and each value that a Match block sets for some connections. */
export function judgeSshd(check: SshdCheck, device: Device): Outcome {
  const config = sshdConfig(device);
  if (config.state === "unreadable") return because("error", config.reason);
  if (config.state === "missing") return because("not-applicable", "no SSH server here");
  const version = sshdVersion(device);
  const fixed = parseSshdVersion(check.fixedSince ?? "");
  if (
    fixed !== undefined &&
    version !== undefined &&
    isAtLeast(version, fixed.major, fixed.minor)
  ) {
    const found = `OpenSSH ${version.major}.${version.minor} can do nothing else`;
    return decide(
      true,
      evidence("OpenSSH", `${check.key} ${expectationText(check.expected)}`, found),
    );
  }
  return judgeConfig(check, config.value, version);
}

function judgeConfig(
  check: SshdCheck,
  config: SshdConfig,
  version: SshdVersion | undefined,
): Outcome {
  const key = check.key.toLowerCase();
  const set = config.values.get(key);
  const judge = (value: string | undefined, source: string, note: string): Outcome =>
    ALGORITHM_KEYS.has(key)
      ? judgeAlgorithms(check, value, source, version)
      : judgeValue(check, value, source, note);
  const inMatch = config.inMatch
    .filter((one) => one.key === key)
    .map((one) => judge(one.value, one.path, " (in a Match block)"));
  return allOf([judge(set?.value, set?.path ?? MAIN, ""), ...inMatch]);
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
  return decide(false, evidence(MAIN, expected, "none of them"));
}
