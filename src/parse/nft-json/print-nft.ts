import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import type { NftBase, NftChain, NftOther, NftRule, NftRuleset, NftTable } from "./model.ts";
import { printExpression, quoted } from "./print-expression.ts";
import { printSet } from "./print-set.ts";
import { rate } from "./print-stateful.ts";
import { printRule } from "./print-statement.ts";
import { writtenSets } from "./written-sets.ts";

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
  const rules = ruleset.rules.filter(isOwn);
  const written = writtenSets(rules);
  const statements = rules.flatMap((rule) => rule.statements);
  const lines = [
    ...(table.flags.length === 0 ? [] : [`flags ${table.flags.join(", ")};`]),
    ...others.flatMap(printOther),
    ...ruleset.sets
      .filter(isOwn)
      .map((set) => printSet(set, { isWritten: written.has(set.name), statements })),
    // Chains are declared before rules jump to them.
    ...chainsWithRules(ruleset.chains.filter(isOwn), rules),
  ];
  return `table ${table.family} ${table.name} {\n${lines.map((line) => `${line}\n`).join("")}}\n`;
}

function chainsWithRules(
  chains: readonly NftChain[],
  rules: readonly NftRule[],
): readonly string[] {
  const byChain = new Map<string, NftRule[]>(chains.map(({ name }) => [name, []]));
  for (const rule of rules) byChain.get(rule.chain)?.push(rule);
  return chains.map((chain) => printChain(chain, byChain.get(chain.name) ?? []));
}

function printChain({ name, base }: NftChain, rules: readonly NftRule[]): string {
  const lines = [...(base === undefined ? [] : [printBase(base)]), ...rules.map(printRule)];
  return `chain ${name} {\n${lines.map((line) => `${line}\n`).join("")}}`;
}

function printBase({ type, hook, devices, priority, policy = "accept" }: NftBase): string {
  const names = devices.map(quoted).join(", ");
  const device =
    devices.length === 0
      ? ""
      : devices.length === 1
        ? ` device ${names}`
        : ` devices = { ${names} }`;
  return `type ${type} hook ${hook}${device} priority ${priority}; policy ${policy};`;
}

function printOther({ kind, object }: NftOther): readonly string[] {
  const { name, comment } = { name: object["name"], comment: object["comment"] };
  const body = otherBody(kind, object);
  if (body === undefined || typeof name !== "string") return [];
  const note = typeof comment === "string" ? `comment ${quoted(comment)};\n` : "";
  return [`${kind} ${name} {\n${note}${body}\n}`];
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
