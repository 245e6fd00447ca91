import type { JsonValue } from "../../contract/json.ts";
import type { Happening } from "./happening.ts";
import type { KnownDevice } from "./known-device.ts";
import { readStoredDevices } from "./stored-devices.ts";

type Writable<T> = { -readonly [key in keyof T]: T[key] };

export interface DeviceMemoryOptions {
  /** A device that has not been seen for so long is forgotten. */
  readonly rememberMs: number;
  readonly maxDevices: number;
}

export interface DeviceMemory {
  /**
   * Learns what a record tells. Gives what is known of the device then; undefined where nothing is, and
   * `full` where it would be one device too many.
   */
  learn(
    happening: Happening,
    enqueuedAtMs: number,
    sequenceNumber: number,
  ): KnownDevice | undefined | "full";
  devices(): ReadonlyMap<string, KnownDevice>;
  /** When any device was seen last. */
  lastSeenMs(): number;
  /** Forgets for good whoever was not seen since. */
  forgetUnseenSince(atMs: number): void;
  /** No record before this one will be replayed. */
  settleBefore(sequenceNumber: number): void;
  /** What was known before the record with this number: a replay from there learns the rest again. */
  storedBefore(sequenceNumber: number): readonly JsonValue[];
  restore(stored: readonly JsonValue[]): void;
}

interface Change {
  readonly sequenceNumber: number;
  readonly deviceId: string;
  readonly before: KnownDevice | undefined;
}

export function createDeviceMemory(options: DeviceMemoryOptions): DeviceMemory {
  const { rememberMs, maxDevices } = options;
  const devices = new Map<string, Writable<KnownDevice>>();
  /** What changed since the record that a replay begins with, so that it can be undone. */
  let changes: Change[] = [];
  let lastSeenMs = Number.NEGATIVE_INFINITY;

  function remember(change: Change): void {
    changes.push(change);
    // Beyond the bound a replay may know something a little too early.
    if (changes.length > 4 * maxDevices) changes = changes.slice(2 * maxDevices);
  }

  function learn(
    happening: Happening,
    atMs: number,
    sequenceNumber: number,
  ): KnownDevice | undefined | "full" {
    const { deviceId, presence } = happening;
    const stored = devices.get(deviceId);
    const known = stored !== undefined && stored.seenMs >= atMs - rememberMs ? stored : undefined;
    if (presence === "claimed") return known;
    if (presence === "deleted") {
      if (stored !== undefined) remember({ sequenceNumber, deviceId, before: { ...stored } });
      devices.delete(deviceId);
      return undefined;
    }
    lastSeenMs = Math.max(lastSeenMs, atMs);
    if (known === undefined) {
      if (stored === undefined && devices.size >= maxDevices) return "full";
      remember({ sequenceNumber, deviceId, before: stored && { ...stored } });
      const fresh = newDevice(happening, atMs);
      devices.set(deviceId, fresh);
      return fresh;
    }
    if (changesSomething(known, happening, atMs)) {
      remember({ sequenceNumber, deviceId, before: { ...known } });
      applyTo(known, happening, atMs);
    }
    known.seenMs = Math.max(known.seenMs, atMs);
    if (happening.isFromAgent === true) known.agentSeenMs = Math.max(known.agentSeenMs, atMs);
    return known;
  }

  function changesSomething(known: KnownDevice, told: Happening, atMs: number): boolean {
    return (
      (told.group !== undefined && told.group !== known.group) ||
      (told.protocol !== undefined && told.protocol !== known.protocol) ||
      (told.isFromAgent === true && isNewAgent(known, atMs))
    );
  }

  function isNewAgent(known: KnownDevice, atMs: number): boolean {
    return known.agentSinceMs === undefined || known.agentSeenMs < atMs - rememberMs;
  }

  function applyTo(known: Writable<KnownDevice>, told: Happening, atMs: number): void {
    if (told.group !== undefined && told.group !== known.group) {
      known.group = told.group;
      known.groupSinceMs = atMs;
    }
    if (told.protocol !== undefined && told.protocol !== known.protocol) {
      known.protocol = told.protocol;
      known.protocolSinceMs = atMs;
    }
    if (told.isFromAgent === true && isNewAgent(known, atMs)) known.agentSinceMs = atMs;
  }

  return {
    learn,
    devices: () => devices,
    lastSeenMs: () => lastSeenMs,
    forgetUnseenSince(atMs) {
      for (const [deviceId, known] of devices) if (known.seenMs < atMs) devices.delete(deviceId);
    },
    settleBefore(sequenceNumber) {
      const kept = changes.findIndex((change) => change.sequenceNumber >= sequenceNumber);
      if (kept !== 0) changes = kept === -1 ? [] : changes.slice(kept);
    },
    storedBefore(sequenceNumber) {
      const earlier = new Map<string, KnownDevice>(devices);
      for (const change of [...changes].reverse()) {
        if (change.sequenceNumber < sequenceNumber) break;
        if (change.before === undefined) earlier.delete(change.deviceId);
        else earlier.set(change.deviceId, change.before);
      }
      return [...earlier].map(([deviceId, known]) => storedDevice(deviceId, known));
    },
    restore(stored) {
      for (const [deviceId, known] of readStoredDevices(stored).slice(0, maxDevices)) {
        devices.set(deviceId, { ...known });
        lastSeenMs = Math.max(lastSeenMs, known.seenMs);
      }
    },
  };
}

function newDevice(told: Happening, atMs: number): Writable<KnownDevice> {
  return {
    sinceMs: atMs,
    seenMs: atMs,
    group: told.group,
    groupSinceMs: atMs,
    protocol: told.protocol,
    protocolSinceMs: atMs,
    agentSinceMs: told.isFromAgent === true ? atMs : undefined,
    agentSeenMs: told.isFromAgent === true ? atMs : 0,
  };
}

/** A list, so that ten thousand devices stay below a megabyte. */
function storedDevice(deviceId: string, known: KnownDevice): JsonValue {
  return [
    deviceId,
    known.sinceMs,
    known.seenMs,
    known.group ?? null,
    known.groupSinceMs,
    known.protocol ?? null,
    known.protocolSinceMs,
    known.agentSinceMs ?? null,
    known.agentSeenMs,
  ];
}
