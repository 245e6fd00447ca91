import type { JsonObject } from "../../contract/json.ts";
import { fieldOf, lineOf, objectOf, timeOf } from "./field.ts";

/** What a diagnostic record says of a connection. */
export interface ConnectionRecord {
  /** Device, or device and module with a slash between. */
  readonly identity: string;
  /** It was made with a policy of the hub instead of a key of the device. */
  readonly isByPolicy: boolean;
  /** Another connection of the same identity took its place: error 400027. */
  readonly isDisplaced: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly atMs?: number;
}

/** Source: Troubleshoot IoT Hub error codes, 400027 ConnectionForcefullyClosedOnNewConnection. */
const DISPLACED = /(?:^|\D)400027(?:\D|$)|ConnectionForcefullyClosedOnNewConnection/;

/** Category of a diagnostic record in lower case; undefined where the record is none. */
export function categoryOf(record: JsonObject): string | undefined {
  const category = lineOf(fieldOf(record, "category"));
  return category === "" ? undefined : category.toLowerCase();
}

/**
 * A record of the category Connections; undefined where it names no device. `properties` is an object or
 * JSON in a string, and `authType` in it again. Source: IoT Hub monitoring data reference, resource logs.
 */
export function readConnectionRecord(record: JsonObject): ConnectionRecord | undefined {
  const properties = objectOf(fieldOf(record, "properties"));
  const deviceId = lineOf(fieldOf(properties, "deviceId"));
  if (deviceId === "") return undefined;
  const moduleId = lineOf(fieldOf(properties, "moduleId"));
  const auth =
    objectOf(fieldOf(properties, "authType")) ??
    objectOf(fieldOf(properties, "authenticationType"));
  const codes = [
    fieldOf(record, "resultType"),
    fieldOf(record, "resultDescription"),
    fieldOf(record, "statusCode"),
    fieldOf(properties, "statusCode"),
    fieldOf(properties, "errorCode"),
  ];
  const atMs = timeOf(fieldOf(record, "time"));
  return {
    identity: moduleId === "" || deviceId.includes("/") ? deviceId : `${deviceId}/${moduleId}`,
    isByPolicy: lineOf(fieldOf(auth, "scope")).toLowerCase() === "hub",
    isDisplaced: codes.some((code) => DISPLACED.test(lineOf(code))),
    ...(atMs === undefined ? {} : { atMs }),
  };
}
