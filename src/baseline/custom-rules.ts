import { createHash } from "node:crypto";
import { isJsonObject, type JsonObject } from "../contract/json.ts";
import type { Probe } from "../contract/probe.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import {
  boolean,
  choice,
  describeFault,
  type Fault,
  integer,
  optional,
  record,
  text,
} from "../contract/schema.ts";
import { parseJsonObject } from "../parse/json.ts";
import { nearestName } from "../parse/nearest-name.ts";
import type { Check } from "./check.ts";
import { CHECK_FORMS, NEEDED_BY_QUESTION } from "./check-forms.ts";
import type { Rule } from "./rule.ts";
import { isScaCheck } from "./sca/check-form.ts";

/** Largest rule file, bytes. */
export const MAX_RULE_FILE_BYTES = 1_048_576;
/** Most rules of one file: their verdicts are kept between two runs. */
export const MOST_CUSTOM_RULES = 400;
const MAX_DEPTH = 8;
const MOST_PARTS = 64;
const MOST_FAULTS_TOLD = 5;

/** A letter first, so that no custom rule passes for a numbered control. */
const RULE_ID = /^[A-Za-z][A-Za-z0-9._-]{0,39}$/;

const RULE_FORM = record({
  id: text({
    maxLength: 40,
    form: "1 to 40 letters, digits, dots, hyphens and underscores, a letter first",
    accepts: (id) => RULE_ID.test(id),
  }),
  title: text({ maxLength: 200, form: "a title", accepts: (title) => title.trim() !== "" }),
  rationale: text({ maxLength: 1_000, default: "" }),
  remediation: text({ maxLength: 2_000 }),
  level: integer({ min: 1, max: 2, default: 1 }),
  workstationLevel: optional(integer({ min: 1, max: 2 })),
  isScored: boolean({ default: true }),
  severity: choice(["Critical", "Important", "Warning", "Informational"]),
  group: text({ maxLength: 80, default: "Custom" }),
  cost: choice(["light", "shared", "walk"], { default: "light" }),
  otherwise: optional(text({ maxLength: 200 })),
});

/**
 * Rules of a file `{"rules": [...]}` in the form of the built-in ones, strictly: one fault, and none of
 * the file is used. Errors: `malformed` naming rule and field; `too-large`.
 */
export function decodeCustomRules(content: string, subject: string): Result<readonly Rule[]> {
  const parsed = parseJsonObject(content, subject, { maxLength: MAX_RULE_FILE_BYTES });
  if (!parsed.ok) return parsed;
  const { rules: given, $schema: _schema, ...others } = parsed.value;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return fail("malformed", subject, `unknown key ${unknown}`);
  if (!Array.isArray(given) || given.length === 0 || given.length > MOST_CUSTOM_RULES) {
    return fail("malformed", subject, `rules: expected a list of 1 to ${MOST_CUSTOM_RULES} rules`);
  }
  const entries: readonly unknown[] = given;
  const lines: string[] = [];
  const rules: Rule[] = [];
  for (const [index, entry] of entries.entries()) {
    const decoded = decodeRule(entry, index);
    if (!decoded.ok) lines.push(...decoded.faults);
    else if (rules.some(({ id }) => id === decoded.rule.id)) {
      lines.push(`rule ${decoded.rule.id}: there are two of it`);
    } else rules.push(decoded.rule);
  }
  if (lines.length === 0) return ok(rules);
  const rest = lines.length - MOST_FAULTS_TOLD;
  const told = lines.slice(0, MOST_FAULTS_TOLD).join("; ");
  return fail("malformed", subject, rest > 0 ? `${told}; and ${rest} more` : told);
}

/**
 * The rules of a file on the device, if its content has the SHA-256 that was promised. The bytes that are
 * hashed are the bytes that are decoded. Errors: those of reading and decoding; `conflict` for another hash.
 */
export function readCustomRules(
  probe: Probe,
  path: string,
  sha256: string,
): Result<readonly Rule[]> {
  const bytes = probe.readBytes(path, MAX_RULE_FILE_BYTES);
  if (!bytes.ok) return bytes;
  const found = createHash("sha256").update(bytes.value).digest("hex");
  if (found !== sha256.toLowerCase()) {
    return fail("conflict", path, `its SHA-256 is ${found}, so none of its rules is used`);
  }
  return decodeCustomRules(new TextDecoder().decode(bytes.value), path);
}

type DecodedRule =
  | { readonly ok: true; readonly rule: Rule }
  | { readonly ok: false; readonly faults: readonly string[] };

function decodeRule(input: unknown, index: number): DecodedRule {
  const where = `rule ${index + 1}`;
  if (!isJsonObject(input)) return { ok: false, faults: [`${where}: expected an object`] };
  const { check, appliesWhen, ...rest } = input;
  const faults: Fault[] = [];
  const fields = RULE_FORM.read(rest, faults);
  const isChecked = isCheck(check, faults, "check");
  const hasCondition = appliesWhen !== undefined && isCheck(appliesWhen, faults, "appliesWhen");
  if (!isChecked || faults.length > 0) {
    const name = typeof input["id"] === "string" ? `rule ${input["id"].slice(0, 40)}` : where;
    return { ok: false, faults: faults.map((fault) => `${name}: ${describeFault(fault)}`) };
  }
  const { level, workstationLevel, otherwise, ...plain } = fields;
  return {
    ok: true,
    rule: {
      ...plain,
      level: levelOf(level),
      ...(workstationLevel === undefined ? {} : { workstationLevel: levelOf(workstationLevel) }),
      ...(otherwise === undefined ? {} : { otherwise }),
      ...(hasCondition ? { appliesWhen } : {}),
      check,
    },
  };
}

function levelOf(level: number): 1 | 2 {
  return level === 2 ? 2 : 1;
}

/** Whether a value is a check expression; what is wrong with it goes to `faults`. */
function isCheck(input: unknown, faults: Fault[], path: string, depth = 0): input is Check {
  const before = faults.length;
  const fault = (where: string, kind: Fault["kind"], expected: string): void => {
    faults.push({ path: where, kind, found: kind === "missing" ? "" : "it", expected });
  };
  if (input === undefined) fault(path, "missing", "a check");
  else if (!isJsonObject(input)) fault(path, "type", "an object");
  else if (depth > MAX_DEPTH) fault(path, "bound", `at most ${MAX_DEPTH} checks in each other`);
  else if (typeof input["test"] === "string") checkPrimitive(input, input["test"], faults, path);
  else checkExpression(input, faults, path, depth);
  return faults.length === before;
}

function checkExpression(input: JsonObject, faults: Fault[], path: string, depth: number): void {
  const [key = "", ...others] = Object.keys(input);
  const value = input[key];
  const isJoin = key === "all" || key === "any";
  if (others.length > 0 || !(isJoin || ["not", "manual", "sca"].includes(key))) {
    const expected =
      "one of test, all, any, not, manual, sca, and no other key beside the last five";
    faults.push({ path, kind: "type", found: JSON.stringify(Object.keys(input)), expected });
    return;
  }
  const below = `${path}.${key}`;
  if (isJoin) {
    const parts: readonly unknown[] = Array.isArray(value) ? value : [];
    if (parts.length === 0 || parts.length > MOST_PARTS) {
      const expected = `a list of 1 to ${MOST_PARTS} checks`;
      faults.push({ path: below, kind: "bound", found: "it", expected });
    }
    for (const [at, part] of parts.entries()) isCheck(part, faults, `${below}[${at}]`, depth + 1);
  } else if (key === "not") isCheck(value, faults, below, depth + 1);
  else if (key === "sca") isScaCheck(value, faults, below);
  else text({ maxLength: 300 }).read(value, faults, below);
}

function checkPrimitive(input: JsonObject, test: string, faults: Fault[], path: string): void {
  const forms = Object.entries(CHECK_FORMS);
  const fields = forms.find(([name]) => name === test)?.[1];
  if (fields === undefined) {
    const names = forms.map(([name]) => name);
    const near = nearestName(test, names);
    const expected =
      near === undefined ? `one of ${names.join(", ")}` : `a known test; did you mean ${near}?`;
    faults.push({
      path: `${path}.test`,
      kind: "bound",
      found: JSON.stringify(test.slice(0, 40)),
      expected,
    });
    return;
  }
  const { test: _test, ...rest } = input;
  const { question } = rest;
  const needed = (typeof question === "string" && NEEDED_BY_QUESTION.get(question)) || [];
  for (const [name, field] of Object.entries(fields)) {
    // A list and a record have defaults of their own; here what is not optional must be said.
    if (rest[name] !== undefined) continue;
    if (field.isOptional && !needed.includes(name)) continue;
    faults.push({ path: `${path}.${name}`, kind: "missing", found: "", expected: field.expected });
    return;
  }
  record({ ...fields }).read(rest, faults, path);
}
