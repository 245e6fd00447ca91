import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";

const FOLDER = fileURLToPath(
  new URL("../../../shared/reference/security-message-schemas/", import.meta.url),
);

/** Why the published schemas are not at hand, or undefined when they are. */
export const NO_PUBLISHED_SCHEMAS = existsSync(FOLDER)
  ? undefined
  : "the published message schemas are not beside the project";

/** A validator of whole messages against the published schemas, formats checked. */
export function publishedMessageValidator(): (message: unknown) => readonly string[] {
  const ajv = new Ajv({ strict: false, allErrors: false });
  addFormats.default(ajv);
  for (const name of readdirSync(FOLDER)) {
    const schema: object = JSON.parse(readFileSync(`${FOLDER}${name}`, "utf8"));
    ajv.addSchema(schema, name);
  }
  const validate = ajv.getSchema("messageRoot.json");
  if (validate === undefined) throw new Error("there is no root schema");
  return (message) =>
    validate(message) === true
      ? []
      : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ""}`);
}
