import { type HubEventName, type Protocol, protocolOf } from "../alerts/hub-measures.ts";
import type { Occurrence } from "../alerts/occurrence.ts";

/**
 * What a record tells of its device beside what happened. `seen`: the hub has dealt with this device, so
 * there is one. `claimed`: somebody used its name and was refused. `deleted`: there is none any more.
 */
export type Presence = "seen" | "claimed" | "deleted";

/** What one record, or one of the records within it, tells of one device. */
export interface Happening {
  readonly deviceId: string;
  readonly presence: Presence;
  /** Name of its security group, where the record has the enrichment; empty: it has no such tag. */
  readonly group?: string;
  /** The protocol that it talks from now on, where the record tells. */
  readonly protocol?: Protocol;
  /** The record is from a security agent on the device. */
  readonly isFromAgent?: true;
  readonly occurrences: readonly Occurrence[];
}

/** What a record holds: all that could be read, and a reason for each part that could not. */
export interface RecordReading {
  readonly happenings: readonly Happening[];
  readonly skipped: readonly string[];
}

/** Something that happened once at the hub. `eventId` must be the same in a replay. */
export function hubOccurrence(
  name: HubEventName,
  eventId: string,
  atMs: number,
  item: Occurrence["item"],
): Occurrence {
  return { eventId, name, item, firstMs: atMs, lastMs: atMs, hits: 1 };
}

/** Longest device id. Source: IoT Hub, identity registry, device identity properties. */
const MAX_ID = 128;

/** The device part of a device or module id as logs write it; undefined when it is none. */
export function deviceIdOf(value: unknown): string | undefined {
  if (typeof value !== "string" || value.length > 2 * MAX_ID + 1) return undefined;
  const slash = value.indexOf("/");
  const id = slash === -1 ? value : value.slice(0, slash);
  return id === "" || id.length > MAX_ID ? undefined : id;
}

/** What an item is to say of its protocol: a field to spread. */
export function protocolField(value: unknown): { readonly Protocol?: Protocol } {
  const protocol = typeof value === "string" ? protocolOf(value) : undefined;
  return protocol === undefined ? {} : { Protocol: protocol };
}
