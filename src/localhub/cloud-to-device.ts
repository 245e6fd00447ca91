import { AgentError } from "../contract/errors.ts";
import type { HubClient, IdentityRecord, Outbox } from "./hub-model.ts";
import { deviceboundFilter } from "./hub-topics.ts";
import { encodePairs } from "./property-bag.ts";

/** Source: IoT Hub documentation, quotas: queue depth per device, cloud-to-device message size. */
const MAX_QUEUED = 50;
const MAX_MESSAGE_BYTES = 65_536;

/** An empty queue. */
export function createOutbox(): Outbox {
  return { queue: [], lastPacketId: 0 };
}

/** Queues a message for a device and delivers what can be. Throws AGENT_HUB_FAILED over a limit. */
export function sendToDevice(
  record: IdentityRecord,
  message: {
    readonly messageId: string;
    readonly body: Uint8Array;
    readonly properties: Readonly<Record<string, string>>;
  },
): void {
  const { identity, outbox } = record;
  if (identity.moduleId !== undefined) throw refused("modules take no cloud-to-device messages");
  const pairs: readonly (readonly [string, string])[] = [
    ["$.mid", message.messageId],
    ["$.to", `/devices/${identity.deviceId}/messages/deviceBound`],
    ...Object.entries(message.properties),
  ];
  const size = pairs.reduce((sum, pair) => sum + pair.join("").length, message.body.length);
  if (size > MAX_MESSAGE_BYTES) throw refused("the message is larger than 64 KB");
  if (outbox.queue.length >= MAX_QUEUED) throw refused("50 messages wait for the device (403004)");
  const folder = deviceboundFilter(identity.deviceId).slice(0, -1);
  const topic = folder + encodePairs(pairs);
  outbox.queue.push({
    topic,
    body: Buffer.from(message.body),
    packetId: undefined,
    wasSent: false,
  });
  if (record.client !== undefined) deliverQueued(record.client);
}

/** Sends what waits, if the device is subscribed. With quality of service 0 it is then forgotten. */
export function deliverQueued(client: HubClient): void {
  const { identity, outbox } = client.record;
  const qos = client.session.filters.get(deviceboundFilter(identity.deviceId));
  if (qos === undefined) return;
  for (const message of [...outbox.queue]) {
    if (message.packetId !== undefined) continue;
    outbox.lastPacketId = (outbox.lastPacketId % 65_535) + 1;
    client.send({
      cmd: "publish",
      topic: message.topic,
      payload: message.body,
      qos,
      dup: qos === 1 && message.wasSent,
      retain: false,
      ...(qos === 1 ? { messageId: outbox.lastPacketId } : {}),
    });
    if (qos === 0) outbox.queue.splice(outbox.queue.indexOf(message), 1);
    else {
      message.packetId = outbox.lastPacketId;
      message.wasSent = true;
    }
  }
}

/** Forgets the message that the device acknowledged. */
export function takePuback(client: HubClient, packetId: number): void {
  const { queue } = client.record.outbox;
  const at = queue.findIndex((message) => message.packetId === packetId);
  if (at >= 0) queue.splice(at, 1);
}

/** A new connection: what was not acknowledged is due again; a clean session drops everything. */
export function reopenOutbox(outbox: Outbox, isClean: boolean): void {
  if (isClean) outbox.queue.length = 0;
  for (const message of outbox.queue) message.packetId = undefined;
}

function refused(message: string): AgentError {
  return new AgentError("AGENT_HUB_FAILED", message, { remedy: "send less, or to a device" });
}
