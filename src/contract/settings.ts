import type { EventName, Priority } from "./event.ts";
import {
  boolean,
  choice,
  durationMs,
  type Fields,
  type Infer,
  integer,
  record,
  text,
} from "./schema.ts";

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

/** Text that a twin can hold and report within its bounds: printable ASCII without quotation mark and backslash. */
function shortText(maxLength: number, form: string, doc: string, accepts = (_: string) => true) {
  const isPlain = (value: string): boolean => /^[ !#-[\]-~]*$/.test(value);
  return text({
    default: "",
    maxLength,
    form,
    doc,
    accepts: (value) => isPlain(value) && accepts(value),
  });
}

/**
 * A port that is meant to be open, with what must be true of the socket. What the regular expression cannot
 * say (numbers within their bounds) is looked at where the list is used.
 */
export const ALLOWED_PORT_FORM =
  /^(?:(tcp|udp)\/)?(\d{1,5})(?:-(\d{1,5}))?(?:@([0-9A-Fa-f.:]{2,45})(?:\/(\d{1,3}))?)?(?: +(\S.*))?$/;

/** The entries of a list with commas between, blanks around them and empty ones left out. */
export function listedEntries(list: string): readonly string[] {
  return list
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

const areAllowedPorts = (value: string): boolean =>
  listedEntries(value).every((entry) => ALLOWED_PORT_FORM.test(entry));
const isPathOrNothing = (value: string): boolean => value === "" || value.startsWith("/");
const isHashOrNothing = (value: string): boolean => /^(?:[0-9a-fA-F]{64})?$/.test(value);

/** What of the OS baseline a twin steers; the settings of the collector hold the same fields. */
export const BASELINE_FIELDS = {
  groupsDisabled: shortText(
    512,
    "names, commas between, up to 512",
    "Groups of OS baseline checks that are not judged, such as `SSH Server, Logging`",
  ),
  checksDisabled: shortText(
    512,
    "numbers, commas between, up to 512",
    "OS baseline checks that are not judged, such as `3.3.5, 2.2.1.1`",
  ),
  waivers: shortText(
    2_048,
    "RULE YYYY-MM-DD REASON; RULE ...",
    "OS baseline failures that somebody answers for until the end of a day, UTC; at most 2048 characters",
  ),
  report: choice(["Changes", "All"], {
    default: "Changes",
    doc: "Which OS baseline results are sent: failures and changes, and all once a day; or always all",
  }),
  isWalkEnabled: boolean({
    default: true,
    doc: "Look once a day at every file of the local file systems, for the OS baseline checks about files of anybody",
  }),
  customChecksEnabled: boolean({
    default: false,
    doc: "Judge the OS baseline checks of a file on the device; path and hash are needed too",
  }),
  customChecksFilePath: shortText(
    512,
    "an absolute path, or nothing",
    "The file of custom OS baseline checks, JSON",
    isPathOrNothing,
  ),
  customChecksFileHash: shortText(
    64,
    "64 hexadecimal digits, or nothing",
    "SHA-256 of that file; with another content none of it is used",
    isHashOrNothing,
  ),
} as const satisfies Fields;

function extensionPriority(name: string) {
  return choice(["High", "Low", "Off"] as const, {
    default: "High",
    doc: `Queue of ${name} events, which travel in messages of their own; Off sends none`,
  });
}

/** What a device is judged by, and how that is told. */
const POSTURE_FIELDS = {
  recommendationPriority: extensionPriority("Recommendation"),
  alertPriority: extensionPriority("Alert"),
  summaryIntervalMs: interval(24 * HOUR_MS, "Time between two full sets of Recommendation events"),
  allowedPorts: shortText(
    2_048,
    "ports, commas between, up to 2048",
    "Ports that are meant to be open, such as `tcp/22, udp/5000-5010@192.0.2.1, 443 /usr/sbin/nginx`",
    areAllowedPorts,
  ),
  wideIpv4Prefix: integer({
    default: 8,
    min: 0,
    max: 32,
    doc: "A firewall rule is wide with more IPv4 addresses than a network of this prefix length has",
  }),
  wideIpv6Prefix: integer({
    default: 32,
    min: 0,
    max: 128,
    doc: "The same for IPv6",
  }),
  mostPorts: integer({
    default: 1_000,
    min: 1,
    max: 65_535,
    doc: "A firewall rule is wide with more ports than this",
  }),
  smallMessagesPercent: integer({
    default: 10,
    min: 1,
    max: 100,
    unit: "percent",
    doc: "Share of security messages under 4096 bytes in 24 hours that is too many",
  }),
  securityGroup: shortText(
    128,
    "the name of a group, or nothing",
    "Which device security group applies here; empty: `default`, or the only one there is",
  ),
} as const satisfies Fields;

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
  baseline: record(BASELINE_FIELDS),
  posture: record(POSTURE_FIELDS),
});

export type Settings = Infer<typeof SETTINGS_SCHEMA>;
export type AggregationSettings = Settings["aggregation"][AggregatedEventName];

export const DEFAULT_SETTINGS: Settings = SETTINGS_SCHEMA.defaults();

/** True for an event name whose repeats can be aggregated. */
export function isAggregatedEventName(name: string): name is AggregatedEventName {
  return AGGREGATED_EVENT_NAMES.some((aggregated) => aggregated === name);
}
