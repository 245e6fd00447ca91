import type { Device } from "../device.ts";
import { findLine, type MatchStyle, textLines } from "./matcher.ts";
import type { ScaRule, ScaTerm } from "./policy.ts";
import { absent, faulty, type RuleResult, seen } from "./rule-result.ts";

/** Most entries that one folder rule looks at, and most folders inside folders. */
const MOST_ENTRIES = 20_000;
const MAX_DEPTH = 40;

/** Regular files whose text is asked for. */
function contentOf(
  device: Device,
  path: string,
  terms: readonly ScaTerm[],
  style: MatchStyle,
): RuleResult {
  const facts = device.facts(path);
  if (facts.state === "unreadable") return faulty(facts.reason);
  if (facts.state === "missing" || facts.value.kind !== "file")
    return absent(`${path} is no regular file`);
  const text = device.text(path);
  if (text.state === "unreadable") return faulty(text.reason);
  if (text.state === "missing") return absent(`${path} is not there`);
  const found = findLine(textLines(text.value), terms, style);
  if (!found.ok) return faulty(`${found.problem.subject}: ${found.problem.detail}`);
  return seen(found.value, found.value ? `a line of ${path}` : `no such line in ${path}`);
}

function existence(device: Device, path: string, style: MatchStyle): RuleResult {
  const facts = device.facts(path);
  if (facts.state === "unreadable") return faulty(facts.reason);
  if (facts.state === "missing") return seen(false, `${path} is not there`);
  if (facts.value.kind === "file") return seen(true, `${path} is there`);
  // To Wazuh 4 something else of that name makes the rule invalid.
  return style.dialect === "v4"
    ? absent(`${path} is no regular file`)
    : seen(false, `${path} is no regular file`);
}

/** The first that finds decides; without one, one that could not tell does. */
function firstFound(paths: readonly string[], judge: (path: string) => RuleResult): RuleResult {
  let result: RuleResult = seen(false, "nothing was named");
  let isUnknown = false;
  for (const path of paths) {
    const one = judge(path);
    if (one.state === "found") return one;
    if (!isUnknown) result = one;
    isUnknown ||= one.state === "unknown";
  }
  return result;
}

/** Judges a rule about files, leaving its negation aside. */
export function judgeFiles(
  rule: Extract<ScaRule, { readonly kind: "file" }>,
  device: Device,
  style: MatchStyle,
): RuleResult {
  const { terms } = rule;
  return firstFound(rule.paths, (path) =>
    terms === undefined ? existence(device, path, style) : contentOf(device, path, terms, style),
  );
}

interface Walk {
  readonly device: Device;
  readonly style: MatchStyle;
  readonly names: readonly ScaTerm[];
  readonly terms?: readonly ScaTerm[];
  entries: number;
}

/** Whether the name of a file is meant. Wazuh 4 looks for a name that is no expression inside the name. */
function isMeant(walk: Walk, name: string): boolean | string {
  const [only] = walk.names;
  if (walk.style.dialect === "v4" && only?.kind === "literal") return name.includes(only.text);
  const found = findLine([name], walk.names, walk.style);
  return found.ok ? found.value : `${found.problem.subject}: ${found.problem.detail}`;
}

function inFolder(walk: Walk, folder: string, depth: number): RuleResult {
  if (depth > MAX_DEPTH) return faulty(`${folder}: more than ${MAX_DEPTH} folders deep`);
  const names = walk.device.folder(folder);
  if (names.state === "unreadable") return faulty(names.reason);
  if (names.state === "missing") return absent(`${folder} is not there`);
  let result: RuleResult = seen(false, `no such file in ${folder}`);
  const keep = (one: RuleResult): void => {
    if (one.state === "unknown" && result.state !== "unknown") result = one;
  };
  let hasFile = false;
  for (const name of names.value) {
    walk.entries += 1;
    if (walk.entries > MOST_ENTRIES) return faulty(`${folder}: more than ${MOST_ENTRIES} entries`);
    const path = `${folder === "/" ? "" : folder}/${name}`;
    const facts = walk.device.linkFacts(path);
    if (facts.state === "unreadable") return faulty(facts.reason);
    if (facts.state === "missing") continue;
    // Wazuh 5 leaves symbolic links out.
    if (facts.value.kind === "link" && walk.style.dialect === "v5") continue;
    if (facts.value.kind === "folder") {
      const inner = inFolder(walk, path, depth + 1);
      if (inner.state === "found") return inner;
      keep(inner);
      continue;
    }
    hasFile = true;
    const meant = isMeant(walk, name);
    if (typeof meant === "string") return faulty(meant);
    if (!meant) continue;
    const found =
      walk.terms === undefined
        ? seen(true, path)
        : contentOf(walk.device, path, walk.terms, walk.style);
    if (found.state === "found") return found;
    // Wazuh 5 goes on to the next file whatever it was.
    if (walk.style.dialect === "v4" || (found.state === "unknown" && found.isFault)) keep(found);
  }
  // Wazuh 5 takes a folder that holds nothing but folders and links for a fault of the expression.
  const isExpression = walk.names[0]?.kind === "regex";
  if (walk.style.dialect === "v5" && isExpression && !hasFile && names.value.length > 0)
    keep(absent(`${folder} holds no file`));
  return result;
}

/**
 * Judges a rule about a folder, or about files below it, leaving its negation aside.
 * Source: Wazuh sca_policy_check.cpp (DirRuleEvaluator), wm_sca.c (wm_sca_check_dir).
 */
export function judgeFolders(
  rule: Extract<ScaRule, { readonly kind: "folder" }>,
  device: Device,
  style: MatchStyle,
): RuleResult {
  const { names, terms } = rule;
  return firstFound(rule.paths, (given) => {
    const path = given.replace(/(.)\/+$/, "$1");
    const facts = device.facts(path);
    if (facts.state === "unreadable") return faulty(facts.reason);
    const isFolder = facts.state === "value" && facts.value.kind === "folder";
    if (names === undefined)
      return seen(isFolder, isFolder ? `${path} is a folder` : `${path} is no folder`);
    if (!isFolder) return absent(`${path} is no folder`);
    return inFolder(
      { device, style, names, ...(terms === undefined ? {} : { terms }), entries: 0 },
      path,
      0,
    );
  });
}
