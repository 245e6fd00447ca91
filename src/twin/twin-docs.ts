import type { JsonObject } from "../contract/json.ts";
import { DEFAULT_SETTINGS } from "../contract/settings.ts";
import { markdownTable } from "../parse/markdown-table.ts";
import { createClassicDialect } from "./classic-dialect.ts";
import { CLASSIC_OBJECT_NAME, CLASSIC_PROPERTIES } from "./classic-names.ts";
import { expectedText, wireValue } from "./classic-value.ts";

/** Every property of the classic twin with default, form and meaning, as a Markdown table. */
export function twinTable(): string {
  const rows = CLASSIC_PROPERTIES.map((property) => [
    `\`${property.name}\``,
    `\`${JSON.stringify(wireValue(property, DEFAULT_SETTINGS))}\``,
    expectedText(property),
    property.schema.doc,
  ]);
  return markdownTable(["Property", "Default", "Form of the value", "Meaning"], rows);
}

/** A module twin with every property at its default, as a start for one's own. */
export function sampleTwin(): JsonObject {
  const configuration = createClassicDialect(DEFAULT_SETTINGS).report(DEFAULT_SETTINGS);
  return { properties: { desired: { [CLASSIC_OBJECT_NAME]: configuration } } };
}
