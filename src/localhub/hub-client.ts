import type { TLSSocket } from "node:tls";
import type { IConnectPacket, IPublishPacket, ISubscribePacket, Packet } from "mqtt-packet";
import type { Timer } from "../contract/clock.ts";
import type { Admission } from "./authentication.ts";
import { deliverQueued, reopenOutbox, takePuback } from "./cloud-to-device.ts";
import type { ConnectionOwner, Knock } from "./connection.ts";
import type { HubConnection } from "./hub-contract.ts";
import type { HubClient, HubCore, Session } from "./hub-model.ts";
import { identityName, isKnownFilter, parsePublishTopic } from "./hub-topics.ts";
import { createIdleWatch } from "./idle-watch.ts";
import { takeTelemetry, takeWill, type Will } from "./telemetry.ts";
import { answerReport, answerTwinGet } from "./twin-desk.ts";

/** Source: IoT Hub, MQTT support: topic subscriptions per device. */
const MAX_TOPICS = 5;

type Admitted = Admission & { readonly ok: true };

/** Lets an admitted client in: takes over from an older connection, opens its session, says CONNACK. */
export function attachClient(
  core: HubCore,
  knock: Knock,
  packet: IConnectPacket,
  admission: Admitted,
): ConnectionOwner {
  const { wire } = knock;
  const { record, expiresAtMs } = admission;
  const isClean = packet.clean ?? true;
  // One connection per identity: the newer one wins (400027).
  record.client?.disconnect("evicted by a newer connection of the same identity (400027)");
  const kept = isClean ? undefined : record.keptSession;
  const session: Session = kept ?? { filters: new Map() };
  record.keptSession = isClean ? undefined : session;
  reopenOutbox(record.outbox, isClean);

  let will: Will | undefined = packet.will;
  const timers = new Set<Timer>();
  const idle = createIdleWatch(core.clock, packet.keepalive ?? 0, () =>
    wire.close("keep-alive: silent for longer than 1.5 times what it promised"),
  );
  if (expiresAtMs !== undefined) {
    const leftMs = Math.max(0, expiresAtMs - core.clock.nowMs());
    timers.add(core.clock.after(leftMs, () => wire.close("the token has expired")));
  }
  const client: HubClient = {
    core,
    record,
    session,
    connection: connectionOf(knock, record.identity, kept !== undefined),
    hasToken: expiresAtMs !== undefined,
    publish(filter, topic, payload) {
      if (!session.filters.has(filter)) return false;
      wire.send({ cmd: "publish", topic, payload, qos: 0, dup: false, retain: false });
      return true;
    },
    send: (out) => wire.send(out),
    acknowledge(taken) {
      if (taken.qos === 1) wire.send({ cmd: "puback", messageId: taken.messageId ?? 0 });
    },
    violate(what) {
      core.tellViolation({ identity: record.identity, what });
      wire.close(what);
    },
    disconnect: (why) => wire.close(why),
  };
  const owner: ConnectionOwner = {
    identity: record.identity,
    onPacket(received) {
      idle.renew();
      if (received.cmd === "disconnect") {
        // Only a connection that ends without this word has a will. Source: MQTT 3.1.1 section 3.14.
        will = undefined;
        wire.close("the client disconnected");
      } else serve(client, received, timers);
    },
    onClosed(why) {
      idle.stop();
      for (const timer of timers) timer.cancel();
      if (record.client === client) record.client = undefined;
      core.calls.abandon(client, why);
      if (will !== undefined) takeWill(client, will);
      core.tellDisconnection(record.identity, why);
    },
  };
  record.client = client;
  wire.send({ cmd: "connack", returnCode: 0, sessionPresent: kept !== undefined });
  core.tellConnection(client.connection);
  deliverQueued(client);
  return owner;
}

const FROM_CLIENTS: readonly string[] = [
  "publish",
  "puback",
  "subscribe",
  "unsubscribe",
  "pingreq",
];

/** Packet ids run from 1; the parser says -1 for none at all. Source: MQTT 3.1.1 section 2.3.1. */
function lacksPacketId(packet: Packet): boolean {
  const isWithoutId = packet.cmd === "pingreq" || (packet.cmd === "publish" && packet.qos === 0);
  return !isWithoutId && (packet.messageId ?? 0) <= 0;
}

function serve(client: HubClient, packet: Packet, timers: Set<Timer>): void {
  if (FROM_CLIENTS.includes(packet.cmd) && lacksPacketId(packet)) {
    client.violate(`packet ${packet.cmd} without a packet id`);
    return;
  }
  switch (packet.cmd) {
    case "publish":
      takePublish(client, packet);
      return;
    case "subscribe":
      subscribe(client, packet, timers);
      return;
    case "puback":
      takePuback(client, packet.messageId ?? 0);
      return;
    case "unsubscribe":
      for (const filter of packet.unsubscriptions) client.session.filters.delete(filter);
      client.send({ cmd: "unsuback", messageId: packet.messageId ?? 0, granted: [] });
      return;
    case "pingreq":
      client.send({ cmd: "pingresp" });
      return;
    default:
      client.violate(`packet ${packet.cmd} is not allowed here`);
  }
}

function takePublish(client: HubClient, packet: IPublishPacket): void {
  if (packet.qos === 2) {
    client.violate("publish with quality of service 2");
    return;
  }
  const topic = parsePublishTopic(packet.topic, client.record.identity);
  const payload = Buffer.from(packet.payload);
  if (topic.kind === "wrong") client.violate(topic.why);
  else if (topic.kind === "events") takeTelemetry(client, packet, topic.bag);
  else {
    client.acknowledge(packet);
    if (topic.kind === "twin-get") answerTwinGet(client, topic.requestId);
    else if (topic.kind === "report") answerReport(client, topic.requestId, payload);
    else client.core.calls.answer(client, topic.requestId, topic.status, payload);
  }
}

/**
 * The hub ends the connection on a subscription that it does not have, instead of refusing it in
 * SUBACK. Source: Azure/azure-iot-middleware-freertos pull request 89, maintainers on SUBACK.
 */
function subscribe(client: HubClient, packet: ISubscribePacket, timers: Set<Timer>): void {
  const { core, record, session } = client;
  const { subscriptions, messageId = 0 } = packet;
  const unknown = subscriptions.find(({ topic }) => !isKnownFilter(topic, record.identity));
  if (subscriptions.length === 0) {
    client.violate("SUBSCRIBE without a topic");
  } else if (subscriptions.length > MAX_TOPICS) {
    client.violate(`more than ${MAX_TOPICS} topics in one SUBSCRIBE`);
  } else if (unknown !== undefined) {
    const filter = unknown.topic.slice(0, 80);
    client.violate(`${identityName(record.identity)} may not subscribe to '${filter}'`);
  } else {
    const grant = (): void => {
      for (const { topic, qos } of subscriptions) session.filters.set(topic, qos === 0 ? 0 : 1);
      const granted = subscriptions.map(({ qos }) => Math.min(qos, 1));
      client.send({ cmd: "suback", messageId, granted });
      deliverQueued(client);
    };
    if (core.faults.subackDelayMs > 0)
      timers.add(core.clock.after(core.faults.subackDelayMs, grant));
    else grant();
  }
}

function connectionOf(
  { socket, via }: Knock,
  identity: HubConnection["identity"],
  isSessionResumed: boolean,
): HubConnection {
  return {
    identity,
    remote: `${socket.remoteAddress ?? ""}:${socket.remotePort ?? 0}`,
    tlsVersion: socket.getProtocol() ?? "",
    serverName: serverNameOf(socket),
    isSessionResumed,
    via,
  };
}

/** Server name of the TLS handshake; Node's types leave it out of TLSSocket. */
function serverNameOf(socket: TLSSocket): string {
  const name: unknown = "servername" in socket ? socket.servername : undefined;
  return typeof name === "string" ? name : "";
}
