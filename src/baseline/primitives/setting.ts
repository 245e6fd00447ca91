import type { Device } from "../device.ts";
import { type Expectation, expectationText, meets } from "../expectation.ts";
import { type Fact, MISSING, unreadableFact, valueFact } from "../fact.ts";
import { dropInFiles, linesOf, withoutComments } from "../facts/config-text.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";

/** A key of a configuration of the form `key = value`, with drop-in files; the last value wins. */
export interface SettingCheck {
  readonly test: "setting";
  /** The main files; the first that is there counts. */
  readonly files: readonly string[];
  /** Folders of drop-in files, the strongest first. */
  readonly dropIns?: readonly string[];
  /** Only keys below this `[section]`. */
  readonly section?: string;
  readonly key: string;
  readonly expected: Expectation;
  /** The value that the program takes where the key is not set; without it an unset key fails. */
  readonly fallback?: string;
}

interface FoundSetting {
  readonly value: string;
  readonly path: string;
}

/** The effective value of a key. Source: systemd.syntax(7), journald.conf(5), auditd.conf(5). */
export function findSetting(device: Device, check: SettingCheck): Fact<FoundSetting | undefined> {
  const main = check.files.find((path) => device.facts(path).state !== "missing");
  const dropIns = dropInFiles(device, check.dropIns ?? [], ".conf");
  if (dropIns.state === "unreadable") return dropIns;
  const paths = [
    ...(main === undefined ? [] : [main]),
    ...(dropIns.state === "value" ? dropIns.value : []),
  ];
  if (paths.length === 0) return MISSING;
  let found: FoundSetting | undefined;
  for (const path of paths) {
    const text = device.text(path);
    if (text.state === "unreadable") return unreadableFact(text.reason);
    if (text.state === "missing") continue;
    if (isGarbage(path, text.value)) {
      return unreadableFact(`${path}: no line of the form key = value`);
    }
    found = lastValue(path, text.value, check) ?? found;
  }
  return valueFact(found);
}

/** A file with lines of which none is a setting, a word that stands alone, or a heading. */
function isGarbage(path: string, text: string): boolean {
  const lines = withoutComments(linesOf(path, text), "#;");
  const isKnown = /^(?:\[[^\]]+\]$|[\w.-]+\s*=|[\w.-]+$)/;
  return lines.length > 0 && !lines.some((line) => isKnown.test(line.text));
}

function lastValue(path: string, text: string, check: SettingCheck): FoundSetting | undefined {
  const wanted = check.key.toLowerCase();
  let section = "";
  let found: FoundSetting | undefined;
  for (const { text: line } of withoutComments(linesOf(path, text), "#;")) {
    const heading = /^\[([^\]]+)\]$/.exec(line)?.[1];
    if (heading !== undefined) section = heading;
    const [, key = "", value = ""] = /^([^=\s]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (key.toLowerCase() !== wanted) continue;
    if (check.section !== undefined && check.section !== section) continue;
    found = { value: value.replace(/^"(.*)"$/, "$1").trim(), path };
  }
  return found;
}

/** Compares the effective value. */
export function judgeSetting(check: SettingCheck, device: Device): Outcome {
  const expected = `${check.key} is ${expectationText(check.expected)}`;
  const place = [...check.files, ...(check.dropIns ?? [])].join(", ");
  const found = findSetting(device, check);
  if (found.state === "unreadable") return because("error", found.reason);
  const set = found.state === "value" ? found.value : undefined;
  if (set === undefined && check.fallback === undefined) {
    return decide(false, evidence(place, expected, `${check.key} is not set`));
  }
  const value = set?.value ?? check.fallback ?? "";
  const note = set === undefined ? `${value} (default)` : value;
  return decide(meets(value, check.expected), evidence(set?.path ?? place, expected, note));
}
