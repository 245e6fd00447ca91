import { EVENT_NAMES, type EventName } from "../contract/event.ts";
import type { Schema } from "../contract/schema.ts";
import { AGGREGATED_EVENT_NAMES, SETTINGS_SCHEMA } from "../contract/settings.ts";

/**
 * Wire names of the classic security module twin. Source: the published module twin schema of the
 * security module; for `eventPriorityOperational` and the unsupported keys, the classic agents.
 */

/** Key of the configuration object in desired and reported properties. */
export const CLASSIC_OBJECT_NAME = "ms_iotn:urn_azureiot_Security_SecurityAgentConfiguration";

/** One property of the configuration object and the setting behind it. */
export interface ClassicProperty {
  readonly name: string;
  /** Where the setting lies in `Settings`. */
  readonly path: readonly string[];
  /** `duration`: ISO 8601 text outside, milliseconds inside. `plain`: the same on both sides. */
  readonly form: "duration" | "plain";
  /** Type, bounds and default of the setting. */
  readonly schema: Schema<unknown>;
  /** The published default twin does not have it: it is reported only where it is set. */
  readonly isExtra: boolean;
}

function property(
  name: string,
  form: ClassicProperty["form"],
  path: readonly string[],
  isExtra = false,
): ClassicProperty {
  let schema: Schema<unknown> | undefined = SETTINGS_SCHEMA;
  for (const key of path) schema = schema?.fields?.[key];
  if (schema === undefined) throw new Error(`no setting ${path.join(".")} for ${name}`);
  return { name, form, path, schema, isExtra };
}

/** Keys of the OS baseline: the classic agents' three, and our own in their style. */
function baseline(name: string, key: string): ClassicProperty {
  return property(name, "plain", ["baseline", key], true);
}

/** Keys of what a device is judged by: our own, in the style of the others. */
function posture(name: string, form: ClassicProperty["form"], key: string): ClassicProperty {
  return property(name, form, ["posture", key], true);
}

function priorityName(event: EventName): string {
  return `eventPriority${event}`;
}

/** Every property that has a setting behind it, in the order of the published default twin. */
export const CLASSIC_PROPERTIES: readonly ClassicProperty[] = [
  property("highPriorityMessageFrequency", "duration", ["highPriorityIntervalMs"]),
  property("lowPriorityMessageFrequency", "duration", ["lowPriorityIntervalMs"]),
  property("snapshotFrequency", "duration", ["snapshotIntervalMs"]),
  property("maxLocalCacheSizeInBytes", "plain", ["maxCacheBytes"]),
  property("maxMessageSizeInBytes", "plain", ["maxMessageBytes"]),
  ...EVENT_NAMES.map((event) => property(priorityName(event), "plain", ["eventPriority", event])),
  ...AGGREGATED_EVENT_NAMES.flatMap((event) => [
    property(`aggregationEnabled${event}`, "plain", ["aggregation", event, "isEnabled"]),
    property(`aggregationInterval${event}`, "duration", ["aggregation", event, "intervalMs"]),
  ]),
  baseline("baselineGroupsDisabled", "groupsDisabled"),
  baseline("baselineChecksDisabled", "checksDisabled"),
  baseline("baselineWaivers", "waivers"),
  baseline("baselineReport", "report"),
  baseline("baselineFileSystemWalkEnabled", "isWalkEnabled"),
  baseline("baselineCustomChecksEnabled", "customChecksEnabled"),
  baseline("baselineCustomChecksFilePath", "customChecksFilePath"),
  baseline("baselineCustomChecksFileHash", "customChecksFileHash"),
  posture("eventPriorityRecommendation", "plain", "recommendationPriority"),
  posture("eventPriorityAlert", "plain", "alertPriority"),
  posture("postureSummaryFrequency", "duration", "summaryIntervalMs"),
  posture("postureAllowedPorts", "plain", "allowedPorts"),
  posture("postureWideIpv4Prefix", "plain", "wideIpv4Prefix"),
  posture("postureWideIpv6Prefix", "plain", "wideIpv6Prefix"),
  posture("postureMostPorts", "plain", "mostPorts"),
  posture("postureSmallMessagesPercent", "plain", "smallMessagesPercent"),
  posture("postureSecurityGroup", "plain", "securityGroup"),
];

/** Key of the device security groups: no setting, but a document that the custom alerts read. */
export const SECURITY_GROUPS_NAME = "deviceSecurityGroups";

/** The classic C agent's one key for three events; a key of its own for one of them wins. */
export const OPERATIONAL_NAME = "eventPriorityOperational";

/** The properties that `OPERATIONAL_NAME` stands for. */
export const OPERATIONAL_PROPERTIES: readonly string[] = [
  priorityName("ConfigurationError"),
  priorityName("DroppedEventsStatistics"),
  priorityName("MessageStatistics"),
];

/** Keys of the classic agents that this agent has no use for. */
export const UNSUPPORTED_NAMES: readonly string[] = ["hubResourceId"];

/** Names used in findings about two settings. */
export const CACHE_NAME = "maxLocalCacheSizeInBytes";
export const MESSAGE_SIZE_NAME = "maxMessageSizeInBytes";
export const HIGH_INTERVAL_NAME = "highPriorityMessageFrequency";
export const LOW_INTERVAL_NAME = "lowPriorityMessageFrequency";
