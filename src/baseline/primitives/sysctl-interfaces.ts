import type { Device } from "../device.ts";
import { type Expectation, expectationText, meets } from "../expectation.ts";
import { type Fact, valueFact } from "../fact.ts";
import { ipv6Absence } from "../facts/ipv6.ts";
import { persistedSysctl, sysctlLines } from "../facts/sysctls.ts";
import { allOf, because, decide, type Evidence, evidence, type Outcome } from "../outcome.ts";

/** A parameter that each network interface has: `all`, `default`, and what is in force on each. */
export interface SysctlInterfacesCheck {
  readonly test: "sysctl-interfaces";
  readonly family: "ipv4" | "ipv6";
  /** Last part of the key, such as `accept_redirects`. */
  readonly name: string;
  readonly expected: Expectation;
  /**
   * What is in force on an interface: the smaller or the larger of its own value and that of `all`, or
   * its own alone. Source: Linux include/linux/inetdevice.h; ip-sysctl.rst.
   */
  readonly inForce: "smaller" | "larger" | "own";
  readonly kernelDefaults: { readonly all: string; readonly default: string };
}

/** Packets of the loopback interface come from the device itself. */
const NOT_JUDGED = new Set(["all", "default", "lo"]);
const MOST_INTERFACES = 4096;

/** Judges `all`, `default` and each interface, running and persisted. */
export function judgeSysctlInterfaces(check: SysctlInterfacesCheck, device: Device): Outcome {
  if (check.family === "ipv6") {
    const absence = ipv6Absence(device);
    if (absence.state === "unreadable") return because("error", absence.reason);
    if (absence.state === "value" && absence.value !== undefined)
      return because("not-applicable", absence.value);
  }
  const live = judgeLive(check, device);
  if (live?.verdict === "not-applicable") return live;
  const later = judgePersisted(check, device);
  return live === undefined ? later : allOf([live, later]);
}

type Reading = (interfaceName: string) => Fact<string | undefined>;

/** Values over the names, the two common ones first. */
function judgeAll(
  check: SysctlInterfacesCheck,
  names: readonly string[],
  read: Reading,
  look: (name: string, found: string) => Evidence,
): Outcome {
  const all = read("all");
  const outcomes = ["all", "default", ...names].map((name): Outcome => {
    const own = read(name);
    if (own.state === "unreadable") return because("error", own.reason);
    if (own.state === "missing" || own.value === undefined)
      return because("not-applicable", `${name} went away`);
    if (!isNumber(own.value))
      return because("error", `${check.name} of ${name} is no number`, [look(name, own.value)]);
    const common = all.state === "value" && isNumber(all.value) ? all.value : undefined;
    const value = NOT_JUDGED.has(name) ? own.value : inForce(check, own.value, common);
    const found = value === own.value ? value : `${value} (own value ${own.value})`;
    return decide(meets(value, check.expected), look(name, found));
  });
  // A device may have hundreds of interfaces: one that is right needs no words of its own.
  return allOf(outcomes.filter((one, index) => index < 2 || one.verdict !== "pass"));
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^-?\d{1,9}$/.test(text);
}

function inForce(check: SysctlInterfacesCheck, own: string, all: string | undefined): string {
  if (check.inForce === "own" || all === undefined) return own;
  const isOwn = check.inForce === "smaller" ? Number(own) < Number(all) : Number(own) > Number(all);
  return isOwn ? own : all;
}

/** Undefined: the root does not run. */
function judgeLive(check: SysctlInterfacesCheck, device: Device): Outcome | undefined {
  if (!device.isLive) return undefined;
  const folder = `/proc/sys/net/${check.family}/conf`;
  const names = device.folder(folder);
  if (names.state === "unreadable") return because("error", names.reason);
  if (names.state === "missing")
    return because("not-applicable", `the kernel has no ${folder.slice(10).replaceAll("/", ".")}`);
  const pathOf = (name: string): string => `${folder}/${name}/${check.name}`;
  if (device.text(pathOf("all")).state === "missing")
    return because("not-applicable", `the kernel has no ${check.name}`);
  const read: Reading = (name) => {
    const text = device.text(pathOf(name));
    return text.state === "value" ? valueFact(text.value.trim()) : text;
  };
  const judged = names.value.filter((name) => !NOT_JUDGED.has(name)).slice(0, MOST_INTERFACES);
  const expected = expectationText(check.expected);
  return judgeAll(check, judged, read, (name, found) =>
    evidence(pathOf(name), expected, found, "live"),
  );
}

/** An interface that no line names starts with the value of `default`. */
function judgePersisted(check: SysctlInterfacesCheck, device: Device): Outcome {
  const lines = sysctlLines(device);
  if (lines.state !== "value")
    return because("error", lines.state === "unreadable" ? lines.reason : "no sysctl.d");
  const prefix = `net.${check.family}.conf.`;
  const suffix = `.${check.name}`;
  const keyOf = (name: string): string => `${prefix}${name}${suffix}`;
  const named = lines.value
    .filter(({ key }) => key.startsWith(prefix) && key.endsWith(suffix))
    .map(({ key }) => key.slice(prefix.length, -suffix.length))
    .filter((name) => !NOT_JUDGED.has(name) && !name.includes("."));
  const read: Reading = (name) => {
    const set = persistedSysctl(device, keyOf(name));
    if (set.state !== "value") return set.state === "missing" ? valueFact(undefined) : set;
    if (set.value !== undefined) return valueFact(set.value.value);
    if (name !== "all" && name !== "default") return valueFact(undefined);
    return valueFact(check.kernelDefaults[name]);
  };
  return judgeAll(check, [...new Set(named)].slice(0, MOST_INTERFACES), read, (name, found) => {
    const set = persistedSysctl(device, keyOf(name));
    const path = set.state === "value" ? set.value?.path : undefined;
    const note = path === undefined ? `not set, kernel starts with ${found}` : found;
    const expected = `${keyOf(name)} = ${expectationText(check.expected)}`;
    return evidence(path ?? "sysctl.d", expected, note, "persistent");
  });
}
