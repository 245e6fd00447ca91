import { BEARS_NOT, BEARS_UNKNOWN, type Bearing, type Measure } from "./measure.ts";
import { type Occurrence, textOf } from "./occurrence.ts";

/** How a device talks to its hub, as the rule types spell it. */
export const PROTOCOLS = ["Amqp", "Mqtt", "Http"] as const;

export type Protocol = (typeof PROTOCOLS)[number];

/**
 * What happens at a hub, by the names that the hub's rules look for. Fields of their items are text:
 * `Protocol` (see `PROTOCOLS`; absent: not known), `Status` of feedback (as the service spells it), and
 * `Detail`, one line for the evidence.
 */
export const HUB_EVENTS = {
  deviceMessage: "DeviceMessage",
  commandFeedback: "CommandFeedback",
  methodCall: "DirectMethodCall",
  fileUpload: "FileUpload",
  queuePurge: "QueuePurge",
  twinUpdate: "TwinUpdate",
  refusal: "UnauthorizedOperation",
} as const;

export type HubEventName = (typeof HUB_EVENTS)[keyof typeof HUB_EVENTS];

const COUNTS: Bearing = { bears: "yes", value: "" };

/** Outcomes that mean that the device did not take the message. */
const REJECTED: ReadonlySet<string> = new Set(["Rejected", "DeliveryCountExceeded"]);

/** A measure that counts one protocol only. */
export interface ProtocolMeasure extends Measure {
  readonly protocol: Protocol;
}

function describe({ item }: Occurrence): string {
  return textOf(item, "Detail") ?? "";
}

function protocolMeasure(
  protocol: Protocol,
  what: string,
  eventName: HubEventName,
  isMeant: (item: Occurrence["item"]) => boolean | undefined,
): ProtocolMeasure {
  return {
    ruleType: `${protocol}${what}NotInAllowedRange`,
    eventNames: [eventName],
    protocol,
    bearing({ item }) {
      const meant = isMeant(item);
      if (meant === false) return BEARS_NOT;
      const told = textOf(item, "Protocol");
      if (told === undefined || meant === undefined) return BEARS_UNKNOWN;
      return told === protocol ? COUNTS : BEARS_NOT;
    },
    describe,
  };
}

function isStatus(
  ...statuses: readonly string[]
): (item: Occurrence["item"]) => boolean | undefined {
  return (item) => {
    const status = textOf(item, "Status");
    return status === undefined ? undefined : statuses.includes(status);
  };
}

/** The nine measures that tell protocols apart. */
export const PROTOCOL_MEASURES: readonly ProtocolMeasure[] = PROTOCOLS.flatMap((protocol) => [
  protocolMeasure(protocol, "C2DMessages", HUB_EVENTS.commandFeedback, isStatus("Success")),
  protocolMeasure(
    protocol,
    "C2DRejectedMessages",
    HUB_EVENTS.commandFeedback,
    isStatus(...REJECTED),
  ),
  protocolMeasure(protocol, "D2CMessages", HUB_EVENTS.deviceMessage, () => true),
]);

function eachOne(ruleType: string, eventName: HubEventName): Measure {
  return { ruleType, eventNames: [eventName], bearing: () => COUNTS, describe };
}

/** The 14 official rule types that only the data of a hub can answer. */
export const HUB_MEASURES: readonly Measure[] = [
  ...PROTOCOL_MEASURES,
  eachOne("DirectMethodInvokesNotInAllowedRange", HUB_EVENTS.methodCall),
  eachOne("FileUploadsNotInAllowedRange", HUB_EVENTS.fileUpload),
  eachOne("QueuePurgesNotInAllowedRange", HUB_EVENTS.queuePurge),
  eachOne("TwinUpdatesNotInAllowedRange", HUB_EVENTS.twinUpdate),
  eachOne("UnauthorizedOperationsNotInAllowedRange", HUB_EVENTS.refusal),
];

/** A protocol as logs write it (`Mqtt`, `MqttWs`, `Amqp`, `Https`, …); undefined for any other text. */
export function protocolOf(text: string): Protocol | undefined {
  const lower = text.slice(0, 16).toLowerCase();
  return PROTOCOLS.find((protocol) => lower.startsWith(protocol.toLowerCase()));
}
