import type { JsonObject, JsonValue } from "../../contract/json.ts";
import { fieldAt, fieldOf, lineOf, truthOf } from "./field.ts";

/** An identity with its credentials, which the caller must not keep. */
export interface ReadIdentity {
  readonly deviceId: string;
  readonly moduleId?: string;
  readonly credentials: readonly Credential[];
  /** It has a key, and the record leaves it out. */
  readonly isKeyMissing: boolean;
  readonly isEdge: boolean;
  /** `tags.SecurityGroup`; empty where the tag is not set, absent where the record has no tags. */
  readonly group?: string;
}

export interface Credential {
  readonly kind: "symmetric key" | "X.509 thumbprint";
  readonly secret: string;
}

/** Longest key that the hub accepts is 64 bytes; anything much longer is none. */
const LONGEST_CREDENTIAL = 512;

/**
 * An identity of the registry: an element of the registry's list, a line of the export job, or a twin of a
 * query, which has thumbprints and no keys. Undefined where there is no id.
 * Source: REST, Devices Get Identity; import and export of device identities; twin queries.
 */
export function readIdentity(record: JsonObject): ReadIdentity | undefined {
  const deviceId = lineOf(fieldOf(record, "deviceId")) || lineOf(fieldOf(record, "id"));
  if (deviceId === "") return undefined;
  const moduleId = lineOf(fieldOf(record, "moduleId"));
  const authentication = fieldOf(record, "authentication");
  const keys = ["primaryKey", "secondaryKey"].map((name) =>
    secretOf(fieldAt(authentication, "symmetricKey", name)),
  );
  const prints = fieldOf(authentication, "x509Thumbprint") ?? fieldOf(record, "x509Thumbprint");
  const thumbprints = ["primaryThumbprint", "secondaryThumbprint"].map((name) =>
    secretOf(fieldOf(prints, name)).replaceAll(":", "").toUpperCase(),
  );
  const type = (
    lineOf(fieldOf(authentication, "type")) || lineOf(fieldOf(record, "authenticationType"))
  ).toLowerCase();
  const hasKey = keys.some((key) => key !== "");
  const hasPrint = thumbprints.some((print) => print !== "");
  const saysNothing = type === "" && !hasKey && !hasPrint;
  const tags = fieldOf(record, "tags");
  return {
    deviceId,
    ...(moduleId === "" ? {} : { moduleId }),
    credentials: [
      ...keys.map((secret) => ({ kind: "symmetric key", secret }) as const),
      ...thumbprints.map((secret) => ({ kind: "X.509 thumbprint", secret }) as const),
    ].filter(({ secret }) => secret !== ""),
    isKeyMissing: !hasKey && (type === "sas" || saysNothing),
    isEdge: truthOf(fieldAt(record, "capabilities", "iotEdge")) === true,
    ...(tags === undefined ? {} : { group: groupOf(tags) }),
  };
}

/** The group that tags put a device in; empty where they name none. */
export function groupOf(tags: JsonValue): string {
  return lineOf(fieldOf(tags, "SecurityGroup"), 128);
}

function secretOf(value: JsonValue | undefined): string {
  return typeof value === "string" && value.length <= LONGEST_CREDENTIAL ? value.trim() : "";
}
