import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import type { NftChain, NftOther, NftRuleset, NftSet, NftTable } from "./model.ts";
import { printElement, printExpression, quoted } from "./print-expression.ts";
import { printRule, printStatement, rate } from "./print-statement.ts";

/**
 * The rule set as text that `nft -f` takes. Rules of the kernel's own extensions (`xt`) cannot be written
 * in it: they come out as JSON, which nft refuses. Source: nft(8).
 */
export function printNft(ruleset: NftRuleset): string {
  return ruleset.tables.map((table) => printTable(table, ruleset)).join("");
}

function printTable(table: NftTable, ruleset: NftRuleset): string {
  const isOwn = (place: { readonly family: unknown; readonly table?: unknown }): boolean =>
    place.family === table.family && place.table === table.name;
  const others = ruleset.others.filter(({ object }) =>
    isOwn({ family: object["family"], table: object["table"] }),
  );
  const lines = [
    ...(table.flags.length === 0 ? [] : [`flags ${table.flags.join(", ")};`]),
    ...others.flatMap(printOther),
    ...ruleset.sets.filter(isOwn).map(printSet),
    // Chains are declared before rules jump to them.
    ...ruleset.chains.filter(isOwn).map((chain) => printChain(chain, ruleset)),
  ];
  return `table ${table.family} ${table.name} {\n${lines.map((line) => `${line}\n`).join("")}}\n`;
}

function printChain(chain: NftChain, ruleset: NftRuleset): string {
  const { base } = chain;
  const [device, ...more] = base?.devices ?? [];
  const devices =
    device === undefined
      ? ""
      : more.length === 0
        ? ` device ${quoted(device)}`
        : ` devices = { ${[device, ...more].map(quoted).join(", ")} }`;
  const head =
    base === undefined
      ? []
      : [
          `type ${base.type} hook ${base.hook}${devices} priority ${base.priority}; policy ${base.policy ?? "accept"};`,
        ];
  const rules = ruleset.rules
    .filter(
      (rule) =>
        rule.chain === chain.name && rule.table === chain.table && rule.family === chain.family,
    )
    .map(printRule);
  return `chain ${chain.name} {\n${[...head, ...rules].map((line) => `${line}\n`).join("")}}`;
}

function printSet(set: NftSet): string {
  const { object } = set;
  const type = typeText(object["type"]);
  const target = set.mapsTo === undefined ? "" : ` : ${typeText(set.mapsTo)}`;
  const seconds = (key: string, name: string): readonly string[] =>
    typeof object[key] === "number" ? [`${name} ${object[key]}s;`] : [];
  const flags = object["flags"];
  const flagList = Array.isArray(flags)
    ? flags.map(String)
    : typeof flags === "string"
      ? [flags]
      : [];
  const statements = Array.isArray(object["stmt"]) ? object["stmt"].filter(isJsonObject) : [];
  const lines = [
    `type ${type}${target};`,
    ...(typeof object["policy"] === "string" ? [`policy ${object["policy"]};`] : []),
    ...(flagList.length === 0 ? [] : [`flags ${flagList.join(",")};`]),
    ...statements.map((statement) => `${printStatement(statement)};`),
    ...seconds("timeout", "timeout"),
    ...seconds("gc-interval", "gc-interval"),
    ...(typeof object["size"] === "number" ? [`size ${object["size"]};`] : []),
    ...(object["auto-merge"] === true ? ["auto-merge;"] : []),
    ...(typeof object["comment"] === "string" ? [`comment ${quoted(object["comment"])};`] : []),
    ...elementLines(set),
  ];
  return `${set.kind} ${set.name} {\n${lines.map((line) => `${line}\n`).join("")}}`;
}

function elementLines(set: NftSet): readonly string[] {
  if (set.elements.length === 0) return [];
  const areNames = typeText(set.object["type"]) === "ifname";
  const elements = set.elements.map((element) => printElement(element, areNames));
  return [`elements = { ${elements.join(", ")} };`];
}

/** `ipv4_addr`, or `ipv4_addr . inet_service` of a list. */
function typeText(type: JsonValue | undefined): string {
  return Array.isArray(type) ? type.map(String).join(" . ") : String(type ?? "");
}

function printOther({ kind, object }: NftOther): readonly string[] {
  const name = String(object["name"] ?? "");
  const body = otherBody(kind, object);
  return body === undefined ? [] : [`${kind} ${name} {\n${body}\n}`];
}

function otherBody(kind: string, object: JsonObject): string | undefined {
  const word = (key: string): string => {
    const value = object[key];
    return typeof value === "string" || typeof value === "number" ? String(value) : "";
  };
  const over = object["inv"] === true ? "over " : "";
  switch (kind) {
    case "counter":
      return `packets ${word("packets")} bytes ${word("bytes")}`;
    case "quota":
      return `${over}${word("bytes")} bytes used ${word("used") || "0"} bytes`;
    case "limit":
      return rate(object);
    case "ct helper":
      return `type ${quoted(word("type"))} protocol ${word("protocol")};\nl3proto ${word("l3proto")};`;
    case "ct timeout":
      return `protocol ${word("protocol")};\nl3proto ${word("l3proto")};\npolicy = { ${policyText(object["policy"])} };`;
    case "ct expectation":
      return `protocol ${word("protocol")};\ndport ${word("dport")};\ntimeout ${word("timeout")}ms;\nsize ${word("size")};\nl3proto ${word("l3proto")};`;
    case "secmark":
      return quoted(word("context"));
    case "synproxy": {
      const flags = object["flags"];
      const words = Array.isArray(flags) ? flags.join(" ") : word("flags");
      return `mss ${word("mss")}\nwscale ${word("wscale")}\n${words}`;
    }
    case "flowtable":
      return flowTable(object);
    default:
      return undefined;
  }
}

function policyText(policy: JsonValue | undefined): string {
  if (policy === undefined || !isJsonObject(policy)) return "";
  return Object.entries(policy)
    .map(([state, time]) => `${state} : ${String(time)}`)
    .join(", ");
}

function flowTable(object: JsonObject): string {
  const devices = object["dev"];
  const list = Array.isArray(devices) ? devices : devices === undefined ? [] : [devices];
  const names = list.map((device) => printExpression(device, true)).join(", ");
  const hook = String(object["hook"] ?? "ingress");
  const priority = String(object["prio"] ?? 0);
  return `hook ${hook} priority ${priority};${list.length === 0 ? "" : `\ndevices = { ${names} };`}`;
}
