import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import { parseJsonObject } from "../../parse/json.ts";
import { aborting, deadline } from "../deadline.ts";
import { dial } from "../dial.ts";
import type { DialTarget } from "../dial-target.ts";
import { type Fault, FaultError, fault, faultOfDialError } from "../fault.ts";
import { MqttSession } from "../mqtt-session.ts";
import { faultContext, faultOfRefusal } from "../reach.ts";
import type { HubAssignment, Timing, TransportDeps } from "../transport-options.ts";
import { signSas } from "./sas.ts";

/** Source: DPS documentation, "Communicate with DPS using the MQTT protocol". */
const API_VERSION = "2019-03-31";
const RESPONSES = "$dps/registrations/res/#";
/** A token for one registration; it is over within minutes. */
const TOKEN_LIFE_SECONDS = 600;
/** Polls of one registration: with the service's usual 2 to 5 s, minutes. */
const MOST_POLLS = 60;
const LONGEST_RETRY_AFTER_MS = 60_000;

export interface Registration {
  readonly target: DialTarget;
  readonly idScope: string;
  readonly registrationId: string;
  /** The device's own key; absent for X.509, where the TLS client certificate attests. */
  readonly keyBase64: string | undefined;
}

/** One answer of the service. Exported for tests. */
export interface ProvisioningReply {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  readonly body: JsonObject;
}

/** Reads an answer's topic, `$dps/registrations/res/{status}/?$rid=…&retry-after=s`, and body. */
export function parseReply(topic: string, text: string): ProvisioningReply | undefined {
  const match = /^\$dps\/registrations\/res\/(\d{3})\/\?(.*)$/.exec(topic);
  if (match === null) return undefined;
  const after = new URLSearchParams(match[2]).get("retry-after");
  const seconds = after !== null && /^\d{1,6}$/.test(after) ? Number(after) : undefined;
  const body = parseJsonObject(text.trim() === "" ? "{}" : text, "provisioning answer");
  return {
    status: Number(match[1]),
    retryAfterMs: seconds === undefined ? undefined : seconds * 1_000,
    body: body.ok ? body.value : {},
  };
}

/** What an answer leads to. */
export type ProvisioningStep =
  | { readonly kind: "assigned"; readonly assignment: HubAssignment }
  | { readonly kind: "poll"; readonly operationId: string }
  /** Pushed back: ask the same again. */
  | { readonly kind: "again" }
  | { readonly kind: "failed"; readonly reason: Fault };

/** Decides what follows an answer. Service text is not repeated: only its codes are. */
export function stepAfter(reply: ProvisioningReply): ProvisioningStep {
  if (reply.status === 429 || reply.status >= 500) return { kind: "again" };
  if (reply.status >= 300) return { kind: "failed", reason: faultOfStatus(reply.status) };
  const state = reply.body["registrationState"];
  const registration = isJsonObject(state) ? state : {};
  const status = reply.body["status"] ?? registration["status"];
  if (status === "assigned") {
    const { assignedHub, deviceId } = registration;
    if (typeof assignedHub === "string" && typeof deviceId === "string") {
      return { kind: "assigned", assignment: { hostName: assignedHub, deviceId } };
    }
  }
  if (status === "disabled") {
    const remedy = "enable the enrolment of this registration id at the provisioning service";
    return failed("the enrolment is disabled", remedy);
  }
  if (status === "unassigned") {
    const remedy =
      "the enrolment exists but no hub was chosen: check its linked hubs and allocation";
    return failed("the service assigned no hub", remedy);
  }
  if (status === "failed") {
    const code = registration["errorCode"];
    const shown = typeof code === "number" ? ` (error ${code})` : "";
    return failed(`the registration failed${shown}`, "look the registration up at the service");
  }
  const { operationId } = reply.body;
  if (typeof operationId === "string" && /^[\w.-]{1,256}$/.test(operationId)) {
    return { kind: "poll", operationId };
  }
  return failed(
    "the service's answer is not understood",
    "is the endpoint a provisioning service?",
  );
}

function failed(detail: string, remedy: string): ProvisioningStep {
  return { kind: "failed", reason: fault("provisioning", `provisioning: ${detail}`, remedy) };
}

function faultOfStatus(status: number): Fault {
  const detail = `provisioning: the service answered ${status}`;
  if (status === 401) {
    return fault("provisioning", detail, "check the key or certificate and the registration id");
  }
  if (status === 404) {
    const remedy = "no enrolment has this registration id: create one, or correct id scope and id";
    return fault("provisioning", detail, remedy);
  }
  return fault("provisioning", detail, "check id scope, registration id and enrolment");
}

/** Registers the device and waits for its hub. Rejects with FaultError. */
export async function register(
  registration: Registration,
  deps: TransportDeps,
  timing: Timing,
  stop: AbortSignal,
): Promise<HubAssignment> {
  const replies = new Map<string, (reply: ProvisioningReply) => void>();
  const session = await openSession(registration, deps, timing, stop, (topic, payload) => {
    const reply = parseReply(topic, new TextDecoder().decode(payload));
    const requestId = new URLSearchParams(topic.slice(topic.indexOf("?") + 1)).get("$rid") ?? "";
    if (reply !== undefined) replies.get(requestId)?.(reply);
  });
  try {
    const subscribing = session.subscribe([RESPONSES], 1, timing.subscribeDeadlineMs);
    if (!(await aborting(stop, subscribing))) {
      throw new FaultError(fault("provisioning", "provisioning: subscription refused", "retried"));
    }
    const ask = (path: string, query: string, body: string): Promise<ProvisioningReply> =>
      request(session, replies, { path, query, body }, deps, timing, stop);
    return await pollUntilAssigned(ask, registration, deps, timing, stop);
  } finally {
    await session.end(stop.aborted ? 0 : timing.subscribeDeadlineMs);
  }
}

async function pollUntilAssigned(
  ask: (path: string, query: string, body: string) => Promise<ProvisioningReply>,
  registration: Registration,
  deps: TransportDeps,
  timing: Timing,
  stop: AbortSignal,
): Promise<HubAssignment> {
  let operationId: string | undefined;
  for (let polls = 0; polls < MOST_POLLS && !stop.aborted; polls += 1) {
    const reply =
      operationId === undefined
        ? await ask(
            "PUT/iotdps-register",
            "",
            JSON.stringify({ registrationId: registration.registrationId }),
          )
        : await ask("GET/iotdps-get-operationstatus", `&operationId=${operationId}`, "");
    const step = stepAfter(reply);
    if (step.kind === "assigned") return step.assignment;
    if (step.kind === "failed") throw new FaultError(step.reason);
    if (step.kind === "poll") operationId = step.operationId;
    const waitMs = Math.max(reply.retryAfterMs ?? 2_000, timing.backoff.floorMs);
    await deps.clock.sleep(Math.min(waitMs, LONGEST_RETRY_AFTER_MS), stop);
  }
  const detail = "provisioning: the service did not assign a hub in time";
  throw new FaultError(fault("provisioning", detail, "look the registration up at the service"));
}

async function openSession(
  registration: Registration,
  deps: TransportDeps,
  timing: Timing,
  stop: AbortSignal,
  onMessage: (topic: string, payload: Uint8Array) => void,
): Promise<MqttSession> {
  const { idScope, registrationId, keyBase64, target } = registration;
  const context = faultContext(target, deps);
  const client = encodeURIComponent(`gatewarden/${deps.agentVersion}`);
  const base = `${idScope}/registrations/${registrationId}`;
  const limit = deadline(deps.clock, timing.connectDeadlineMs, stop);
  try {
    const stream = await dial(target, limit.signal).catch((error: unknown) => {
      throw new FaultError(faultOfDialError(error, context));
    });
    const expirySeconds = Math.ceil(deps.clock.nowMs() / 1_000) + TOKEN_LIFE_SECONDS;
    const token = { resource: base, expirySeconds, keyName: "registration" };
    const options = {
      clientId: registrationId,
      userName: `${base}/api-version=${API_VERSION}&ClientVersion=${client}`,
      password: keyBase64 === undefined ? undefined : signSas({ ...token, keyBase64 }),
      isClean: true,
      keepAliveSeconds: 60,
      protocolVersion: 4,
      onMessage,
    } as const;
    const opened = await MqttSession.open(stream, options, deps.clock, limit.signal);
    if ("session" in opened) return opened.session;
    const refused = faultOfRefusal(opened.refusal, context);
    if (refused.reason.fault !== "credentials") throw refused;
    const remedy = "check id scope, registration id, and the enrolment's key or certificate";
    throw new FaultError(fault("provisioning", `provisioning: ${refused.message}`, remedy));
  } finally {
    limit.cancel();
  }
}

async function request(
  session: MqttSession,
  replies: Map<string, (reply: ProvisioningReply) => void>,
  what: { readonly path: string; readonly query: string; readonly body: string },
  deps: TransportDeps,
  timing: Timing,
  stop: AbortSignal,
): Promise<ProvisioningReply> {
  const requestId = deps.random.uuid();
  const limit = deadline(deps.clock, timing.twinDeadlineMs, stop);
  try {
    const answer = new Promise<ProvisioningReply>((resolve) => replies.set(requestId, resolve));
    const topic = `$dps/registrations/${what.path}/?$rid=${requestId}${what.query}`;
    await session.publish(topic, what.body, { qos: 1, deadlineMs: timing.twinDeadlineMs });
    return await aborting(limit.signal, answer);
  } finally {
    replies.delete(requestId);
    limit.cancel();
  }
}
