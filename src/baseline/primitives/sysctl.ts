import { type Device, oncePerDevice } from "../device.ts";
import { type Expectation, expectationText, meets } from "../expectation.ts";
import { type Fact, unreadableFact, valueFact } from "../fact.ts";
import { dropInFiles, linesOf, withoutComments } from "../facts/config-text.ts";
import { initSystem } from "../facts/units.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";

/** A kernel parameter: the running value and the one that the next start sets. */
export interface SysctlCheck {
  readonly test: "sysctl";
  /** With dots: `net.ipv4.ip_forward`. */
  readonly key: string;
  readonly expected: Expectation;
  /** The value that the kernel starts with, where it is the same on all systems. */
  readonly kernelDefault?: string;
}

interface PersistedValue {
  readonly value: string;
  readonly path: string;
  /** The key is a pattern with `*`, which yields to exact keys. */
  readonly isPattern: boolean;
}

/** Folders of drop-in files, the strongest first. Source: sysctl.d(5), FILES. */
const FOLDERS = [
  "/etc/sysctl.d",
  "/run/sysctl.d",
  "/usr/local/lib/sysctl.d",
  "/usr/lib/sysctl.d",
  "/lib/sysctl.d",
];

/** Dots and slashes separate alike; the first separator of a key decides. Source: sysctl.d(5). */
function normalKey(key: string): string {
  const first = /[./]/.exec(key)?.[0];
  if (first !== "/") return key;
  return key.replace(/[./]/g, (mark) => (mark === "/" ? "." : "/"));
}

/**
 * Persisted values by key, the one that is applied last. procps and BusyBox read /etc/sysctl.conf after
 * all folders; systemd reads it only where a link in sysctl.d leads to it, which Debian 13 has no more.
 * Source: sysctl(8) (--system), sysctl.d(5).
 */
export const persistedSysctls = oncePerDevice(
  (device): Fact<readonly (readonly [string, PersistedValue])[]> => {
    const dropIns = dropInFiles(device, FOLDERS, ".conf");
    if (dropIns.state === "unreadable") return dropIns;
    const files = dropIns.state === "value" ? dropIns.value : [];
    const values: (readonly [string, PersistedValue])[] = [];
    const init = initSystem(device);
    if (init.state === "unreadable") return init;
    const isSystemd = init.state === "value" && init.value === "systemd";
    for (const path of isSystemd ? files : [...files, "/etc/sysctl.conf"]) {
      const text = device.text(path);
      if (text.state === "unreadable") return unreadableFact(text.reason);
      if (text.state === "missing") continue;
      for (const { text: line } of withoutComments(linesOf(path, text.value), "#;")) {
        const [, key = "", value = ""] = /^-?\s*([^\s=]+)\s*=\s*(.*)$/.exec(line) ?? [];
        if (key === "") continue;
        const isPattern = key.includes("*");
        values.push([normalKey(key), { value: value.trim(), path, isPattern }]);
      }
    }
    return valueFact(values);
  },
);

function isMatch(pattern: string, key: string): boolean {
  if (!pattern.includes("*")) return pattern === key;
  const parts = pattern.split(".");
  const words = key.split(".");
  return (
    parts.length === words.length &&
    parts.every((part, at) => {
      const [before = "", after = ""] = part.split("*", 2);
      const word = words[at] ?? "";
      return part.includes("*") ? word.startsWith(before) && word.endsWith(after) : part === word;
    })
  );
}

function persistedValue(device: Device, key: string): Fact<PersistedValue | undefined> {
  const all = persistedSysctls(device);
  if (all.state !== "value") return all;
  const hits = all.value.filter(([pattern]) => isMatch(pattern, key)).map(([, value]) => value);
  const exact = hits.filter((hit) => !hit.isPattern);
  return valueFact(exact[exact.length - 1] ?? hits[hits.length - 1]);
}

/** The running value, then the persisted one. */
export function judgeSysctl(check: SysctlCheck, device: Device): Outcome {
  const path = `/proc/sys/${check.key.replaceAll(".", "/")}`;
  const live = device.text(path);
  const expected = expectationText(check.expected);
  if (live.state === "unreadable") return because("error", live.reason);
  const folder = device.facts(path.slice(0, path.lastIndexOf("/")));
  if (live.state === "missing" && (device.isLive || folder.state === "value")) {
    return because("not-applicable", `the kernel has no ${check.key}`);
  }
  const persisted = persistedValue(device, check.key);
  if (persisted.state === "unreadable") return because("error", persisted.reason);
  const set = persisted.state === "value" ? persisted.value : undefined;
  const value = set?.value ?? check.kernelDefault;
  const note =
    set === undefined
      ? `not set${value === undefined ? "" : `, kernel starts with ${value}`}`
      : value;
  const later = decide(
    value !== undefined && meets(value, check.expected),
    evidence(set?.path ?? "sysctl.d", `${check.key} = ${expected}`, note ?? "", "persistent"),
  );
  if (live.state === "missing") return later;
  const now = live.value.trim();
  return allOf([decide(meets(now, check.expected), evidence(path, expected, now, "live")), later]);
}
