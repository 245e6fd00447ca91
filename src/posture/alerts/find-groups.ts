import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";

/** A resource that claims to be a device security group, and where it stands. */
export interface FoundGroup {
  readonly path: string;
  readonly resource: JsonObject;
  readonly name: string;
  readonly hub?: string;
}

/** Deeper nesting of resources and templates is not looked into. */
const MAX_DEPTH = 8;
/** Further groups are not looked at: more than any hub has. */
const MAX_GROUPS = 256;

/**
 * Finds the device security groups in a resource, a list of resources, the answer of a list request
 * (`value`) or a template (`resources`, also nested ones and those with symbolic names). Other resources
 * are passed over. A lone object with `properties` and no type is taken for a group: the body of a put
 * request has none.
 */
export function findGroups(exported: JsonValue): readonly FoundGroup[] {
  const found: FoundGroup[] = [];
  if (isJsonObject(exported) && isUntyped(exported)) {
    found.push({ path: "", resource: exported, ...identityOf(exported, {}) });
  } else visit(exported, "", {}, 0, found);
  return found;
}

function isUntyped(resource: JsonObject): boolean {
  return (
    isJsonObject(resource["properties"]) &&
    !["type", "resources", "value"].some((key) => Object.hasOwn(resource, key))
  );
}

function visit(
  value: JsonValue | undefined,
  path: string,
  parameters: JsonObject,
  depth: number,
  found: FoundGroup[],
): void {
  if (value === undefined || depth > MAX_DEPTH || found.length >= MAX_GROUPS) return;
  if (Array.isArray(value)) {
    for (const [index, entry] of value.entries()) {
      visit(entry, `${path}[${index}]`, parameters, depth + 1, found);
    }
    return;
  }
  if (!isJsonObject(value)) return;
  if (isGroupType(value["type"])) {
    found.push({ path, resource: value, ...identityOf(value, parameters) });
    return;
  }
  const prefix = path === "" ? "" : `${path}.`;
  const own = value["parameters"];
  const inner = isJsonObject(own) ? own : parameters;
  const { resources, properties } = value;
  if (isJsonObject(resources)) {
    for (const [key, entry] of Object.entries(resources)) {
      visit(entry, `${prefix}resources.${key}`, inner, depth + 1, found);
    }
  } else visit(resources, `${prefix}resources`, inner, depth + 1, found);
  if (depth === 0) visit(value["value"], "value", inner, depth + 1, found);
  if (isJsonObject(properties) && isJsonObject(properties["template"])) {
    visit(properties["template"], `${prefix}properties.template`, inner, depth + 1, found);
  }
}

/** Type names are compared without case. The second form is that of a child of the hub. */
function isGroupType(type: JsonValue | undefined): boolean {
  if (typeof type !== "string") return false;
  const lower = type.toLowerCase();
  return (
    lower === "microsoft.security/devicesecuritygroups" ||
    lower === "microsoft.devices/iothubs/providers/devicesecuritygroups"
  );
}

function identityOf(
  resource: JsonObject,
  parameters: JsonObject,
): Pick<FoundGroup, "name" | "hub"> {
  const { name, id } = resource;
  const path = typeof id === "string" ? id : "";
  const hub = /\/microsoft\.devices\/iothubs\/([^/]+)\//i.exec(path.slice(0, 2_048))?.[1];
  const idName = /\/devicesecuritygroups\/([^/]+)$/i.exec(path.slice(0, 2_048))?.[1];
  const full = typeof name === "string" ? literalName(name.slice(0, 1_024), parameters) : idName;
  return { name: lastPart(full ?? "default"), ...(hub === undefined ? {} : { hub }) };
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/**
 * The name that a template expression most likely yields: the default of the parameter that it is, or
 * the text it ends with; else the expression itself.
 */
function literalName(name: string, parameters: JsonObject): string {
  if (!name.startsWith("[") || name.startsWith("[[") || !name.endsWith("]")) return name;
  const parameter = /(?:parameters|variables)\(\s*'([^']*)'\s*\)[\s)]*\]$/.exec(name)?.[1];
  if (parameter !== undefined) {
    const declared = parameters[parameter];
    const standing = isJsonObject(declared) ? declared["defaultValue"] : undefined;
    return typeof standing === "string" ? standing : name;
  }
  return /'([^']+)'[\s)]*\]$/.exec(name)?.[1] ?? name;
}
