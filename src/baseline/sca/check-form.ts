import {
  boolean,
  choice,
  type Fault,
  integer,
  list,
  optional,
  record,
  type Schema,
  text,
} from "../../contract/schema.ts";
import type { ScaCheck } from "./policy.ts";

const word = text({ maxLength: 4_096 });
const words = list(word, { maxItems: 256 });
const yesNo = boolean();

const TERMS: Readonly<Record<string, Schema<unknown>>> = {
  regex: record({ isNegated: yesNo, kind: word, pattern: word }),
  literal: record({ isNegated: yesNo, kind: word, text: word }),
};
const NUMBER_TERM = record({
  isNegated: yesNo,
  kind: word,
  pattern: word,
  operator: choice(["<", "<=", "==", "!=", ">=", ">"]),
});

/** Fields of each kind of rule besides its terms. */
const RULES: Readonly<Record<string, Schema<unknown>>> = {
  file: record({ isNegated: yesNo, kind: word, paths: words }),
  folder: record({ isNegated: yesNo, kind: word, paths: words }),
  process: record({ isNegated: yesNo, kind: word, name: word }),
  command: record({ isNegated: yesNo, kind: word, command: word }),
  unknown: record({ isNegated: yesNo, kind: word, text: word, reason: word }),
};

const CHECK = record({
  id: word,
  title: word,
  remediation: optional(text({ maxLength: 10_000 })),
  condition: choice(["all", "any", "none"]),
  dialect: choice(["v4", "v5"]),
  regexType: choice(["os_regex", "pcre2"]),
});

type Fields = Readonly<Record<string, unknown>>;

function isFields(input: unknown): input is Fields {
  return typeof input === "object" && input !== null && !Array.isArray(input);
}

interface Place {
  readonly faults: Fault[];
  readonly path: string;
}

function wrong({ faults, path }: Place, expected: string): void {
  faults.push({ path, kind: "type", found: "it", expected });
}

/** Reads with a form, every field of which must be there. */
function readAll(form: Schema<unknown>, given: Fields, place: Place): void {
  const before = place.faults.length;
  form.read(given, place.faults, place.path);
  if (place.faults.length > before) return;
  if (given["isNegated"] === undefined && form !== CHECK) wrong(place, "isNegated");
}

function readTerms(input: unknown, place: Place): void {
  if (!Array.isArray(input) || input.length > 64) {
    wrong(place, "a list of terms");
    return;
  }
  for (const [at, term] of input.entries()) {
    const there = { ...place, path: `${place.path}[${at}]` };
    if (!isFields(term)) wrong(there, "an object");
    else if (term["kind"] === "number") {
      const { value, ...rest } = term;
      readAll(NUMBER_TERM, rest, there);
      if (typeof value !== "number" || !Number.isFinite(value)) wrong(there, "a number");
    } else {
      const form = TERMS[String(term["kind"])];
      if (form === undefined) wrong(there, "a term of a known kind");
      else readAll(form, term, there);
    }
  }
}

function readRule(input: unknown, place: Place): void {
  if (!isFields(input)) {
    wrong(place, "an object");
    return;
  }
  const { terms, names, ...rest } = input;
  const form = Object.hasOwn(RULES, String(rest["kind"])) ? RULES[String(rest["kind"])] : undefined;
  if (form === undefined) {
    wrong(place, "a rule of a known kind");
    return;
  }
  readAll(form, rest, place);
  if (terms !== undefined) readTerms(terms, { ...place, path: `${place.path}.terms` });
  if (names === undefined) return;
  if (rest["kind"] === "folder") readTerms(names, { ...place, path: `${place.path}.names` });
  else wrong(place, "names with a folder only");
}

/** Most rules of one check. */
const MOST_RULES = integer({ min: 1, max: 64 });

/** Whether a value is a check of an imported policy; what is wrong with it goes to `faults`. */
export function isScaCheck(input: unknown, faults: Fault[], path: string): input is ScaCheck {
  const before = faults.length;
  const place = { faults, path };
  if (!isFields(input)) wrong(place, "an object");
  else {
    const { rules, ...rest } = input;
    for (const name of ["id", "title", "condition", "dialect", "regexType"]) {
      if (rest[name] === undefined) wrong(place, name);
    }
    readAll(CHECK, rest, place);
    const count = Array.isArray(rules) ? rules.length : 0;
    MOST_RULES.read(count, faults, `${path}.rules`);
    if (Array.isArray(rules)) {
      for (const [at, rule] of rules.slice(0, 64).entries()) {
        readRule(rule, { faults, path: `${path}.rules[${at}]` });
      }
    }
  }
  return faults.length === before;
}
