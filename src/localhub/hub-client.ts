import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { IConnectPacket, IPublishPacket, ISubscribePacket, Packet } from "mqtt-packet";
import type { Timer } from "../contract/clock.ts";
import { admit } from "./authentication.ts";
import type { HubConnection } from "./hub-contract.ts";
import type { AttachedClient, ClientSession, HubCore, IdentityRecord } from "./hub-core.ts";
import { identityName, isKnownFilter } from "./hub-topics.ts";
import { createMqttWire, type MqttWire } from "./mqtt-wire.ts";
import { openProvisioning } from "./provisioning-desk.ts";
import { takeTelemetry, takeWill } from "./telemetry.ts";
import { answerTwinRequest, takeMethodResponse } from "./twin-desk.ts";

const CONNECT_DEADLINE_MS = 30_000;
const LONGEST_SILENCE_MS = 1_767_000;
const MAX_TOPICS_PER_SUBSCRIBE = 5;
const NOT_AUTHORISED = 5;
const REFUSED_FILTER = 0x80;

/** Serves one MQTT connection, from CONNECT to its end. */
export function serveClient(
  core: HubCore,
  stream: Duplex,
  socket: TLSSocket,
  via: HubConnection["via"],
): void {
  let session: ClientSession | undefined;
  let silence: Timer = core.clock.after(CONNECT_DEADLINE_MS, () => wire.close("no CONNECT", true));
  let expiry: Timer | undefined;
  let silenceMs = CONNECT_DEADLINE_MS;
  let will: IConnectPacket["will"];
  let isClean = false;
  let provisioning: ((packet: Packet) => void) | undefined;

  const wire: MqttWire = createMqttWire(stream, { onPacket: take, onClosed: closed });

  function closed(why: string): void {
    silence.cancel();
    expiry?.cancel();
    if (session === undefined) return;
    const { record } = session;
    if (record.client === session.attached) record.client = undefined;
    if (isClean) record.session = undefined;
    if (will !== undefined) takeWill(session, will.topic, Buffer.from(will.payload));
    core.tellDisconnection(record.identity, why);
  }

  function take(packet: Packet): void {
    silence.cancel();
    silence = core.clock.after(silenceMs, () => wire.close("keep-alive time is over", true));
    if (provisioning !== undefined) provisioning(packet);
    else if (session !== undefined) handle(session, packet);
    else if (packet.cmd === "connect") connect(packet);
    else wire.close("the first packet is no CONNECT", true);
  }

  function connect(packet: IConnectPacket): void {
    const password = packet.password?.toString("utf8");
    if (packet.protocolVersion !== 4) {
      wire.send({ cmd: "connack", returnCode: 1, sessionPresent: false });
      wire.close("MQTT version is not 3.1.1");
      return;
    }
    const credentials = { clientId: packet.clientId, userName: packet.username, password };
    provisioning = openProvisioning(core, credentials, socket, wire);
    if (provisioning !== undefined) return;
    const admission = admit(core, credentials, socket);
    if (!admission.ok) {
      core.tellViolation({ identity: undefined, what: admission.why });
      wire.send({ cmd: "connack", returnCode: NOT_AUTHORISED, sessionPresent: false });
      wire.close(admission.why);
      return;
    }
    attach(packet, admission.record, admission.expiresAtMs);
  }

  function attach(packet: IConnectPacket, record: IdentityRecord, expiresAtMs: number): void {
    record.client?.disconnect("another connection of the same identity took over");
    isClean = packet.clean ?? true;
    const isResumed = !isClean && record.session !== undefined;
    if (!isResumed) record.session = new Set();
    will = packet.will;
    const keepAliveMs = (packet.keepalive ?? 0) * 1_500;
    silenceMs = keepAliveMs === 0 ? LONGEST_SILENCE_MS : Math.min(keepAliveMs, LONGEST_SILENCE_MS);
    const attached = attachedClient(record, expiresAtMs, isResumed);
    session = {
      core,
      record,
      wire,
      attached,
      violate(what) {
        core.tellViolation({ identity: record.identity, what });
        wire.close(what, true);
      },
    };
    record.client = attached;
    if (Number.isFinite(expiresAtMs)) {
      const leftMs = Math.max(0, expiresAtMs - core.clock.nowMs());
      expiry = core.clock.after(leftMs, () => wire.close("the token has expired", true));
    }
    wire.send({ cmd: "connack", returnCode: 0, sessionPresent: isResumed });
    core.tellConnection(attached.connection);
  }

  function attachedClient(
    record: IdentityRecord,
    expiresAtMs: number,
    isSessionResumed: boolean,
  ): AttachedClient {
    return {
      connection: {
        identity: record.identity,
        remote: `${socket.remoteAddress ?? ""}:${socket.remotePort ?? 0}`,
        tlsVersion: socket.getProtocol() ?? "",
        serverName: servernameOf(socket),
        isSessionResumed,
        via,
      },
      expiresAtMs,
      publish(filter, topic, payload) {
        if (record.session?.has(filter) !== true) return false;
        wire.send({ cmd: "publish", topic, payload, qos: 0, dup: false, retain: false });
        return true;
      },
      disconnect: (why) => wire.close(why, true),
    };
  }

  function handle(client: ClientSession, packet: Packet): void {
    switch (packet.cmd) {
      case "publish":
        takePublish(client, packet);
        return;
      case "subscribe":
        takeSubscribe(client, packet);
        return;
      case "unsubscribe":
        for (const filter of packet.unsubscriptions) client.record.session?.delete(filter);
        wire.send({ cmd: "unsuback", messageId: packet.messageId ?? 0, granted: [] });
        return;
      case "pingreq":
        wire.send({ cmd: "pingresp" });
        return;
      case "disconnect":
        will = undefined;
        wire.close("the client disconnected");
        return;
      case "puback":
        return;
      default:
        client.violate(`packet ${packet.cmd} is not allowed here`);
    }
  }
}

function takePublish(client: ClientSession, packet: IPublishPacket): void {
  if (packet.qos === 2) client.violate("publish with quality of service 2");
  else if (packet.topic.startsWith("$iothub/twin/")) answerTwinRequest(client, packet);
  else if (packet.topic.startsWith("$iothub/methods/res/")) takeMethodResponse(client, packet);
  else takeTelemetry(client, packet);
}

function takeSubscribe(client: ClientSession, packet: ISubscribePacket): void {
  const { core, record, wire } = client;
  if (packet.subscriptions.length > MAX_TOPICS_PER_SUBSCRIBE) {
    client.violate(`more than ${MAX_TOPICS_PER_SUBSCRIBE} topics in one SUBSCRIBE`);
    return;
  }
  const granted = packet.subscriptions.map(({ topic, qos }) => {
    if (!isKnownFilter(topic, record.identity)) {
      const what = `${identityName(record.identity)} may not subscribe to '${topic.slice(0, 80)}'`;
      core.tellViolation({ identity: record.identity, what });
      return REFUSED_FILTER;
    }
    record.session?.add(topic);
    return Math.min(qos, 1);
  });
  const acknowledge = (): void =>
    wire.send({ cmd: "suback", messageId: packet.messageId ?? 0, granted });
  if (core.faults.subackDelayMs > 0) core.clock.after(core.faults.subackDelayMs, acknowledge);
  else acknowledge();
}

/** Server name of the TLS handshake; Node's types leave it out of TLSSocket. */
function servernameOf(socket: TLSSocket): string {
  const name: unknown = "servername" in socket ? socket.servername : undefined;
  return typeof name === "string" ? name : "";
}
