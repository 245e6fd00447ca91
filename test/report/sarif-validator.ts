/** SARIF against the published schema. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";

/**
 * A validator of SARIF 2.1.0, formats checked; returns what is wrong. The schema is the one that OASIS
 * published, as the package schemastore carries it.
 */
export function sarifValidator(): (text: string) => readonly string[] {
  const file = createRequire(import.meta.url).resolve("schemastore/schemas/json/sarif-2.1.0.json");
  // One of its patterns is no expression of the unicode mode.
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
  addFormats.default(ajv);
  const validate = ajv.compile(JSON.parse(readFileSync(file, "utf8")) as object);
  return (sarif) => {
    validate(JSON.parse(sarif));
    return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ""}`);
  };
}
