import type { IPublishPacket } from "mqtt-packet";
import type { ClientSession } from "./hub-core.ts";
import { decodeBag, identityPath, type PropertyBag } from "./hub-topics.ts";

/** Source: IoT Hub quotas and throttling, device-to-cloud message size. */
const MAX_METERED_BYTES = 262_144;
const METER_BYTES = 4_096;

/** Takes a device-to-cloud message: checks topic and size, tells the observers, acknowledges. */
export function takeTelemetry(client: ClientSession, packet: IPublishPacket): void {
  const { core, record, wire } = client;
  const prefix = `${identityPath(record.identity)}/messages/events`;
  const { topic } = packet;
  if (topic !== prefix && !topic.startsWith(`${prefix}/`)) {
    client.violate(`publish to '${topic.slice(0, 120)}'`);
    return;
  }
  if (core.faults.throttled > 0) {
    core.faults.throttled -= 1;
    client.violate("throttled: too many messages");
    return;
  }
  const bag = decodeBag(topic.slice(prefix.length + 1));
  const body = Buffer.from(packet.payload);
  if (bag === undefined || !isAscii(bag)) {
    client.violate("properties that cannot be decoded, or are not ASCII");
    return;
  }
  const application = packet.retain
    ? { ...bag.application, "mqtt-retain": "true" }
    : bag.application;
  const meteredBytes = meteredSize(body.length, { ...bag, application });
  if (meteredBytes > MAX_METERED_BYTES) {
    client.violate(`a message of ${meteredBytes} bytes; at most ${MAX_METERED_BYTES}`);
    return;
  }
  tell(client, body, { ...bag, application }, meteredBytes);
  if (packet.qos === 1 && !core.faults.withholdPuback) {
    wire.send({ cmd: "puback", messageId: packet.messageId ?? 0 });
  }
}

/** Stores a will as telemetry. Source: IoT Hub, MQTT support: last will. */
export function takeWill(client: ClientSession, topic: string, body: Buffer): void {
  if (!topic.startsWith(`${identityPath(client.record.identity)}/messages/events`)) return;
  const bag = { system: {}, application: { "iothub-MessageType": "Will" } };
  tell(client, body, bag, meteredSize(body.length, bag));
}

function tell(client: ClientSession, body: Buffer, bag: PropertyBag, meteredBytes: number): void {
  const { core, record } = client;
  core.tellMessage({
    identity: record.identity,
    receivedAtMs: core.clock.nowMs(),
    body,
    properties: bag.application,
    systemProperties: bag.system,
    meteredBytes,
    units: Math.max(1, Math.ceil(meteredBytes / METER_BYTES)),
    isDuplicate: core.isRepeated(bag.system["mid"]),
  });
}

function meteredSize(bodyBytes: number, bag: PropertyBag): number {
  const system = Object.values(bag.system).reduce((sum, value) => sum + value.length, 0);
  const application = Object.entries(bag.application).reduce(
    (sum, [name, value]) => sum + name.length + value.length,
    0,
  );
  return bodyBytes + system + application;
}

function isAscii(bag: PropertyBag): boolean {
  const texts = [...Object.entries(bag.system), ...Object.entries(bag.application)].flat();
  return texts.every((text) => [...text].every((letter) => letter >= " " && letter <= "~"));
}
