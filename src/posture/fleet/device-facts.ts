import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import { type Protocol, protocolOf } from "../alerts/hub-measures.ts";
import { deviceIdOf } from "./happening.ts";

/** What the owner tells of a device beforehand. What records tell goes before it. */
export interface DeviceFacts {
  /** Name of its security group. */
  readonly group?: string;
  readonly protocol?: Protocol;
}

/** What a list of devices holds, and how many of its entries could not be used. */
export interface DeviceFactsReading {
  readonly devices: ReadonlyMap<string, DeviceFacts>;
  readonly skipped: number;
}

/**
 * Reads a list of devices as a query of the hub's twins gives it: objects with `deviceId` and
 * `SecurityGroup` (or `tags.SecurityGroup`, as whole twins have it), and `protocol` where somebody knows it.
 * For event hubs whose records have no enrichments, such as that of the diagnostic logs. Of a device that
 * is there twice the last entry counts. Undefined when it is no list.
 */
export function readDeviceFacts(json: JsonValue): DeviceFactsReading | undefined {
  if (!Array.isArray(json)) return undefined;
  const entries: readonly JsonValue[] = json;
  const devices = new Map<string, DeviceFacts>();
  let skipped = 0;
  for (const entry of entries) {
    const deviceId = isJsonObject(entry) ? deviceIdOf(entry["deviceId"]) : undefined;
    if (!isJsonObject(entry) || deviceId === undefined) skipped += 1;
    else devices.set(deviceId, factsOf(entry));
  }
  return { devices, skipped };
}

function factsOf(entry: JsonObject): DeviceFacts {
  const { tags } = entry;
  const group = entry["SecurityGroup"] ?? (isJsonObject(tags) ? tags["SecurityGroup"] : undefined);
  const told = entry["protocol"];
  const protocol = typeof told === "string" ? protocolOf(told) : undefined;
  return {
    ...(typeof group === "string" && group !== "" ? { group: group.slice(0, 260) } : {}),
    ...(protocol === undefined ? {} : { protocol }),
  };
}
