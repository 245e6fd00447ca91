import type { JsonObject } from "./json.ts";

/** Every event name of security message schema 1.0, in the order the documentation lists them. */
export const EVENT_NAMES = [
  "ConnectedHardware",
  "ListeningPorts",
  "ProcessCreate",
  "ProcessTerminate",
  "SystemInformation",
  "LocalUsers",
  "Login",
  "ConnectionCreate",
  "FirewallConfiguration",
  "OSBaseline",
  "Diagnostic",
  "ConfigurationError",
  "DroppedEventsStatistics",
  "MessageStatistics",
] as const;

export type EventName = (typeof EVENT_NAMES)[number];
export type EventCategory = "Periodic" | "Triggered";
export type EventType = "Security" | "Operational" | "Diagnostic";
/** The queue an event waits in. `Off` means the event is not collected at all. */
export type Priority = "High" | "Low" | "Off";

/** What schema 1.0 fixes for an event name: its category and its type. */
export interface EventKind {
  readonly category: EventCategory;
  readonly eventType: EventType;
}

const periodic: EventKind = { category: "Periodic", eventType: "Security" };
const triggered: EventKind = { category: "Triggered", eventType: "Security" };

export const EVENT_KINDS: Readonly<Record<EventName, EventKind>> = {
  ConnectedHardware: periodic,
  ListeningPorts: periodic,
  ProcessCreate: triggered,
  ProcessTerminate: triggered,
  SystemInformation: periodic,
  LocalUsers: periodic,
  Login: triggered,
  ConnectionCreate: triggered,
  FirewallConfiguration: periodic,
  OSBaseline: periodic,
  Diagnostic: { category: "Triggered", eventType: "Diagnostic" },
  ConfigurationError: { category: "Triggered", eventType: "Operational" },
  DroppedEventsStatistics: { category: "Periodic", eventType: "Operational" },
  MessageStatistics: { category: "Periodic", eventType: "Operational" },
};

/** String to string, for what schema 1.0 has no field for. */
export type ExtraDetails = Readonly<Record<string, string>>;

/** The details that are known, in the order given, as a field to spread; no field when none is. */
export function knownDetails(values: Readonly<Record<string, string | undefined>>): {
  readonly ExtraDetails?: ExtraDetails;
} {
  const details: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== "") details[name] = value;
  }
  return Object.keys(details).length === 0 ? {} : { ExtraDetails: details };
}

/** One item of an event's payload, as it travels: fields of schema 1.0 plus `ExtraDetails`. */
export type PayloadItem = Readonly<
  Record<string, string | number | boolean | ExtraDetails | undefined>
>;

/** What a collector hands over: facts only. The pipeline adds identity and time. */
export interface EventDraft {
  readonly name: EventName;
  /** Empty only for a periodic event that truly found nothing. */
  readonly payload: readonly PayloadItem[];
  /**
   * What tells it from every other event, where it may be handed over again after a crash: its Id then
   * follows from it, so that both have the same.
   */
  readonly key?: string;
  /** When it happened, wall clock ms; absent: when it was handed over. */
  readonly occurredAtMs?: number;
}

/** An event as published in security message schema 1.0, ready to travel. */
export interface SecurityEvent {
  readonly Id: string;
  readonly TimestampLocal: string;
  readonly TimestampUTC: string;
  readonly Category: EventCategory;
  readonly Name: EventName;
  readonly EventType: EventType;
  readonly IsEmpty: boolean;
  readonly PayloadSchemaVersion: "1.0";
  readonly Payload: readonly JsonObject[];
}

/** True for a name that schema 1.0 knows. */
export function isEventName(name: string): name is EventName {
  return Object.hasOwn(EVENT_KINDS, name);
}
