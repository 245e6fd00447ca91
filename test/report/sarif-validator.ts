/** SARIF against the published schema. */
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";

/**
 * A validator of SARIF 2.1.0, formats checked; returns what is wrong. The published schema is of draft 4,
 * which ajv takes with `$id` in place of `id`: it uses nothing else that later drafts read in another way.
 */
export function sarifValidator(): (text: string) => readonly string[] {
  const file = new URL("fixtures/sarif-schema-2.1.0.json", import.meta.url);
  const { id, ...schema } = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const { $schema: _draft, ...current } = schema;
  const validate = ajv.compile({ ...current, $id: String(id) });
  return (sarif) => {
    validate(JSON.parse(sarif));
    return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ""}`);
  };
}
