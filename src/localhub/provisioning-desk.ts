import { createHmac } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { IPublishPacket, Packet } from "mqtt-packet";
import type { JsonObject } from "../contract/json.ts";
import { checkToken } from "./access-token.ts";
import { type Credentials, clientCertificateName } from "./authentication.ts";
import type { HubCore } from "./hub-core.ts";
import { requestIdOf } from "./hub-topics.ts";
import type { MqttWire } from "./mqtt-wire.ts";

const USER_NAME = /^([^/]+)\/registrations\/([^/]+)\/api-version=\d{4}-\d{2}-\d{2}/;
const REGISTER = "$dps/registrations/PUT/iotdps-register/";
const STATUS = "$dps/registrations/GET/iotdps-get-operationstatus/";
const RESPONSES = "$dps/registrations/res/#";
const RETRY_AFTER_SECONDS = 1;

/**
 * Plays the device provisioning service on the hub's own port, for the devices the hub knows: a
 * registration is the device of that id, its key is the device's key (or derived from the group key
 * kept under the identity `enrollment-group`). Returns the handler of further packets, or undefined
 * when the client does not speak to the provisioning service. Source: DPS, communicate over MQTT.
 */
export function openProvisioning(
  core: HubCore,
  credentials: Credentials,
  socket: TLSSocket,
  wire: MqttWire,
): ((packet: Packet) => void) | undefined {
  const match = USER_NAME.exec(credentials.userName ?? "");
  const [, idScope = "", registrationId = ""] = match ?? [];
  if (match === null) return undefined;
  const fault = faultOf(core, { idScope, registrationId }, credentials, socket);
  if (fault !== undefined) {
    core.tellViolation({ identity: { deviceId: registrationId }, what: fault });
    wire.send({ cmd: "connack", returnCode: 5, sessionPresent: false });
    wire.close(fault);
    return () => undefined;
  }
  wire.send({ cmd: "connack", returnCode: 0, sessionPresent: false });
  return (packet) => serve(core, registrationId, wire, packet);
}

function faultOf(
  core: HubCore,
  registration: { readonly idScope: string; readonly registrationId: string },
  credentials: Credentials,
  socket: TLSSocket,
): string | undefined {
  const { idScope, registrationId } = registration;
  if (core.faults.rejectAuthentication) return "authentication is switched off";
  if (idScope !== core.idScope) return `no id scope '${idScope.slice(0, 40)}'`;
  if (credentials.clientId !== registrationId) return "the client id is not the registration id";
  if (credentials.password === undefined || credentials.password === "") {
    return clientCertificateName(socket) === registrationId
      ? undefined
      : "no client certificate of that registration";
  }
  const keys = [core.find({ deviceId: registrationId })?.key, groupKey(core, registrationId)];
  const verdicts = keys.flatMap((keyBase64) =>
    keyBase64 === undefined
      ? []
      : [
          checkToken(credentials.password ?? "", {
            hostNames: [idScope],
            resourcePath: `registrations/${registrationId}`,
            keyBase64,
            nowMs: core.clock.nowMs(),
            policyName: "registration",
          }),
        ],
  );
  if (verdicts.some((verdict) => verdict.ok)) return undefined;
  const [first] = verdicts;
  return first === undefined || first.ok ? `no registration ${registrationId}` : first.why;
}

/** Key of a device in an enrolment group: HMAC-SHA256 of its id with the group's key. */
function groupKey(core: HubCore, registrationId: string): string | undefined {
  const master = core.state.keyIfKnown({ deviceId: "enrollment-group" });
  if (master === undefined) return undefined;
  return createHmac("sha256", Buffer.from(master, "base64"))
    .update(registrationId)
    .digest("base64");
}

function serve(core: HubCore, registrationId: string, wire: MqttWire, packet: Packet): void {
  if (packet.cmd === "subscribe") {
    const granted = packet.subscriptions.map(({ topic }) => (topic === RESPONSES ? 1 : 0x80));
    wire.send({ cmd: "suback", messageId: packet.messageId ?? 0, granted });
  } else if (packet.cmd === "publish") answer(core, registrationId, wire, packet);
  else if (packet.cmd === "pingreq") wire.send({ cmd: "pingresp" });
  else if (packet.cmd === "disconnect") wire.close("the client disconnected");
}

function answer(
  core: HubCore,
  registrationId: string,
  wire: MqttWire,
  packet: IPublishPacket,
): void {
  if (packet.qos === 1) wire.send({ cmd: "puback", messageId: packet.messageId ?? 0 });
  const requestId = requestIdOf(packet.topic) ?? "";
  const operationId = `1.${registrationId}`;
  if (packet.topic.startsWith(REGISTER)) {
    respond(wire, 202, requestId, { operationId, status: "assigning" });
  } else if (packet.topic.startsWith(STATUS)) {
    const isKnown = core.find({ deviceId: registrationId }) !== undefined;
    const registrationState = isKnown
      ? { registrationId, assignedHub: core.hostName, deviceId: registrationId, status: "assigned" }
      : { registrationId, status: "failed", errorCode: 404201, errorMessage: "Unknown device" };
    const status = isKnown ? "assigned" : "failed";
    respond(wire, 200, requestId, { operationId, status, registrationState });
  } else wire.close(`publish to '${packet.topic.slice(0, 120)}'`, true);
}

function respond(wire: MqttWire, status: number, requestId: string, body: JsonObject): void {
  const retry = status === 202 ? `&retry-after=${RETRY_AFTER_SECONDS}` : "";
  const topic = `$dps/registrations/res/${status}/?$rid=${requestId}${retry}`;
  wire.send({
    cmd: "publish",
    topic,
    payload: JSON.stringify(body),
    qos: 0,
    dup: false,
    retain: false,
  });
}
