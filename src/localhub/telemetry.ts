import type { IPublishPacket } from "mqtt-packet";
import type { HubClient } from "./hub-model.ts";
import { eventsBag } from "./hub-topics.ts";
import { decodePropertyBag, type PropertyBag, propertyBag } from "./property-bag.ts";

/** Source: IoT Hub quotas and throttling, device-to-cloud message size. */
const MAX_METERED_BYTES = 262_144;
const METER_BYTES = 4_096;

/** Takes a device-to-cloud message: checks properties and size, tells the observers, acknowledges. */
export function takeTelemetry(client: HubClient, packet: IPublishPacket, bagText: string): void {
  const { core } = client;
  if (core.faults.throttled > 0) {
    core.faults.throttled -= 1;
    client.disconnect("throttled: too many messages");
    return;
  }
  const bag = decodePropertyBag(bagText);
  if (!bag.ok) {
    client.violate(`a message whose ${bag.problem.subject}: ${bag.problem.detail}`);
    return;
  }
  const body = Buffer.from(packet.payload);
  const extra = packet.retain ? { "mqtt-retain": "true" } : {};
  const taken = extended(bag.value, extra);
  const meteredBytes = body.length + taken.meteredBytes;
  if (meteredBytes > MAX_METERED_BYTES) {
    client.violate(`a message of ${meteredBytes} bytes; at most ${MAX_METERED_BYTES}`);
    return;
  }
  tell(client, body, taken);
  if (!core.faults.isPubackWithheld) client.acknowledge(packet);
}

/** A will as CONNECT holds it. */
export interface Will {
  readonly topic: string;
  readonly payload: Buffer | string;
  readonly retain?: boolean;
}

/** Stores a will as telemetry. Source: IoT Hub, MQTT support: last will. */
export function takeWill(client: HubClient, will: Will): void {
  const bag = decodePropertyBag(eventsBag(will.topic, client.record.identity) ?? "");
  if (!bag.ok) return;
  const extra = {
    "iothub-MessageType": "Will",
    ...(will.retain === true ? { "mqtt-retain": "true" } : {}),
  };
  tell(client, Buffer.from(will.payload), extended(bag.value, extra));
}

function extended(bag: PropertyBag, extra: Readonly<Record<string, string>>): PropertyBag {
  return propertyBag(
    new Map(Object.entries({ ...bag.properties, ...extra })),
    new Map(Object.entries(bag.systemProperties)),
  );
}

function tell(client: HubClient, body: Buffer, bag: PropertyBag): void {
  const { core, record } = client;
  const meteredBytes = body.length + bag.meteredBytes;
  core.tellMessage({
    identity: record.identity,
    receivedAtMs: core.clock.nowMs(),
    body,
    properties: bag.properties,
    systemProperties: bag.systemProperties,
    meteredBytes,
    units: Math.max(1, Math.ceil(meteredBytes / METER_BYTES)),
    isDuplicate: core.isRepeated(record.identity, bag.systemProperties["mid"]),
  });
}
