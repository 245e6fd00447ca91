import type { TableFamily } from "../../contract/firewall.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import type { Problem } from "../../contract/result.ts";
import { parseJson } from "../json.ts";
import type {
  NftBase,
  NftChain,
  NftOther,
  NftReading,
  NftRule,
  NftSet,
  NftStatement,
  NftTable,
} from "./model.ts";
import { splitObjects } from "./split-objects.ts";

export interface NftLimits {
  /** UTF-16 units of text; default 64 Mi. */
  readonly maxLength?: number;
  /** Rules; default 200,000. */
  readonly maxRules?: number;
}

const SUBJECT = "nft -j list ruleset";
const MOST_PROBLEMS = 100;
/** A set of 100,000 elements is about 3 MB of text. */
const LONGEST_OBJECT = 33_554_432;
const DEEPEST_OBJECT = 64;
const FAMILIES: ReadonlySet<JsonValue | undefined> = new Set([
  "ip",
  "ip6",
  "inet",
  "arp",
  "bridge",
  "netdev",
]);

interface Lists {
  readonly tables: NftTable[];
  readonly chains: NftChain[];
  readonly rules: NftRule[];
  readonly sets: NftSet[];
  readonly others: NftOther[];
}

/**
 * Reads what `nft -j list ruleset` writes, object by object, so that a text that was cut yields all that
 * stands before the cut. Never throws: an object that is not understood is a problem and costs nothing
 * else. Source: libnftables-json(5).
 */
export function parseNftJson(text: string, limits: NftLimits = {}): NftReading {
  const maxLength = limits.maxLength ?? 67_108_864;
  const maxRules = limits.maxRules ?? 200_000;
  const lists: Lists = { tables: [], chains: [], rules: [], sets: [], others: [] };
  const problems: Problem[] = [];
  let isComplete = true;
  const miss = (code: Problem["code"], detail: string): void => {
    isComplete = false;
    if (problems.length < MOST_PROBLEMS) problems.push({ code, subject: SUBJECT, detail });
  };
  const split = splitObjects(text.slice(0, maxLength));
  if (text.length > maxLength) {
    miss("too-large", `${text.length} characters; the first ${maxLength} are read`);
  }
  for (const { from, to } of split.objects) {
    if (lists.rules.length >= maxRules) {
      miss("too-large", `more than ${maxRules} rules`);
      break;
    }
    const parsed = parseJson(text.slice(from, to), SUBJECT, {
      maxLength: LONGEST_OBJECT,
      maxDepth: DEEPEST_OBJECT,
    });
    if (!parsed.ok) miss(parsed.problem.code, `${at(text, from)}: ${parsed.problem.detail}`);
    else if (!isJsonObject(parsed.value)) miss("malformed", `${at(text, from)}: not an object`);
    else {
      const fault = takeObject(parsed.value, lists);
      if (fault !== undefined) miss("malformed", `${at(text, from)}: ${fault}`);
    }
  }
  const { isEnded, fault, faultAt } = split;
  if (!isEnded) miss("malformed", faultAt === undefined ? fault : `${at(text, faultAt)}: ${fault}`);
  return { ruleset: lists, problems, isComplete };
}

/** Place of an offset, for people. */
function at(text: string, offset: number): string {
  let line = 1;
  for (
    let next = text.indexOf("\n");
    next !== -1 && next < offset;
    next = text.indexOf("\n", next + 1)
  ) {
    line += 1;
  }
  return `line ${line}, character ${offset}`;
}

/** Files an object by its one key; says what is wrong with it. */
function takeObject(wrapper: JsonObject, lists: Lists): string | undefined {
  const [entry] = Object.entries(wrapper);
  if (entry === undefined) return "an empty object";
  const [kind, object] = entry;
  if (kind === "metainfo") return undefined;
  if (object === undefined || !isJsonObject(object)) return `${kind} is not an object`;
  switch (kind) {
    case "table":
      return take(lists.tables, tableOf(object), kind);
    case "chain":
      return take(lists.chains, chainOf(object), kind);
    case "rule":
      return take(lists.rules, ruleOf(object), kind);
    case "set":
    case "map":
      return take(lists.sets, setOf(kind, object), kind);
    default:
      lists.others.push({ kind, object });
      return undefined;
  }
}

function take<T>(list: T[], value: T | undefined, kind: string): string | undefined {
  if (value === undefined) return `a ${kind} without family, table, name or statements`;
  list.push(value);
  return undefined;
}

function familyOf(object: JsonObject): TableFamily | undefined {
  const family = object["family"];
  return isFamily(family) ? family : undefined;
}

function isFamily(value: JsonValue | undefined): value is TableFamily {
  return FAMILIES.has(value);
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** nft writes one word where there is one, and a list where there are several. */
function wordsOf(value: JsonValue | undefined): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((word) => typeof word === "string") : [];
}

function tableOf(object: JsonObject): NftTable | undefined {
  const family = familyOf(object);
  const name = textOf(object["name"]);
  if (family === undefined || name === undefined) return undefined;
  return { family, name, flags: wordsOf(object["flags"]) };
}

function chainOf(object: JsonObject): NftChain | undefined {
  const family = familyOf(object);
  const table = textOf(object["table"]);
  const name = textOf(object["name"]);
  if (family === undefined || table === undefined || name === undefined) return undefined;
  const base = baseOf(object);
  return { family, table, name, ...(base === undefined ? {} : { base }) };
}

function baseOf(object: JsonObject): NftBase | undefined {
  const hook = textOf(object["hook"]);
  const type = textOf(object["type"]);
  const priority = object["prio"];
  if (hook === undefined || type === undefined || typeof priority !== "number") return undefined;
  const policy = textOf(object["policy"]);
  return {
    type,
    hook,
    priority,
    ...(policy === undefined ? {} : { policy }),
    devices: wordsOf(object["dev"] ?? object["devs"]),
  };
}

function ruleOf(object: JsonObject): NftRule | undefined {
  const family = familyOf(object);
  const table = textOf(object["table"]);
  const chain = textOf(object["chain"]);
  const statements = object["expr"] ?? [];
  if (family === undefined || table === undefined || chain === undefined) return undefined;
  if (!Array.isArray(statements) || !statements.every(isStatement)) return undefined;
  const handle = object["handle"];
  const comment = textOf(object["comment"]);
  return {
    family,
    table,
    chain,
    ...(typeof handle === "number" ? { handle } : {}),
    ...(comment === undefined ? {} : { comment }),
    statements,
  };
}

function isStatement(value: JsonValue): value is NftStatement {
  return typeof value === "string" || isJsonObject(value);
}

function setOf(kind: NftSet["kind"], object: JsonObject): NftSet | undefined {
  const family = familyOf(object);
  const table = textOf(object["table"]);
  const name = textOf(object["name"]);
  const elements = object["elem"] ?? [];
  if (family === undefined || table === undefined || name === undefined) return undefined;
  if (!Array.isArray(elements)) return undefined;
  const flags = [
    ...wordsOf(object["flags"]),
    // A default timeout makes every element expire, whether the flag is written or not.
    ...(object["timeout"] === undefined ? [] : ["timeout"]),
  ];
  const mapsTo = object["map"];
  return {
    kind,
    family,
    table,
    name,
    flags,
    ...(mapsTo === undefined ? {} : { mapsTo }),
    elements,
    object,
  };
}
