import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import { printStateful } from "./print-stateful.ts";

/** Keys whose values are names or times: quoted, since they may hold any character. */
const NAME_KEYS: ReadonlySet<JsonValue | undefined> = new Set([
  "iif",
  "oif",
  "iifname",
  "oifname",
  "ibrname",
  "obrname",
  "iifkind",
  "oifkind",
  "sdifname",
  "time",
  "day",
  "hour",
  "helper",
]);
const BINARY: ReadonlySet<string> = new Set(["|", "&", "^", "<<", ">>"]);

/** A name in quotes; nft knows no escapes, so a quote within is left out. */
export function quoted(text: string): string {
  return `"${text.replaceAll('"', "")}"`;
}

/** Which texts on the other side of an expression are names: all or none, or by part of a concatenation. */
export type Names = boolean | readonly boolean[];

/** What texts are that this expression is compared with. */
export function namesIn(expression: JsonValue | undefined): Names {
  if (expression === undefined || !isJsonObject(expression)) return false;
  if (Array.isArray(expression["concat"])) return expression["concat"].map(isNamed);
  return isNamed(expression);
}

function isNamed(expression: JsonValue): boolean {
  if (!isJsonObject(expression)) return false;
  const socket = expression["socket"];
  if (socket !== undefined && isJsonObject(socket)) return socket["key"] === "cgroupv2";
  if (expression["osf"] !== undefined) return true;
  const inner = expression["meta"] ?? expression["ct"];
  return isJsonObject(inner) && NAME_KEYS.has(inner["key"]);
}

/**
 * An expression in nft's own language: `tcp dport`, `{ 22, 80-90 }`, `10.0.0.0/8`, `ip saddr . tcp dport`.
 * What is not known is printed as JSON. Source: nft(8), expressions; libnftables-json(5).
 */
export function printExpression(value: JsonValue, names: Names = false): string {
  if (typeof value === "string") {
    return names === true && !value.startsWith("@") ? quoted(value) : value;
  }
  if (typeof value === "boolean") return value ? "exists" : "missing";
  if (Array.isArray(value)) return value.map((part) => printExpression(part, names)).join(",");
  if (!isJsonObject(value)) return String(value);
  const [entry] = Object.entries(value);
  if (entry === undefined) return "{}";
  const [kind, inner] = entry;
  if (BINARY.has(kind) && Array.isArray(inner)) return binary(kind, inner);
  const list = Array.isArray(inner) ? inner : [];
  switch (kind) {
    case "concat":
      return list.map((part, at) => printExpression(part, nameAt(names, at))).join(" . ");
    case "set":
      return `{ ${list.map((part) => printElement(part, names)).join(", ")} }`;
    case "range":
      return list.map((part) => printExpression(part, names)).join("-");
    default:
      return isJsonObject(inner) ? structured(kind, inner, names) : verdictOrJson(kind, value);
  }
}

function nameAt(names: Names, at: number): boolean {
  return typeof names === "boolean" ? names : (names[at] ?? false);
}

/** `a`, `key : value`, with the times and comment of an element. */
export function printElement(element: JsonValue, names: Names): string {
  if (Array.isArray(element) && element.length === 2) {
    const [key = null, data = null] = element;
    const { head, tail } = elementParts(key, names);
    return `${head}${tail} : ${printExpression(data)}`;
  }
  const { head, tail } = elementParts(element, names);
  return `${head}${tail}`;
}

function elementParts(element: JsonValue, names: Names): { head: string; tail: string } {
  const wrapped = isJsonObject(element) ? element["elem"] : undefined;
  if (!isJsonObject(wrapped)) return { head: printExpression(element, names), tail: "" };
  const { val = null, timeout, expires, comment, ...statements } = wrapped;
  const tail = [
    ...Object.entries(statements).map(([kind, value]) =>
      isJsonObject(value) ? ` ${printStateful(kind, value) ?? ""}` : "",
    ),
    typeof timeout === "number" ? ` timeout ${timeout}s` : "",
    typeof expires === "number" ? ` expires ${expires}s` : "",
    typeof comment === "string" ? ` comment ${quoted(comment)}` : "",
  ].join("");
  return { head: printExpression(val, names), tail };
}

/** Nested expressions are bracketed: nft's own order of operators need not be known. */
function binary(operator: string, sides: readonly JsonValue[]): string {
  const printed = sides.map((side) => {
    if (Array.isArray(side)) return `(${side.map((part) => printExpression(part)).join(" | ")})`;
    const [kind] = isJsonObject(side) ? Object.keys(side) : [];
    const text = printExpression(side);
    return kind !== undefined && BINARY.has(kind) ? `(${text})` : text;
  });
  return printed.join(` ${operator} `);
}

function verdictOrJson(kind: string, value: JsonObject): string {
  const isVerdict =
    kind === "accept" || kind === "drop" || kind === "continue" || kind === "return";
  return isVerdict && value[kind] === null ? kind : JSON.stringify(value);
}

function structured(kind: string, inner: JsonObject, names: Names): string {
  const word = (key: string): string => {
    const value = inner[key];
    return typeof value === "string" || typeof value === "number" ? String(value) : "";
  };
  const optional = (name: string): string =>
    inner[name] === undefined || inner[name] === 0 ? "" : ` ${name} ${word(name)}`;
  switch (kind) {
    case "payload":
      return inner["base"] === undefined
        ? `${word("protocol")} ${word("field")}`
        : `@${word("base")},${word("offset")},${word("len")}`;
    case "prefix":
      return `${printExpression(inner["addr"] ?? null, names)}/${word("len")}`;
    case "meta":
      return `meta ${word("key")}`;
    case "ct":
      return ["ct", word("dir"), word("key")].filter((part) => part !== "").join(" ");
    case "rt":
      return ["rt", word("family"), word("key")].filter((part) => part !== "").join(" ");
    case "fib": {
      const flags = inner["flags"];
      const list = Array.isArray(flags) ? flags.join(" . ") : word("flags");
      return `fib ${list} ${word("result")}`;
    }
    case "exthdr":
      return inner["field"] === undefined
        ? `exthdr ${word("name")}`
        : `${word("name")} ${word("field")}`;
    case "tcp option":
      return inner["base"] === undefined
        ? `tcp option ${word("name")}${inner["field"] === undefined ? "" : ` ${word("field")}`}`
        : `tcp option @${word("base")},${word("offset")},${word("len")}`;
    case "ip option":
      return `ip option ${word("name")}${inner["field"] === undefined ? "" : ` ${word("field")}`}`;
    case "sctp chunk":
      return `sctp chunk ${word("name")}${inner["field"] === undefined ? "" : ` ${word("field")}`}`;
    case "numgen":
      return `numgen ${word("mode")} mod ${word("mod")}${optional("offset")}`;
    case "jhash": {
      const hashed = printExpression(inner["expr"] ?? null);
      return `jhash ${hashed} mod ${word("mod")}${optional("seed")}${optional("offset")}`;
    }
    case "symhash":
      return `symhash mod ${word("mod")}${optional("offset")}`;
    case "socket":
      return `socket ${word("key")}${optional("level")}`;
    case "osf":
      return `osf${inner["ttl"] === undefined ? "" : ` ttl ${word("ttl")}`} ${word("key")}`;
    case "ipsec":
      return `ipsec ${word("dir")}${optional("spnum")} ${[word("family"), word("key")].filter((part) => part !== "").join(" ")}`;
    case "map":
      return `${printExpression(inner["key"] ?? null)} map ${printData(inner)}`;
    case "elem":
      return printElement({ elem: inner }, names);
    case "jump":
    case "goto":
      return `${kind} ${word("target")}`;
    default:
      return JSON.stringify({ [kind]: inner });
  }
}

/** The right side of a map, whose keys are names where the left side says so. */
export function printData(map: JsonObject): string {
  return printExpression(map["data"] ?? null, namesIn(map["key"]));
}
