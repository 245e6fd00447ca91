import type { IPublishPacket } from "mqtt-packet";
import type { JsonValue } from "../contract/json.ts";
import { parseJson, parseJsonObject } from "../parse/json.ts";
import type { TwinReply } from "./hub-contract.ts";
import type { ClientSession, HubCore, IdentityRecord } from "./hub-core.ts";
import { DESIRED_UPDATES, requestIdOf, TWIN_RESPONSES } from "./hub-topics.ts";

const GET = "$iothub/twin/GET/";
const REPORT = "$iothub/twin/PATCH/properties/reported/";
const MAX_PATCH_CHARACTERS = 65_536;

/** Answers a twin GET or a reported patch. */
export function answerTwinRequest(client: ClientSession, packet: IPublishPacket): void {
  const requestId = requestIdOf(packet.topic);
  const isGet = packet.topic.startsWith(GET);
  if (requestId === undefined || (!isGet && !packet.topic.startsWith(REPORT))) {
    client.violate(`publish to '${packet.topic.slice(0, 120)}'`);
    return;
  }
  if (isGet) answerGet(client, requestId);
  else answerReport(client, requestId, Buffer.from(packet.payload).toString("utf8"));
  if (packet.qos === 1) client.wire.send({ cmd: "puback", messageId: packet.messageId ?? 0 });
}

function answerGet(client: ClientSession, requestId: string): void {
  const { core, record } = client;
  const patch = core.faults.patchBeforeNextTwinGet;
  if (patch !== undefined) {
    core.faults.patchBeforeNextTwinGet = undefined;
    const merged = record.twin.merge("desired", patch, core.clock.nowMs());
    if (merged.ok) notifyDesired(record, patch, merged.value);
  }
  if (core.faults.ignoredTwinGets > 0) {
    core.faults.ignoredTwinGets -= 1;
    return;
  }
  const scripted = core.faults.twinGetReplies.shift();
  reply(client, requestId, scripted ?? { status: 200, body: record.twin.wire() });
}

function answerReport(client: ClientSession, requestId: string, text: string): void {
  const { core, record } = client;
  const scripted = core.faults.reportReplies.shift();
  if (scripted !== undefined && scripted.status >= 300) {
    reply(client, requestId, scripted);
    return;
  }
  const patch = parseJsonObject(text, "reported properties", { maxLength: MAX_PATCH_CHARACTERS });
  const merged = patch.ok ? record.twin.merge("reported", patch.value, core.clock.nowMs()) : patch;
  if (!patch.ok || !merged.ok) {
    const message = merged.ok ? "" : merged.problem.detail;
    reply(client, requestId, { status: 400, body: { errorCode: 400, message } });
    return;
  }
  reply(client, requestId, scripted ?? { status: 204 }, merged.value);
  core.tellReported(record.identity, patch.value, merged.value);
}

function reply(
  client: ClientSession,
  requestId: string,
  answer: TwinReply,
  version?: number,
): void {
  const suffix = version === undefined ? "" : `&$version=${version}`;
  const topic = `$iothub/twin/res/${answer.status}/?$rid=${requestId}${suffix}`;
  const payload = answer.body === undefined ? "" : JSON.stringify(answer.body);
  client.attached.publish(TWIN_RESPONSES, topic, payload);
}

/** Tells a connected client of a desired patch; who is not connected reads the twin later. */
export function notifyDesired(record: IdentityRecord, patch: JsonValue, version: number): void {
  const body =
    typeof patch === "object" && patch !== null ? { ...patch, $version: version } : patch;
  pushDesired(record, JSON.stringify(body), version);
}

/** Sends any text as a desired patch. */
export function pushDesired(record: IdentityRecord, payload: string, version: number): void {
  const topic = `$iothub/twin/PATCH/properties/desired/?$version=${version}`;
  record.client?.publish(DESIRED_UPDATES, topic, payload);
}

/** Hands a method's answer to whoever called it. */
export function takeMethodResponse(client: ClientSession, packet: IPublishPacket): void {
  const status = Number(/^\$iothub\/methods\/res\/(-?\d{1,9})\//.exec(packet.topic)?.[1]);
  const requestId = requestIdOf(packet.topic);
  if (requestId === undefined || !Number.isInteger(status)) {
    client.violate(`publish to '${packet.topic.slice(0, 120)}'`);
    return;
  }
  resolveCall(client.core, requestId, status, Buffer.from(packet.payload).toString("utf8"));
  if (packet.qos === 1) client.wire.send({ cmd: "puback", messageId: packet.messageId ?? 0 });
}

function resolveCall(core: HubCore, requestId: string, status: number, text: string): void {
  const call = core.calls.get(requestId);
  core.calls.delete(requestId);
  const parsed = parseJson(text, "method response", { maxLength: 131_072 });
  call?.resolve({ status, payload: parsed.ok ? parsed.value : null });
}
