import type { EventCategory, EventType } from "./event.ts";
import type { JsonObject } from "./json.ts";
import {
  boolean,
  choice,
  type Infer,
  integer,
  list,
  optional,
  record,
  text,
  textMap,
} from "./schema.ts";

/**
 * What schema 1.0 has no event for: it travels in messages of its own, with the property
 * `kind=extension`. This file is the schema of their payloads, which is published as
 * docs/schema/extension-message.schema.json.
 */
export const EXTENSION_NAMES = ["Recommendation", "Alert"] as const;

export type ExtensionName = (typeof EXTENSION_NAMES)[number];

/** Version of these payloads. It grows when a field changes its meaning or goes. */
export const EXTENSION_SCHEMA_VERSION = "1.0";

const time = (doc: string) =>
  text({ doc, maxLength: 32, format: "date-time", form: "UTC, RFC 3339" });
const words = (doc: string, maxLength = 1_024) => text({ doc, maxLength });
const count = (doc: string) => integer({ doc, min: 0 });

const recommendation = record({
  Type: words("Official type name such as `IoT_OpenPorts`", 80),
  IsOfficialName: boolean({ doc: "False where the published lists have words and no type name" }),
  Title: words("The recommendation in a few words"),
  Severity: choice(["High", "Medium", "Low"] as const, { doc: "As the retired service graded it" }),
  State: choice(["healthy", "unhealthy", "unknown"] as const, {
    doc: "Verdict on this device; `unknown` has its reasons in `Missing`",
  }),
  PreviousState: optional(
    choice(["healthy", "unhealthy", "unknown"] as const, {
      doc: "State before the change; absent for the first verdict and in summaries",
    }),
  ),
  Reason: choice(["change", "summary"] as const, {
    doc: "A state changed, or the periodic summary of all of them",
  }),
  Since: time("Since when the state is what it is"),
  FirstSeen: optional(time("First look that was unhealthy, of this spell or else of the latest")),
  LastSeen: optional(time("Last look that was unhealthy, of the same spell")),
  Count: count("Things that are wrong; 0 unless unhealthy"),
  Description: words("What an unhealthy verdict means"),
  Remediation: words("What to do about it"),
  Evidence: list(textMap({ maxEntries: 32 }), {
    doc: "What speaks for the verdict, the worst first; fields by recommendation",
    maxItems: 32,
  }),
  EvidenceOmitted: optional(count("Records of evidence left out so that the event fits a message")),
  Missing: list(text({ maxLength: 256 }), { doc: "What could not be seen", maxItems: 8 }),
});

const sample = record({
  EventId: optional(words("`Id` of the event, where it had one", 64)),
  Time: time("When it happened"),
  Detail: words("What it was about, in one line", 160),
});

const alert = record({
  AlertType: words("`IoT_CA_` and the rule type", 120),
  RuleType: words("As `ruleType` of the device security group spells it", 100),
  Severity: choice(["High", "Medium", "Low", "Informational"] as const, { doc: "As official" }),
  Title: words("The alert in a few words"),
  Description: words("What happened"),
  Remediation: words("What to do about it"),
  Group: words("Device security group that the rule is from"),
  WindowStart: time("Start of the window, which belongs to it"),
  WindowEnd: time("End of the window, which does not"),
  Count: count("How often, within the window"),
  Reason: choice(["too-many", "too-few", "not-allowed"] as const, {
    doc: "How the rule is violated",
  }),
  MinThreshold: optional(integer({ doc: "Smallest allowed count, of range rules" })),
  MaxThreshold: optional(integer({ doc: "Largest allowed count, of range rules" })),
  Value: optional(words("What is not on the list, of list rules", 128)),
  IsOverflow: optional(boolean({ doc: "Stands for all values beyond the sixteen told apart" })),
  SpreadCount: count("How many of the count come from aggregated events, evenly spread"),
  IsWatchComplete: boolean({ doc: "False when nobody watched for a part of the window" }),
  Samples: list(sample, { doc: "The earliest events of the window", maxItems: 3 }),
});

/** The schema of one payload item by event name. */
export const EXTENSION_PAYLOADS = { Recommendation: recommendation, Alert: alert } as const;

/** The same record, whose fields that may be undefined may be absent too. */
type Writable<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: T[K];
};

export type RecommendationItem = Writable<Infer<typeof recommendation>>;
export type AlertSampleItem = Writable<Infer<typeof sample>>;
export type AlertItem = Writable<Omit<Infer<typeof alert>, "Samples">> & {
  readonly Samples: readonly AlertSampleItem[];
};

interface ExtensionBase {
  readonly category: EventCategory;
  readonly priority: "High" | "Low" | "Off";
  /** It does not wait for its interval. */
  readonly isUrgent?: boolean;
  /** Lower-case UUID where it follows from what happened; else one is made. */
  readonly id?: string;
}

/** An extension event before it has identity and time. */
export type ExtensionDraft = ExtensionBase &
  (
    | { readonly name: "Recommendation"; readonly item: RecommendationItem }
    | { readonly name: "Alert"; readonly item: AlertItem }
  );

/** An extension event as it travels: the fields of schema 1.0, with a name that 1.0 does not have. */
export interface ExtensionEvent {
  readonly Id: string;
  readonly TimestampLocal: string;
  readonly TimestampUTC: string;
  readonly Category: EventCategory;
  readonly Name: ExtensionName;
  readonly EventType: EventType;
  readonly IsEmpty: false;
  readonly PayloadSchemaVersion: string;
  readonly Payload: readonly JsonObject[];
}

/** JSON Schema (draft 2020-12) of a whole extension message. */
export function extensionMessageSchema(): JsonObject {
  const ofName = (name: ExtensionName): JsonObject => ({
    if: { properties: { Name: { const: name } } },
    // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema for what follows from `if`.
    then: {
      properties: { Payload: { type: "array", items: EXTENSION_PAYLOADS[name].jsonSchema() } },
    },
  });
  const uuid = { type: "string", format: "uuid" };
  const moment = { type: "string", format: "date-time" };
  const event = {
    type: "object",
    properties: {
      Id: { ...uuid, description: "The same on every attempt, so that a duplicate is visible" },
      TimestampLocal: moment,
      TimestampUTC: moment,
      Category: { type: "string", enum: ["Triggered", "Periodic"] },
      Name: { type: "string", enum: EXTENSION_NAMES },
      EventType: { type: "string", const: "Security" },
      IsEmpty: { type: "boolean", const: false },
      PayloadSchemaVersion: { type: "string", const: EXTENSION_SCHEMA_VERSION },
      Payload: { type: "array", minItems: 1, maxItems: 1 },
    },
    required: [
      "Id",
      "TimestampLocal",
      "TimestampUTC",
      "Category",
      "Name",
      "EventType",
      "IsEmpty",
      "PayloadSchemaVersion",
      "Payload",
    ],
    additionalProperties: false,
    allOf: EXTENSION_NAMES.map(ofName),
  };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Gatewarden extension message",
    description: "Body of a message with the application property kind=extension",
    type: "object",
    properties: {
      AgentVersion: { type: "string" },
      AgentId: { type: "string" },
      MessageSchemaVersion: { type: "string", const: EXTENSION_SCHEMA_VERSION },
      Events: { type: "array", minItems: 1, items: event },
    },
    required: ["AgentVersion", "AgentId", "MessageSchemaVersion", "Events"],
    additionalProperties: false,
  };
}
