import type { Collector } from "../../src/contract/collector.ts";
import { type GeneratedDocument, replaceSection } from "./document.ts";
import { fieldsTable, settingsTable } from "./schema-table.ts";

/** The README of every collector: the tables of its settings and of its fields. */
export function collectorReadmes(collectors: readonly Collector[]): readonly GeneratedDocument[] {
  return collectors.map((collector) => ({
    path: `collectors/${collector.name}/README.md`,
    render(current) {
      const settings = replaceSection(current, "settings", settingsTable(collector.settings));
      return replaceSection(settings, "fields", fieldsTable(collector.payload));
    },
  }));
}
