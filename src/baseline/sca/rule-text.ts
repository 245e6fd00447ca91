import type { ScaDialect, ScaRule, ScaTerm } from "./policy.ts";

const OPERATORS = ["<=", ">=", "==", "!=", "<", ">"] as const;

/** `<regex> compare <operator> <number>`; a reason where it is not. */
function numberTerm(text: string, isNegated: boolean): ScaTerm | string {
  const at = text.indexOf(" compare ");
  if (at < 0) return "n: without compare";
  const [, sign, digits] = /^\s*(\S+)\s+(-?\d{1,9})(?!\d)/.exec(text.slice(at + 9)) ?? [];
  const operator = OPERATORS.find((one) => one === (sign === "=" ? "==" : sign));
  if (operator === undefined || digits === undefined)
    return "compare without an operator and a number";
  return { isNegated, kind: "number", pattern: text.slice(0, at), operator, value: Number(digits) };
}

/** Parts joined by ` && `. Source: Wazuh documentation, Creating custom SCA policies, Content comparison. */
function termsOf(text: string, dialect: ScaDialect): readonly ScaTerm[] | string {
  // Wazuh 5 looks for parts only in a text that begins with one.
  if (dialect === "v5" && !/^!?[rn]:/.test(text))
    return [{ isNegated: false, kind: "literal", text }];
  const terms: ScaTerm[] = [];
  for (const part of text.split(" && ")) {
    const isNegated = part.startsWith("!");
    const plain = isNegated ? part.slice(1) : part;
    if (/^r:/i.test(plain)) terms.push({ isNegated, kind: "regex", pattern: plain.slice(2) });
    else if (/^n:/i.test(plain)) {
      const term = numberTerm(plain.slice(2), isNegated);
      if (typeof term === "string") return term;
      terms.push(term);
    } else terms.push({ isNegated, kind: "literal", text: plain });
  }
  return terms;
}

type Split = readonly [head: string, ...rest: string[]];

function splitArrows(text: string): Split {
  const [head = "", ...rest] = text.split(" -> ");
  return [head.trim(), ...rest];
}

/** Wazuh 4 takes several paths, with commas between them; to Wazuh 5 a comma is part of a name. */
function pathsOf(text: string, dialect: ScaDialect): readonly string[] {
  const paths = dialect === "v4" ? text.split(",").map((path) => path.trim()) : [text];
  return paths.filter((path) => path !== "");
}

function folderRule(
  isNegated: boolean,
  value: string,
  rest: readonly string[],
  dialect: ScaDialect,
): ScaRule | string {
  const paths = pathsOf(value, dialect);
  const [nameText, ...contentText] = rest;
  if (nameText === undefined) return { isNegated, kind: "folder", paths };
  const names = termsOf(nameText, dialect);
  if (typeof names === "string") return names;
  if (contentText.length === 0) return { isNegated, kind: "folder", paths, names };
  const terms = termsOf(contentText.join(" -> "), dialect);
  return typeof terms === "string" ? terms : { isNegated, kind: "folder", paths, names, terms };
}

function ruleOf(
  isNegated: boolean,
  type: string,
  value: string,
  rest: readonly string[],
  dialect: ScaDialect,
): ScaRule | string {
  if (type === "p") return { isNegated, kind: "process", name: [value, ...rest].join(" -> ") };
  if (type === "d") return folderRule(isNegated, value, rest, dialect);
  const terms = rest.length === 0 ? undefined : termsOf(rest.join(" -> "), dialect);
  if (typeof terms === "string") return terms;
  const shared = { isNegated, ...(terms === undefined ? {} : { terms }) };
  if (type === "f") return { ...shared, kind: "file", paths: pathsOf(value, dialect) };
  if (type === "c") return { ...shared, kind: "command", command: value };
  return "registry keys are not of this system";
}

/**
 * Reads one rule, such as `not c:sshd -T -> r:^x11forwarding yes`. What is not understood becomes a rule of
 * the kind `unknown`. Source: Wazuh documentation, Creating custom SCA policies, Rule syntax.
 */
export function parseScaRule(text: string, dialect: ScaDialect): ScaRule {
  const trimmed = text.trim();
  const isNegated = /^(?:not|NOT) /.test(trimmed);
  const [head, ...rest] = splitArrows(isNegated ? trimmed.slice(4).trim() : trimmed);
  const [, type, value] = /^!?([fdpcr]):(.*)$/s.exec(head) ?? [];
  const rule =
    type === undefined || value === undefined || value === ""
      ? "no rule of a known type"
      : ruleOf(isNegated, type, value, rest, dialect);
  if (typeof rule !== "string") return rule;
  return { isNegated, kind: "unknown", text: trimmed.slice(0, 200), reason: rule };
}
