import { fail, ok, type Result } from "../../contract/result.ts";
import type { ScaCheck, ScaDialect, ScaPolicy, ScaRegexType } from "./policy.ts";
import { parseScaRule } from "./rule-text.ts";

/** Longest policy that is read, UTF-16 units: the published ones have 0.8 million. */
const MAX_LENGTH = 8_388_608;
const MAX_CHECKS = 5000;
const MAX_RULES = 200;
const MAX_TEXT = 2000;

type Fields = ReadonlyMap<string, unknown>;

/** The fields of a mapping; none where it is something else. */
function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? new Map(Object.entries(value))
    : new Map();
}

function textOf(fields: Fields, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = fields.get(name);
    if (typeof value === "string") return value.slice(0, MAX_TEXT);
    if (typeof value === "number") return String(value);
  }
  return undefined;
}

interface Context {
  readonly dialect: ScaDialect;
  readonly regexType: ScaRegexType;
  /** Names with their `$`, the longest first. */
  readonly variables: readonly (readonly [name: string, value: string])[];
}

function regexTypeOf(value: string | undefined, fallback: ScaRegexType): ScaRegexType {
  if (value === undefined) return fallback;
  return value.toLowerCase() === "pcre2" ? "pcre2" : "os_regex";
}

function checkOf(value: unknown, where: string, context: Context): ScaCheck | string {
  const fields = fieldsOf(value);
  const id = textOf(fields, "id") ?? where;
  const condition = textOf(fields, "condition");
  if (condition !== "all" && condition !== "any" && condition !== "none")
    return `check ${id}: the condition is none of all, any and none`;
  const lines = fields.get("rules");
  if (!Array.isArray(lines) || lines.length > MAX_RULES)
    return `check ${id}: no list of at most ${MAX_RULES} rules`;
  const rules = lines.map((line: unknown) => {
    let text = typeof line === "string" ? line : "";
    for (const [name, replacement] of context.variables) text = text.replaceAll(name, replacement);
    return parseScaRule(text, context.dialect);
  });
  const remediation = textOf(fields, "remediation");
  return {
    id,
    title: textOf(fields, "title", "name") ?? id,
    ...(remediation === undefined ? {} : { remediation }),
    condition,
    dialect: context.dialect,
    regexType: regexTypeOf(textOf(fields, "regex_type"), context.regexType),
    rules,
  };
}

function contextOf(document: Fields, checks: readonly unknown[]): Context {
  const isV4 =
    textOf(fieldsOf(document.get("policy")), "regex_type") !== undefined ||
    checks.some((check) => fieldsOf(check).has("title"));
  const fallback = isV4 ? "os_regex" : "pcre2";
  const variables = [...fieldsOf(document.get("variables"))].flatMap(([name, value]) =>
    typeof value === "string" && name !== "" ? [[name, value] as const] : [],
  );
  return {
    dialect: isV4 ? "v4" : "v5",
    regexType: regexTypeOf(textOf(fieldsOf(document.get("policy")), "regex_type"), fallback),
    variables: variables.sort(([one], [other]) => other.length - one.length),
  };
}

/** Makes a policy of a document that was read. Errors: `malformed` with what is not as it must be. */
export function scaPolicyOf(document: unknown): Result<ScaPolicy> {
  const fields = fieldsOf(document);
  const policy = fieldsOf(fields.get("policy"));
  const id = textOf(policy, "id");
  const list = fields.get("checks");
  if (id === undefined) return fail("malformed", "SCA policy", "no policy with an id");
  if (!Array.isArray(list) || list.length > MAX_CHECKS)
    return fail("malformed", `SCA policy ${id}`, `no list of at most ${MAX_CHECKS} checks`);
  const context = contextOf(fields, list);
  const checks: ScaCheck[] = [];
  for (const [index, entry] of list.entries()) {
    const check = checkOf(entry, `number ${index + 1}`, context);
    if (typeof check === "string") return fail("malformed", `SCA policy ${id}`, check);
    checks.push(check);
  }
  const name = textOf(policy, "name") ?? id;
  if (!fields.has("requirements")) return ok({ id, name, checks });
  const requirements = checkOf(fields.get("requirements"), "requirements", context);
  if (typeof requirements === "string") return fail("malformed", `SCA policy ${id}`, requirements);
  return ok({ id, name, requirements, checks });
}

/**
 * Reads a policy of Wazuh's Security Configuration Assessment from its YAML. Errors: `too-large`;
 * `malformed`, with the line where the YAML is at fault; `unsupported` where the YAML library is not
 * installed. Source: Wazuh documentation, Creating custom SCA policies.
 */
export async function importScaPolicy(text: string): Promise<Result<ScaPolicy>> {
  if (text.length > MAX_LENGTH)
    return fail("too-large", "SCA policy", `longer than ${MAX_LENGTH} characters`);
  // Loaded here and nowhere else: only the import of a policy needs it.
  const library = await import("yaml").catch(() => undefined);
  if (library === undefined)
    return fail("unsupported", "SCA policy", "the package yaml is not installed");
  const document = library.parseDocument(text, { logLevel: "silent", uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) return fail("malformed", "SCA policy", error.message);
  try {
    // Aliases are not expanded without end.
    return scaPolicyOf(document.toJS({ maxAliasCount: 100 }));
  } catch (cause) {
    return fail("malformed", "SCA policy", cause instanceof Error ? cause.message : "not readable");
  }
}
