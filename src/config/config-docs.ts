import { isJsonObject, type JsonObject } from "../contract/json.ts";
import type { Schema } from "../contract/schema.ts";
import { markdownTable } from "../parse/markdown-table.ts";
import { overridesOf } from "./environment-overrides.ts";
import { CONFIG_SCHEMA } from "./schema.ts";

/** JSON Schema (draft 2020-12) of the configuration file. */
export function configJsonSchema(): JsonObject {
  const schema = CONFIG_SCHEMA.jsonSchema();
  const properties = schema["properties"];
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Gatewarden local configuration",
    ...schema,
    properties: {
      $schema: { type: "string", description: "Where editors find this schema" },
      ...(isJsonObject(properties) ? properties : {}),
    },
  };
}

/** Every key of the configuration file with form, default, meaning and variable, as a Markdown table. */
export function configTable(): string {
  const variables = new Map(
    overridesOf(CONFIG_SCHEMA).map((override) => [override.path.join("."), override.variable]),
  );
  const rows = keysOf(CONFIG_SCHEMA).map(({ key, field }) => {
    const standard = field.defaults();
    const shown = standard === undefined ? "none" : `\`${JSON.stringify(standard)}\``;
    const variable = variables.get(key);
    return [
      `\`${key}\``,
      shown,
      field.expected,
      field.doc,
      variable === undefined ? "" : `\`${variable}\``,
    ];
  });
  return markdownTable(["Key", "Default", "Form", "Meaning", "Variable"], rows);
}

interface Row {
  readonly key: string;
  readonly field: Schema<unknown>;
}

function keysOf(schema: Schema<unknown>, prefix = ""): readonly Row[] {
  return Object.entries(schema.fields ?? {}).flatMap(([name, field]): readonly Row[] => {
    const key = `${prefix}${name}`;
    return field.fields === undefined ? [{ key, field }] : keysOf(field, `${key}.`);
  });
}
