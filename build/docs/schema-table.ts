import type { Schema } from "../../src/contract/schema.ts";
import { markdownTable } from "../../src/parse/markdown-table.ts";

/** One field of a schema with its dotted name; a record is followed by its fields. */
interface Row {
  readonly name: string;
  readonly field: Schema<unknown>;
}

function rowsOf(schema: Schema<unknown>, prefix = ""): readonly Row[] {
  return Object.entries(schema.fields ?? {}).flatMap(([key, field]) => {
    const name = `${prefix}${key}`;
    if (field.fields === undefined) return [{ name, field }];
    const isExplained = field.doc !== "";
    return [...(isExplained ? [{ name, field }] : []), ...rowsOf(field, `${name}.`)];
  });
}

/** Settings with form, default and meaning, as a Markdown table. */
export function settingsTable(schema: Schema<unknown>): string {
  const rows = rowsOf(schema).map(({ name, field }) => {
    const standard = field.defaults();
    const shown = standard === undefined ? "none" : `\`${JSON.stringify(standard)}\``;
    return [`\`${name}\``, field.expected, shown, field.doc];
  });
  return rows.length === 0
    ? "There is nothing to set."
    : markdownTable(["Setting", "Form", "Default", "Meaning"], rows);
}

/** Fields of one payload item with form, presence and source, as a Markdown table. */
export function fieldsTable(schema: Schema<unknown>): string {
  const rows = rowsOf(schema).map(({ name, field }) => [
    `\`${name}\``,
    field.fields === undefined ? field.expected : "object",
    field.isOptional ? "if known" : "always",
    field.doc,
  ]);
  return markdownTable(["Field", "Form", "Present", "Meaning and source"], rows);
}
