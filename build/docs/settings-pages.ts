import { configJsonSchema, configTable } from "../../src/config/config-docs.ts";
import { extensionMessageSchema } from "../../src/contract/extension.ts";
import { ANALYZE_SCHEMA, analyzeJsonSchema } from "../../src/fleet/analyze/config.ts";
import { twinTable } from "../../src/twin/twin-docs.ts";
import { type GeneratedDocument, replaceSection } from "./document.ts";
import { settingsTable } from "./schema-table.ts";

/** The pages on the configuration file and the twin, and the JSON Schemas of configuration and extension messages. */
export function settingsPages(): readonly GeneratedDocument[] {
  return [
    {
      path: "docs/configuration.md",
      render: (current) => replaceSection(current, "config", configTable()),
    },
    { path: "docs/twin.md", render: (current) => replaceSection(current, "twin", twinTable()) },
    {
      path: "docs/schema/config.schema.json",
      render: () => `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
    },
    {
      path: "docs/schema/extension-message.schema.json",
      render: () => `${JSON.stringify(extensionMessageSchema(), null, 2)}\n`,
    },
    {
      path: "docs/schema/analyze-config.schema.json",
      render: () => `${JSON.stringify(analyzeJsonSchema(), null, 2)}\n`,
    },
    {
      path: "docs/analyze.md",
      render: (current) => replaceSection(current, "settings", settingsTable(ANALYZE_SCHEMA)),
    },
  ];
}
