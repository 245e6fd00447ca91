import type { ConfigurationFinding } from "../contract/agent-facts.ts";
import type { JsonObject } from "../contract/json.ts";
import type { Fault, Schema } from "../contract/schema.ts";
import { parseJsonObject } from "../parse/json.ts";
import { nearestName } from "../parse/nearest-name.ts";
import {
  faultsOf,
  overridesOf,
  VARIABLE_PREFIX,
  valueOfVariable,
  withValueAt,
} from "./environment-overrides.ts";
import { CONFIG_SCHEMA, type LocalConfig } from "./schema.ts";
import { fileKeyFor, showable } from "./secrets-guard.ts";
import { chooseTransport, type TransportChoice } from "./transport-choice.ts";

/** Something wrong with one key or variable. */
export interface ConfigFault {
  /** error: the agent cannot run so. fault: the default, or the file's value, stands instead. */
  readonly severity: "error" | "fault";
  /** Dotted key, the name of a variable, or empty for the whole file. */
  readonly key: string;
  /** What was found and what is expected; never a secret. */
  readonly message: string;
  /** The value in force, as JSON; empty where there is none. */
  readonly usedConfiguration: string;
}

/** Something that is ignored or unwise. */
export interface ConfigWarning {
  readonly key: string;
  readonly message: string;
}

export interface ConfigReading {
  /** Always complete. */
  readonly config: LocalConfig;
  /** Undefined exactly when a fault has the severity `error`. */
  readonly transport: TransportChoice | undefined;
  /** At most 64, errors first. */
  readonly faults: readonly ConfigFault[];
  /** At most 64. */
  readonly warnings: readonly ConfigWarning[];
}

type Variables = Readonly<Record<string, string | undefined>>;

const LIMIT = 64;
/** Configuration text, UTF-16 units. */
const MAX_LENGTH = 1_048_576;

/**
 * Reads the local configuration: the text of the file, undefined when there is none, and the
 * environment, whose `GATEWARDEN_*` variables override scalar keys. A bad value costs only itself.
 * Never throws; no message holds a secret.
 */
export function readConfig(text: string | undefined, variables: Variables): ConfigReading {
  const faults: ConfigFault[] = [];
  const warnings: ConfigWarning[] = [];
  const tree = readTree(text, faults);
  const treeFaults: Fault[] = [];
  CONFIG_SCHEMA.read(tree, treeFaults);
  const overrides = readVariables(tree, variables);
  const config = CONFIG_SCHEMA.read(overrides.tree, []);
  const into = { faults, warnings };
  for (const fault of [...overrides.faults, ...treeFaults.slice(0, LIMIT)]) {
    sort(fault, config, into);
  }
  for (const name of overrides.unknown.slice(0, LIMIT)) sortVariable(name, into);
  warnings.push(...adviseOn(config));
  const choice = chooseTransport(config);
  const errors = choice.ok ? [] : choice.errors;
  return {
    config,
    transport: choice.ok ? choice.value : undefined,
    faults: [
      ...errors.map(({ key, message }) => ({
        severity: "error" as const,
        key,
        message,
        usedConfiguration: "",
      })),
      ...faults,
    ].slice(0, LIMIT),
    warnings: warnings.slice(0, LIMIT),
  };
}

function readTree(text: string | undefined, faults: ConfigFault[]): JsonObject {
  if (text === undefined) return {};
  const parsed = parseJsonObject(text, "configuration", { maxLength: MAX_LENGTH });
  if (parsed.ok) return withoutSchemaKey(parsed.value);
  const message = `${parsed.problem.detail}; the whole file is left out`;
  faults.push({ severity: "fault", key: "", message, usedConfiguration: "" });
  return {};
}

/** Editors find the JSON Schema by this key; it says nothing to the agent. */
function withoutSchemaKey(tree: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(tree).filter(([key]) => key !== "$schema"));
}

interface Overridden {
  readonly tree: JsonObject;
  readonly faults: readonly Fault[];
  /** Variables with our prefix that override nothing. */
  readonly unknown: readonly string[];
}

const OVERRIDES = overridesOf(CONFIG_SCHEMA);

function readVariables(fileTree: JsonObject, variables: Variables): Overridden {
  let tree = fileTree;
  const faults: Fault[] = [];
  const unknown: string[] = [];
  for (const name of Object.keys(variables).sort()) {
    const given = variables[name];
    if (!name.startsWith(VARIABLE_PREFIX) || given === undefined || given === "") continue;
    const override = OVERRIDES.find((candidate) => candidate.variable === name);
    if (override === undefined) {
      unknown.push(name);
      continue;
    }
    const value = valueOfVariable(override, given);
    const found = faultsOf(override, value);
    if (found.length === 0) tree = withValueAt(tree, override.path, value);
    faults.push(...found);
  }
  return { tree, faults, unknown };
}

interface Findings {
  readonly faults: ConfigFault[];
  readonly warnings: ConfigWarning[];
}

/** Turns what the schema says of one key into a fault, or into a warning when the key is unknown. */
function sort(fault: Fault, config: LocalConfig, into: Findings): void {
  const key = shown(fault.path);
  if (fault.kind === "unknown") {
    sortUnknownKey(fault.path, into);
    return;
  }
  const inForce = valueInForce(fault.path, config);
  const found = showable(fault.path, fault.found);
  const words = found === "" ? "" : `found ${found}; `;
  const after = inForce === "" ? "it is left out" : `${inForce} stands`;
  const message = `${words}expected ${fault.expected}; ${after}`;
  into.faults.push({ severity: "fault", key, message, usedConfiguration: inForce });
}

function sortUnknownKey(path: string, into: Findings): void {
  const at = path.lastIndexOf(".");
  const parent = path.slice(0, at + 1);
  const name = path.slice(at + 1);
  const key = shown(path);
  const fileKey = fileKeyFor(name);
  if (fileKey !== undefined) {
    const message = secretMessage(fileKey.includes(" ") ? fileKey : `${parent}${fileKey}`);
    into.faults.push({ severity: "fault", key, message, usedConfiguration: "" });
    return;
  }
  const known = Object.keys(fieldsAt(parent.split(".").slice(0, -1)));
  const suggestion = nearestName(name, known);
  const hint = suggestion === undefined ? "" : `; did you mean ${parent}${suggestion}?`;
  into.warnings.push({ key, message: `unknown key, ignored${hint}` });
}

function secretMessage(where: string): string {
  return (
    "a secret does not belong here and is not used; put it in a file that only the agent's user " +
    `can read, and name that file with ${shown(where)}`
  );
}

function sortVariable(name: string, into: Findings): void {
  const key = shown(name);
  const lastWords = name.slice(VARIABLE_PREFIX.length).split("_").slice(-3);
  const fileKey = lastWords
    .map((_, at) => fileKeyFor(lastWords.slice(at).join("_")))
    .find((candidate) => candidate !== undefined);
  const names = OVERRIDES.map((override) => override.variable);
  if (fileKey !== undefined) {
    const candidate = `${name}_FILE`;
    const message = secretMessage(names.includes(candidate) ? candidate : fileKey);
    into.faults.push({ severity: "fault", key, message, usedConfiguration: "" });
    return;
  }
  const suggestion = nearestName(name, names);
  const hint = suggestion === undefined ? "" : `; did you mean ${suggestion}?`;
  into.warnings.push({ key, message: `unknown variable, ignored${hint}` });
}

function fieldsAt(path: readonly string[]): Readonly<Record<string, Schema<unknown>>> {
  let fields: Readonly<Record<string, Schema<unknown>>> = CONFIG_SCHEMA.fields ?? {};
  for (const key of path) {
    fields = Object.hasOwn(fields, key) ? (fields[key]?.fields ?? {}) : {};
  }
  return fields;
}

/** The value at a dotted key or behind a variable, as JSON; empty for none and for whole sections. */
function valueInForce(name: string, config: LocalConfig): string {
  const override = OVERRIDES.find((candidate) => candidate.variable === name);
  let value: unknown = config;
  for (const key of override?.path ?? name.split(".")) {
    value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value === undefined || isRecord(value) ? "" : JSON.stringify(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** A key of any origin for a message: printable ASCII, at most 120 characters. */
function shown(key: string): string {
  return key.slice(0, 120).replace(/[^\x20-\x7e]/g, "?");
}

/** What works, but hardly as meant. */
function adviseOn(config: LocalConfig): readonly ConfigWarning[] {
  const { iothub, mqtt, transport } = config;
  const isHub = transport === "iothub" || transport === "iothub-sdk";
  const warnings: ConfigWarning[] = [];
  if (isHub && iothub.gatewayHostName !== undefined && iothub.x509 === undefined) {
    const message = "ignored: only the identity x509 takes it; a connection string names its own";
    warnings.push({ key: "iothub.gatewayHostName", message });
  }
  const section = isHub ? iothub : mqtt;
  if (section.proxyPasswordFile !== undefined && section.proxy === undefined) {
    const key = `${isHub ? "iothub" : "mqtt"}.proxyPasswordFile`;
    warnings.push({ key, message: "ignored: there is no proxy" });
  }
  if (transport === "mqtt" && /^(?:mqtt|ws):/i.test(mqtt.url ?? "")) {
    const message = "messages and password travel without TLS; use mqtts:// or wss://";
    warnings.push({ key: "mqtt.url", message });
  }
  return warnings;
}

/** The faults as ConfigurationError findings. */
export function configurationFindings(reading: ConfigReading): readonly ConfigurationFinding[] {
  return reading.faults.map((fault) => ({
    configurationName: fault.key === "" ? "the configuration file" : fault.key,
    errorType: fault.severity === "error" ? "Conflict" : "TypeMismatch",
    usedConfiguration: fault.usedConfiguration,
    message: fault.message,
  }));
}
