import type { JsonObject, JsonValue } from "../../contract/json.ts";
import { fail, ok, type Result } from "../../contract/result.ts";
import { addressNumber } from "../../parse/address-number.ts";
import { addressFamily } from "../../parse/addresses.ts";
import { fieldAt, fieldOf, lineOf, listOf } from "./field.ts";
import type { AddressRule, HubSettings } from "./hub-facts.ts";

/** Most rules of a hub that are read; ARM allows 100. */
const MOST_RULES = 1_000;

/** Told of each rule that could not be read: its name and why. */
type OnBroken = (subject: string, reason: string) => void;

/**
 * Network settings from the ARM resource of a hub. Errors: `malformed` where it has no properties.
 * Source: REST, IotHubResource Get, 2023-06-30.
 */
export function readHubSettings(record: JsonObject, onBroken: OnBroken): Result<HubSettings> {
  const name =
    lineOf(fieldOf(record, "name")) || lineOf(fieldOf(record, "id")).split("/").at(-1) || "";
  const properties = fieldOf(record, "properties");
  if (typeof properties !== "object" || properties === null || Array.isArray(properties)) {
    return fail("malformed", `hub ${name}`, "no properties");
  }
  let brokenRules = 0;
  const rulesOf = (list: JsonValue | undefined, place: string): readonly AddressRule[] =>
    listOf(list)
      .slice(0, MOST_RULES)
      .flatMap((one, at) => {
        const rule = readRule(one);
        if (rule !== undefined) return [rule];
        brokenRules += 1;
        const label = lineOf(fieldOf(one, "filterName")) || `${at + 1}`;
        onBroken(`hub ${name}, ${place}, rule ${label}`, "no action and range of addresses");
        return [];
      });
  const network = fieldOf(properties, "networkRuleSets");
  const isNetworkSet = typeof network === "object" && network !== null;
  const networkRules = rulesOf(fieldOf(network, "ipRules"), "networkRuleSets");
  const filterRules = rulesOf(fieldOf(properties, "ipFilterRules"), "ipFilterRules");
  return ok({
    name,
    filterRules,
    brokenRules,
    ...textField("minTlsVersion", fieldOf(properties, "minTlsVersion")),
    ...textField("publicNetworkAccess", fieldOf(properties, "publicNetworkAccess")),
    ...(isNetworkSet
      ? {
          networkRules: {
            ...textField("defaultAction", fieldAt(network, "defaultAction")),
            rules: networkRules,
          },
        }
      : {}),
  });
}

function textField<Name extends string>(
  name: Name,
  value: JsonValue | undefined,
): { readonly [key in Name]?: string } {
  const text = lineOf(value);
  if (text === "") return {};
  const field: { [key in Name]?: string } = {};
  field[name] = text;
  return field;
}

/** A rule of either list; a mask without a prefix is one address. */
function readRule(value: JsonValue): AddressRule | undefined {
  const action = lineOf(fieldOf(value, "action")).toLowerCase();
  const isAccept = action === "accept" || action === "allow";
  if (!isAccept && action !== "reject" && action !== "deny") return undefined;
  const ipMask = lineOf(fieldOf(value, "ipMask"), 64);
  const range = rangeOf(ipMask);
  if (range === undefined) return undefined;
  return { filterName: lineOf(fieldOf(value, "filterName")), isAccept, ipMask, ...range };
}

function rangeOf(mask: string): Pick<AddressRule, "family" | "first" | "last"> | undefined {
  const [address = "", prefix, ...rest] = mask.split("/");
  const family = addressFamily(address);
  const number = addressNumber(address);
  if (family === undefined || number === undefined || rest.length > 0) return undefined;
  const bits = family === "ipv4" ? 32 : 128;
  if (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) return undefined;
  const length = prefix === undefined ? bits : Number(prefix);
  if (length > bits) return undefined;
  const size = 1n << BigInt(bits - length);
  const first = (number / size) * size;
  return { family, first, last: first + size - 1n };
}
