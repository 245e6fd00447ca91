import type { ConfigurationFinding } from "../contract/agent-facts.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import { DEFAULT_SETTINGS, type Settings } from "../contract/settings.ts";
import { createClassicDialect } from "./classic-dialect.ts";
import { CLASSIC_OBJECT_NAME } from "./classic-names.ts";
import type { UnknownKey } from "./dialect.ts";

/** What the local configuration makes of the settings. */
export interface LocalSettings {
  /** Local values over the built-in defaults: what is in force where the twin desires nothing. */
  readonly settings: Settings;
  /** Named `settings.<property>`, at most 64. */
  readonly findings: readonly ConfigurationFinding[];
  readonly unknown: readonly UnknownKey[];
  readonly unsupported: readonly string[];
  /** See `TwinVerdict.documents`. */
  readonly documents: Readonly<Record<string, JsonValue>>;
}

/**
 * Reads the `settings` object of the local configuration: classic property names, each value bare
 * (`"PT5M"`) or wrapped as in the twin. A bad value costs only itself.
 */
export function readLocalSettings(overrides: JsonObject): LocalSettings {
  const wrapped = Object.fromEntries(
    Object.entries(overrides).map(([name, value]): [string, JsonValue] => [name, wrap(value)]),
  );
  const dialect = createClassicDialect(DEFAULT_SETTINGS);
  const verdict = dialect.evaluate({ [CLASSIC_OBJECT_NAME]: wrapped }, DEFAULT_SETTINGS);
  return {
    settings: verdict.settings,
    findings: verdict.findings.map((finding) => ({
      ...finding,
      configurationName: `settings.${finding.configurationName}`,
    })),
    unknown: verdict.unknown,
    unsupported: verdict.unsupported,
    documents: verdict.documents,
  };
}

function wrap(value: JsonValue): JsonValue {
  return value === null || isJsonObject(value) ? value : { value };
}
