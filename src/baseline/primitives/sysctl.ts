import type { Device } from "../device.ts";
import { type Expectation, expectationText, meets } from "../expectation.ts";
import { ipv6Absence } from "../facts/ipv6.ts";
import { persistedSysctl } from "../facts/sysctls.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";

/** A kernel parameter: the running value and the one that the next start sets. */
export interface SysctlCheck {
  readonly test: "sysctl";
  /** With dots: `net.ipv4.ip_forward`. Those of IPv6 do not apply where IPv6 is switched off. */
  readonly key: string;
  readonly expected: Expectation;
  /** The value that the kernel starts with, where it is the same on all systems. */
  readonly kernelDefault?: string;
}

/** The running value, then the persisted one. */
export function judgeSysctl(check: SysctlCheck, device: Device): Outcome {
  const path = `/proc/sys/${check.key.replaceAll(".", "/")}`;
  const isAboutIpv6 = check.key.startsWith("net.ipv6.") && !check.key.endsWith(".disable_ipv6");
  const absence = isAboutIpv6 ? ipv6Absence(device) : undefined;
  if (absence?.state === "unreadable") return because("error", absence.reason);
  if (absence?.state === "value" && absence.value !== undefined)
    return because("not-applicable", absence.value);
  const live = device.text(path);
  if (live.state === "unreadable") return because("error", live.reason);
  if (live.state === "missing" && device.isLive)
    return because("not-applicable", `the kernel has no ${check.key}`);
  const persisted = persistedSysctl(device, check.key);
  if (persisted.state !== "value") {
    return because("error", persisted.state === "unreadable" ? persisted.reason : "no sysctl.d");
  }
  const later = judgePersisted(check, persisted.value);
  if (live.state === "missing") return later;
  const now = live.value.trim();
  const expected = expectationText(check.expected);
  return allOf([decide(meets(now, check.expected), evidence(path, expected, now, "live")), later]);
}

function judgePersisted(
  check: SysctlCheck,
  set: { readonly value: string; readonly path: string } | undefined,
): Outcome {
  const value = set?.value ?? check.kernelDefault;
  const note =
    set?.value ?? (value === undefined ? "not set" : `not set, kernel starts with ${value}`);
  const expected = `${check.key} = ${expectationText(check.expected)}`;
  return decide(
    value !== undefined && meets(value, check.expected),
    evidence(set?.path ?? "sysctl.d", expected, note, "persistent"),
  );
}
