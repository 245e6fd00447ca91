import type { JsonObject } from "../contract/json.ts";
import { parseJsonObject } from "../parse/json.ts";
import type { TwinReply } from "./hub-contract.ts";
import type { HubClient, IdentityRecord } from "./hub-model.ts";
import { DESIRED_UPDATES, TWIN_RESPONSES } from "./hub-topics.ts";
import type { TwinChange } from "./twin-store.ts";

/** JSON text takes more than the 32 KB that count: escapes and brackets are free. */
const MAX_PATCH_CHARACTERS = 262_144;
/** "Argument invalid". Source: IoT Hub error codes. */
const BAD_REQUEST = 400_004;

/** Answers a twin GET. */
export function answerTwinGet(client: HubClient, requestId: string): void {
  const { core, record } = client;
  const patch = core.faults.patchesBeforeGet.shift();
  if (patch !== undefined) {
    const changed = record.twin.patchDesired(patch);
    if (changed.ok) notifyDesired(record, changed.value);
  }
  const scripted = core.faults.twinGets.next();
  if (scripted === "silence") return;
  reply(client, requestId, scripted ?? { status: 200, body: record.twin.deviceView() });
}

/** Takes a reported patch and answers it. */
export function answerReport(client: HubClient, requestId: string, payload: Uint8Array): void {
  const { core, record } = client;
  const scripted = core.faults.reports.next();
  if (scripted === "silence") return;
  if (scripted !== undefined && (scripted.status < 200 || scripted.status >= 300)) {
    reply(client, requestId, scripted);
    return;
  }
  const limits = { maxLength: MAX_PATCH_CHARACTERS };
  const patch = parseJsonObject(new TextDecoder().decode(payload), "reported patch", limits);
  const changed = patch.ok ? record.twin.patchReported(patch.value) : patch;
  if (!changed.ok) {
    const message = changed.problem.detail;
    reply(client, requestId, { status: 400, body: { errorCode: BAD_REQUEST, message } });
    return;
  }
  const { version } = changed.value;
  reply(client, requestId, scripted ?? { status: 204 }, version);
  core.tellReported(record.identity, changed.value.patch, version);
}

function reply(client: HubClient, requestId: string, answer: TwinReply, version?: number): void {
  const suffix = version === undefined ? "" : `&$version=${version}`;
  const rid = encodeURIComponent(requestId);
  const topic = `$iothub/twin/res/${answer.status}/?$rid=${rid}${suffix}`;
  const payload = answer.body === undefined ? "" : JSON.stringify(answer.body);
  client.publish(TWIN_RESPONSES, topic, payload);
}

/** Tells a connected client of a desired patch; who is not connected reads the twin later. */
export function notifyDesired(record: IdentityRecord, change: TwinChange): void {
  const body: JsonObject = { ...change.patch, $version: change.version };
  pushDesired(record, JSON.stringify(body), change.version);
}

/** Sends any text as a desired patch. */
export function pushDesired(record: IdentityRecord, payload: string, version: number): void {
  const topic = `$iothub/twin/PATCH/properties/desired/?$version=${version}`;
  record.client?.publish(DESIRED_UPDATES, topic, payload);
}
