import type { JsonValue } from "../../contract/json.ts";
import { PROTOCOLS, type Protocol } from "../alerts/hub-measures.ts";
import { deviceIdOf } from "./happening.ts";
import type { KnownDevice } from "./known-device.ts";

/** Devices as a snapshot holds them; what is no device is left out. */
export function readStoredDevices(
  stored: readonly JsonValue[],
): readonly (readonly [string, KnownDevice])[] {
  return stored.flatMap((one) => {
    const read = readStoredDevice(one);
    return read === undefined ? [] : [read];
  });
}

function readStoredDevice(stored: JsonValue): readonly [string, KnownDevice] | undefined {
  if (!Array.isArray(stored)) return undefined;
  const list: readonly JsonValue[] = stored;
  const deviceId = deviceIdOf(list[0]);
  const sinceMs = time(list[1]);
  const seenMs = time(list[2]);
  if (deviceId === undefined || sinceMs === undefined || seenMs === undefined) return undefined;
  const group = list[3];
  return [
    deviceId,
    {
      sinceMs,
      seenMs,
      group: typeof group === "string" ? group.slice(0, 260) : undefined,
      groupSinceMs: time(list[4]) ?? seenMs,
      protocol: protocol(list[5]),
      protocolSinceMs: time(list[6]) ?? seenMs,
      agentSinceMs: time(list[7]),
      agentSeenMs: time(list[8]) ?? 0,
    },
  ];
}

function time(value: JsonValue | undefined): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

function protocol(value: JsonValue | undefined): Protocol | undefined {
  return PROTOCOLS.find((one) => one === value);
}
