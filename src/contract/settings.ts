import type { EventName, Priority } from "./event.ts";
import { boolean, choice, durationMs, type Infer, integer, record } from "./schema.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const SHORTEST_INTERVAL_MS = 1_000;

/** One metering unit of IoT Hub, bytes. Source: Azure IoT Hub pricing, message meter size. */
export const METER_BYTES = 4096;
/** Largest device-to-cloud message, bytes. Source: IoT Hub quotas and throttling. */
export const MESSAGE_LIMIT_BYTES = 262_144;

function interval(defaultMs: number, doc: string) {
  return durationMs({ default: defaultMs, min: SHORTEST_INTERVAL_MS, doc });
}

function priority(defaultPriority: Priority, name: EventName) {
  return choice(["High", "Low", "Off"] as const, {
    default: defaultPriority,
    doc: `Queue of ${name} events; Off stops collecting them`,
  });
}

/** Events whose repeats are folded into one event per window. */
export const AGGREGATED_EVENT_NAMES = [
  "ProcessCreate",
  "ConnectionCreate",
  "ProcessTerminate",
] as const satisfies readonly EventName[];

export type AggregatedEventName = (typeof AGGREGATED_EVENT_NAMES)[number];

function aggregation(name: AggregatedEventName) {
  return record({
    isEnabled: boolean({ default: true, doc: `Fold repeated ${name} events into one per window` }),
    intervalMs: interval(HOUR_MS, `Length of the aggregation window of ${name} events`),
  });
}

/**
 * The settings that the module twin steers, with the only copy of their defaults and bounds.
 * Source: the published module twin schema of the security module (defaults) and its documentation
 * (bounds of the two sizes). An interval of zero would be a busy loop, so the shortest is one second.
 */
export const SETTINGS_SCHEMA = record({
  highPriorityIntervalMs: interval(7 * MINUTE_MS, "Longest wait of a high priority event"),
  lowPriorityIntervalMs: interval(5 * HOUR_MS, "Longest wait of a low priority event"),
  snapshotIntervalMs: interval(13 * HOUR_MS, "Time between two snapshots"),
  maxCacheBytes: integer({
    default: 2_560_000,
    min: 8_192,
    max: 1_073_741_824,
    unit: "bytes",
    doc: "Space for events that wait on the device, both priorities together",
  }),
  maxMessageBytes: integer({
    default: 204_800,
    min: 8_192,
    max: MESSAGE_LIMIT_BYTES,
    unit: "bytes",
    doc: "Largest message, properties included; a multiple of 4096 fills metering units",
  }),
  eventPriority: record({
    ConnectedHardware: priority("Low", "ConnectedHardware"),
    ListeningPorts: priority("High", "ListeningPorts"),
    ProcessCreate: priority("Low", "ProcessCreate"),
    ProcessTerminate: priority("Low", "ProcessTerminate"),
    SystemInformation: priority("Low", "SystemInformation"),
    LocalUsers: priority("High", "LocalUsers"),
    Login: priority("High", "Login"),
    ConnectionCreate: priority("Low", "ConnectionCreate"),
    FirewallConfiguration: priority("Low", "FirewallConfiguration"),
    OSBaseline: priority("Low", "OSBaseline"),
    Diagnostic: priority("Low", "Diagnostic"),
    ConfigurationError: priority("Low", "ConfigurationError"),
    DroppedEventsStatistics: priority("Low", "DroppedEventsStatistics"),
    MessageStatistics: priority("Low", "MessageStatistics"),
  }),
  aggregation: record({
    ProcessCreate: aggregation("ProcessCreate"),
    ConnectionCreate: aggregation("ConnectionCreate"),
    ProcessTerminate: aggregation("ProcessTerminate"),
  }),
});

export type Settings = Infer<typeof SETTINGS_SCHEMA>;
export type AggregationSettings = Settings["aggregation"][AggregatedEventName];

export const DEFAULT_SETTINGS: Settings = SETTINGS_SCHEMA.defaults();

/** True for an event name whose repeats can be aggregated. */
export function isAggregatedEventName(name: string): name is AggregatedEventName {
  return AGGREGATED_EVENT_NAMES.some((aggregated) => aggregated === name);
}
