import { createHmac } from "node:crypto";
import type { IConnectPacket, IPublishPacket, Packet } from "mqtt-packet";
import type { JsonObject } from "../contract/json.ts";
import { parseJsonObject } from "../parse/json.ts";
import { utcTimestamp } from "../parse/timestamps.ts";
import { checkToken } from "./access-token.ts";
import { certificateFault, clientCertificate } from "./authentication.ts";
import type { ConnectionOwner, Knock } from "./connection.ts";
import type { HubCore } from "./hub-model.ts";
import { splitTopic } from "./hub-topics.ts";
import { createIdleWatch } from "./idle-watch.ts";
import type { UserName } from "./user-name.ts";

const REGISTER = "$dps/registrations/PUT/iotdps-register/";
const STATUS = "$dps/registrations/GET/iotdps-get-operationstatus/";
const RESPONSES = "$dps/registrations/res/#";
const RETRY_AFTER_SECONDS = 1;

/** Error codes of the service. Source: DPS documentation, "Troubleshoot", error codes. */
const NOT_FOUND = 404_201;
const BAD_REQUEST = 400_004;

type ProvisioningUser = UserName & { readonly kind: "provisioning" };

/**
 * Plays the device provisioning service on the hub's own port, for the devices that the hub knows: a
 * registration is the device of that id, attested by its key, by one derived from the enrolment group's
 * key, or by certificate. Says CONNACK and returns the connection's owner, or the reason of a refusal.
 * Source: DPS documentation, "Communicate with DPS using the MQTT protocol".
 */
export function openProvisioning(
  core: HubCore,
  { wire, socket }: Knock,
  user: ProvisioningUser,
  packet: IConnectPacket,
): ConnectionOwner | string {
  const { registrationId } = user;
  const certificate = clientCertificate(core, socket);
  const fault = nameFault(core, user, packet) ?? certificateFault(certificate, registrationId);
  if (fault !== undefined) return fault;
  const password = packet.password?.toString("utf8") ?? "";
  if (password === "" && certificate === undefined) {
    return "neither a token nor a client certificate";
  }
  const key = password === "" ? undefined : keyOfToken(core, user, password);
  if (typeof key === "object") return key.why;
  const idle = createIdleWatch(core.clock, packet.keepalive ?? 0, () => wire.close("keep-alive"));
  const desk: Desk = { core, registrationId, key, isSubscribed: false, knock: { wire, socket } };
  wire.send({ cmd: "connack", returnCode: 0, sessionPresent: false });
  return {
    identity: { deviceId: registrationId },
    onPacket(received) {
      idle.renew();
      serve(desk, received);
    },
    onClosed: () => idle.stop(),
  };
}

interface Desk {
  readonly core: HubCore;
  readonly registrationId: string;
  /** The key that attested; the device has it from then on. Undefined for X.509. */
  readonly key: string | undefined;
  readonly knock: Pick<Knock, "wire" | "socket">;
  isSubscribed: boolean;
}

function nameFault(
  core: HubCore,
  user: ProvisioningUser,
  packet: IConnectPacket,
): string | undefined {
  if (user.idScope !== core.traits.idScope) return `no id scope '${user.idScope.slice(0, 40)}'`;
  if (packet.clientId !== user.registrationId) return "the client id is not the registration id";
  const version = user.parameters.get("api-version") ?? "";
  return /^\d{4}-\d{2}-\d{2}(?:-preview)?$/.test(version) ? undefined : "no sound api-version";
}

/** The key that signed the token, or why it is none of the registration's. */
function keyOfToken(
  core: HubCore,
  user: ProvisioningUser,
  password: string,
): string | { readonly why: string } {
  const { registrationId, idScope } = user;
  const own = core.find({ deviceId: registrationId })?.key;
  const group = core.traits.enrollmentGroupKey;
  const derived = group === undefined ? undefined : deriveKey(group, registrationId);
  let why = `no registration '${registrationId.slice(0, 80)}' (401)`;
  for (const keyBase64 of [own, derived]) {
    if (keyBase64 === undefined) continue;
    const verdict = checkToken(password, {
      hostNames: new Set([idScope.toLowerCase()]),
      resourcePath: `registrations/${registrationId}`,
      keyBase64,
      nowMs: core.clock.nowMs(),
      policyName: "registration",
    });
    if (verdict.ok) return keyBase64;
    why = verdict.why;
  }
  return { why };
}

/** Source: DPS documentation, "Symmetric key attestation", group enrolments. */
function deriveKey(groupKeyBase64: string, registrationId: string): string {
  return createHmac("sha256", Buffer.from(groupKeyBase64, "base64"))
    .update(registrationId)
    .digest("base64");
}

function serve(desk: Desk, packet: Packet): void {
  const { wire } = desk.knock;
  if (packet.cmd === "pingreq") wire.send({ cmd: "pingresp" });
  else if (packet.cmd === "disconnect") wire.close("the client disconnected");
  else if (packet.cmd === "publish") takePublish(desk, packet);
  else if (packet.cmd === "subscribe") {
    if (packet.subscriptions.some(({ topic }) => topic !== RESPONSES)) {
      violate(desk, "a subscription that the provisioning service does not have");
      return;
    }
    desk.isSubscribed = true;
    const granted = packet.subscriptions.map(({ qos }) => Math.min(qos, 1));
    wire.send({ cmd: "suback", messageId: packet.messageId ?? 0, granted });
  } else if (packet.cmd !== "puback") violate(desk, `packet ${packet.cmd} is not allowed here`);
}

function takePublish(desk: Desk, packet: IPublishPacket): void {
  const { path, query } = splitTopic(packet.topic);
  const requestId = query.get("$rid") ?? "";
  if (packet.qos === 2 || requestId === "" || (path !== REGISTER && path !== STATUS)) {
    violate(desk, `publish to '${packet.topic.slice(0, 120)}'`);
    return;
  }
  if (packet.qos === 1) {
    desk.knock.wire.send({ cmd: "puback", messageId: packet.messageId ?? 0 });
  }
  if (path === STATUS) answerStatus(desk, requestId, query.get("operationId"));
  else answerRegister(desk, requestId, Buffer.from(packet.payload).toString("utf8"));
}

function answerRegister(desk: Desk, requestId: string, text: string): void {
  const body = parseJsonObject(text, "registration", { maxLength: 65_536 });
  if (!body.ok || body.value["registrationId"] !== desk.registrationId) {
    respond(desk, 400, requestId, { errorCode: BAD_REQUEST, message: "registrationId is wrong" });
  } else if (desk.core.find({ deviceId: desk.registrationId }) === undefined) {
    respond(desk, 404, requestId, { errorCode: NOT_FOUND, message: "Registration not found" });
  } else {
    const { core, registrationId, key } = desk;
    const record = core.find({ deviceId: registrationId });
    const isDisabled = core.traits.disabledRegistrations.has(registrationId);
    if (record !== undefined && key !== undefined && !isDisabled) record.key = key;
    respond(desk, 202, requestId, { operationId: operationOf(desk), status: "assigning" });
  }
}

function answerStatus(desk: Desk, requestId: string, operationId: string | undefined): void {
  const { core, registrationId } = desk;
  if (operationId !== operationOf(desk)) {
    respond(desk, 404, requestId, { errorCode: NOT_FOUND, message: "Operation not found" });
    return;
  }
  const now = utcTimestamp(core.clock.nowMs());
  const common = { registrationId, createdDateTimeUtc: now, lastUpdatedDateTimeUtc: now };
  const isDisabled = core.traits.disabledRegistrations.has(registrationId);
  const status = isDisabled ? "disabled" : "assigned";
  const registrationState = isDisabled
    ? { ...common, status }
    : {
        ...common,
        status,
        substatus: "initialAssignment",
        assignedHub: core.assignedHub,
        deviceId: registrationId,
      };
  respond(desk, 200, requestId, { operationId, status, registrationState });
}

function operationOf(desk: Desk): string {
  return `4.${desk.registrationId.replace(/[^\w.-]/g, "_")}`;
}

function respond(desk: Desk, status: number, requestId: string, body: JsonObject): void {
  if (!desk.isSubscribed) return;
  const retry = status === 202 ? `&retry-after=${RETRY_AFTER_SECONDS}` : "";
  desk.knock.wire.send({
    cmd: "publish",
    topic: `$dps/registrations/res/${status}/?$rid=${encodeURIComponent(requestId)}${retry}`,
    payload: JSON.stringify(body),
    qos: 0,
    dup: false,
    retain: false,
  });
}

function violate(desk: Desk, what: string): void {
  desk.core.tellViolation({ identity: { deviceId: desk.registrationId }, what });
  desk.knock.wire.close(what);
}
