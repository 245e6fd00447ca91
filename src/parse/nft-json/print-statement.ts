import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import type { NftRule, NftStatement } from "./model.ts";
import { namesIn, printData, printExpression, quoted } from "./print-expression.ts";
import { printStateful, word, wordsOf } from "./print-stateful.ts";

/** A rule as it stands in a chain block: statements and comment, one line, no handle. */
export function printRule(rule: NftRule): string {
  const statements = rule.statements.map(printStatement);
  if (rule.comment !== undefined) statements.push(`comment ${quoted(rule.comment)}`);
  return statements.join(" ");
}

/**
 * A match or statement in nft's own language; what is not known is printed as JSON. Source: nft(8),
 * statements; libnftables-json(5).
 */
export function printStatement(statement: NftStatement): string {
  if (typeof statement === "string") return statement;
  const [entry] = Object.entries(statement);
  if (entry === undefined) return "";
  const [kind, value] = entry;
  if (value === null) return kind;
  if (typeof value === "string") return named(kind, value);
  if (!isJsonObject(value)) return JSON.stringify(statement);
  return structured(kind, value) ?? JSON.stringify(statement);
}

/** A statement that refers to an object of the table. */
function named(kind: string, name: string): string {
  if (kind === "ct helper" || kind === "ct timeout" || kind === "ct expectation") {
    return `${kind} set ${quoted(name)}`;
  }
  if (kind === "secmark") return `meta secmark set ${quoted(name)}`;
  return `${kind} name ${quoted(name)}`;
}

/** Statements that may choose the object they mean by a map. */
const NAMED_BY_MAP: ReadonlySet<string> = new Set(["counter", "quota", "limit"]);

function structured(kind: string, value: JsonObject): string | undefined {
  if (NAMED_BY_MAP.has(kind) && value["map"] !== undefined) {
    return `${kind} name ${printExpression(value)}`;
  }
  switch (kind) {
    case "match":
      return match(value);
    case "mangle":
      return `${printExpression(value["key"] ?? null)} set ${printExpression(value["value"] ?? null, namesIn(value["key"]))}`;
    case "log":
      return log(value);
    case "reject":
      return reject(value);
    case "snat":
    case "dnat":
    case "masquerade":
    case "redirect":
      return nat(kind, value);
    case "queue":
      return queue(value);
    case "dup":
      return `dup to ${printExpression(value["addr"] ?? null, true)}${device(value)}`;
    case "fwd":
      return value["addr"] === undefined
        ? `fwd to ${printExpression(value["dev"] ?? null, true)}`
        : `fwd ${word(value, "family")} to ${printExpression(value["addr"])}${device(value)}`;
    case "set":
    case "map":
      return update(value);
    case "meter":
      return meter(value);
    case "reset":
      return `reset ${printExpression(value)}`;
    case "flow":
      return `flow ${word(value, "op")} ${word(value, "flowtable")}`;
    case "tproxy":
      return `tproxy ${family(value)}to ${target(value)}`;
    case "synproxy":
      return synproxy(value);
    case "vmap":
      return `${printExpression(value["key"] ?? null)} vmap ${printData(value)}`;
    case "jump":
    case "goto":
      return `${kind} ${word(value, "target")}`;
    default:
      return printStateful(kind, value);
  }
}

function family(value: JsonObject): string {
  return value["family"] === undefined ? "" : `${word(value, "family")} `;
}

function device(value: JsonObject): string {
  return value["dev"] === undefined ? "" : ` device ${printExpression(value["dev"], true)}`;
}

/** Kinds of fields that are sets of bits: there `a` means "one of", and `== a` "exactly". */
function isBits(left: JsonValue): boolean {
  if (!isJsonObject(left)) return false;
  if (left["&"] !== undefined) return true;
  const tracking = left["ct"];
  if (isJsonObject(tracking))
    return ["state", "status", "event", "label"].includes(word(tracking, "key"));
  const payload = left["payload"];
  return isJsonObject(payload) && payload["field"] === "flags";
}

function match(value: JsonObject): string {
  const left = value["left"] ?? null;
  const right = value["right"] ?? null;
  const op = word(value, "op");
  const isSet =
    (typeof right === "string" && right.startsWith("@")) ||
    (isJsonObject(right) && right["set"] !== undefined);
  const sign = op === "in" || (op === "==" && (isSet || !isBits(left))) ? "" : `${op} `;
  const isAlternative = Array.isArray(right) && op !== "in" && isBits(left);
  const printed = isAlternative
    ? right.map((part) => printExpression(part)).join(" | ")
    : printExpression(right, namesIn(left));
  return `${looked(left, right)} ${sign}${printed}`;
}

/** The left side; an option known by number alone is asked for by it where only its presence matters. */
function looked(left: JsonValue, right: JsonValue): string {
  const option = isJsonObject(left) ? left["tcp option"] : undefined;
  const isNumbered = isJsonObject(option) && option["base"] !== undefined;
  return isNumbered && typeof right === "boolean"
    ? `tcp option ${word(option, "base")}`
    : printExpression(left);
}

function log(value: JsonObject): string {
  const parts = ["log"];
  if (typeof value["prefix"] === "string") parts.push(`prefix ${quoted(value["prefix"])}`);
  if (value["group"] !== undefined) parts.push(`group ${word(value, "group")}`);
  if (value["snaplen"] !== undefined) parts.push(`snaplen ${word(value, "snaplen")}`);
  if (value["queue-threshold"] !== undefined) {
    parts.push(`queue-threshold ${word(value, "queue-threshold")}`);
  }
  if (value["level"] !== undefined) parts.push(`level ${word(value, "level")}`);
  return [...parts, ...wordsOf(value["flags"]).map((flag) => `flags ${flag}`)].join(" ");
}

function reject(value: JsonObject): string {
  const type = word(value, "type");
  if (type === "") return "reject";
  if (type === "tcp reset") return "reject with tcp reset";
  return `reject with ${type} ${printExpression(value["expr"] ?? null)}`;
}

function nat(kind: string, value: JsonObject): string {
  // `prefix` says the same, and nft takes no flag of this name.
  const words = wordsOf(value["flags"]).filter((flag) => flag !== "netmap");
  const suffix = words.length === 0 ? "" : ` ${words.join(",")}`;
  const isPrefix = wordsOf(value["type_flags"]).includes("prefix");
  const to = target(value);
  return `${kind}${to === "" ? "" : ` ${family(value)}${isPrefix ? "prefix " : ""}to ${to}`}${suffix}`;
}

/** `addr`, `addr:port`, `[addr6]:port`, `:port`. */
function target(value: JsonObject): string {
  const { addr, port } = { addr: value["addr"], port: value["port"] };
  const address = addr === undefined ? "" : printExpression(addr);
  if (port === undefined) return address;
  const isPlain = typeof addr === "string" || (isJsonObject(addr) && addr["range"] !== undefined);
  const isSix = isPlain && address.includes(":");
  const bracketed = isSix
    ? address
        .split("-")
        .map((one) => `[${one}]`)
        .join("-")
    : address;
  return `${bracketed}:${printExpression(port)}`;
}

function queue(value: JsonObject): string {
  const words = wordsOf(value["flags"]).join(",");
  const to = value["num"] === undefined ? "" : ` to ${printExpression(value["num"])}`;
  return `queue${words === "" ? "" : ` flags ${words}`}${to}`;
}

function update(value: JsonObject): string {
  const name = word(value, "set") || word(value, "map");
  const data = value["data"] === undefined ? "" : ` : ${printExpression(value["data"])}`;
  const statements = inner(value["stmt"]);
  const element = printExpression(value["elem"] ?? null);
  return `${word(value, "op")} ${name} { ${element}${statements === "" ? "" : ` ${statements}`}${data} }`;
}

function inner(statements: JsonValue | undefined): string {
  const list = Array.isArray(statements)
    ? statements
    : statements === undefined
      ? []
      : [statements];
  return list.filter(isJsonObject).map(printStatement).join(" ");
}

function meter(value: JsonObject): string {
  const size = value["size"] === undefined ? "" : ` size ${word(value, "size")}`;
  const key = printExpression(value["key"] ?? null);
  return `meter ${word(value, "name")}${size} { ${key} ${inner(value["stmt"])} }`;
}

function synproxy(value: JsonObject): string {
  return [
    "synproxy",
    value["mss"] === undefined ? "" : `mss ${word(value, "mss")}`,
    value["wscale"] === undefined ? "" : `wscale ${word(value, "wscale")}`,
    ...wordsOf(value["flags"]),
  ]
    .filter((part) => part !== "")
    .join(" ");
}
