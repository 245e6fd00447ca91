/** Answers twin and method topics on a plain broker as IoT Hub would; sees what the device publishes. */
import type { JsonObject, JsonValue } from "../../src/contract/json.ts";
import { connectRaw, type RawClient, type RawMessage } from "./raw-mqtt.ts";

export interface TwinAnswer {
  readonly status: number;
  readonly body?: string;
}

/** A twin that many connections of one responder share, as a hub's would outlive its connections. */
export interface TwinState {
  desired: JsonObject;
  desiredVersion: number;
  reported: JsonObject;
  reportedVersion: number;
}

export interface Responder {
  readonly twin: TwinState;
  readonly telemetry: readonly RawMessage[];
  readonly twinGets: number;
  /** Merges flat keys (null deletes), counts the version up and publishes the patch. */
  patchDesired(patch: JsonObject): number;
  /** As `patchDesired`, but nobody is told. */
  patchSilently(patch: JsonObject): number;
  pushRaw(topic: string, payload: string): void;
  /** Answers the next `count` twin reads with this; undefined leaves them unanswered. */
  answerTwinGets(answer: TwinAnswer | undefined, count: number): void;
  answerReports(answer: TwinAnswer, count: number): void;
  /** Applies and publishes this patch when the next read arrives, before it is answered. */
  patchBeforeNextTwinGet(patch: JsonObject): void;
  /** Publishes the patch after the next read was answered with the older twin. */
  patchDuringNextTwinGet(patch: JsonObject): void;
  invoke(name: string, payload: JsonValue): Promise<{ status: number; payload: JsonValue }>;
  invokeRaw(name: string, payload: string): Promise<{ status: number; payload: JsonValue }>;
  close(): void;
}

function merged(properties: JsonObject, patch: JsonObject): JsonObject {
  const entries = Object.entries({ ...properties, ...patch });
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}

class BrokerResponder implements Responder {
  readonly twin: TwinState;
  readonly telemetry: RawMessage[] = [];
  twinGets = 0;
  client: RawClient | undefined;
  private readonly getAnswers: (TwinAnswer | "nothing")[] = [];
  private readonly reportAnswers: TwinAnswer[] = [];
  private before: JsonObject | undefined;
  private during: JsonObject | undefined;
  private readonly calls = new Map<
    string,
    (reply: { status: number; payload: JsonValue }) => void
  >();

  constructor(twin: TwinState) {
    this.twin = twin;
  }

  patchDesired(patch: JsonObject): number {
    const version = this.patchSilently(patch);
    this.push(patch, version);
    return version;
  }

  patchSilently(patch: JsonObject): number {
    this.twin.desired = merged(this.twin.desired, patch);
    this.twin.desiredVersion += 1;
    return this.twin.desiredVersion;
  }

  pushRaw(topic: string, payload: string): void {
    this.client?.publish(topic, payload);
  }

  answerTwinGets(answer: TwinAnswer | undefined, count: number): void {
    for (let at = 0; at < count; at += 1) this.getAnswers.push(answer ?? "nothing");
  }

  answerReports(answer: TwinAnswer, count: number): void {
    for (let at = 0; at < count; at += 1) this.reportAnswers.push(answer);
  }

  patchBeforeNextTwinGet(patch: JsonObject): void {
    this.before = patch;
  }

  patchDuringNextTwinGet(patch: JsonObject): void {
    this.during = patch;
  }

  invoke(name: string, payload: JsonValue): Promise<{ status: number; payload: JsonValue }> {
    return this.invokeRaw(name, JSON.stringify(payload));
  }

  invokeRaw(name: string, payload: string): Promise<{ status: number; payload: JsonValue }> {
    const requestId = String(this.calls.size + 1);
    return new Promise((resolve) => {
      this.calls.set(requestId, resolve);
      this.pushRaw(`$iothub/methods/POST/${name}/?$rid=${requestId}`, payload);
    });
  }

  close(): void {
    this.client?.close();
  }

  onMessage(message: RawMessage): void {
    const { topic } = message;
    const requestId = /\$rid=([^&]+)/.exec(topic)?.[1] ?? "";
    if (topic.startsWith("$iothub/twin/GET/")) this.onGet(requestId);
    else if (topic.startsWith("$iothub/twin/PATCH/properties/reported/")) {
      this.onReport(requestId, message.payload.toString("utf8"));
    } else if (topic.startsWith("$iothub/methods/res/")) {
      const status = Number(/res\/(\d+)\//.exec(topic)?.[1]);
      this.calls.get(requestId)?.({
        status,
        payload: JSON.parse(message.payload.toString("utf8")),
      });
    } else if (topic.startsWith("devices/")) this.telemetry.push(message);
  }

  private push(patch: JsonObject, version: number): void {
    const topic = `$iothub/twin/PATCH/properties/desired/?$version=${version}`;
    this.pushRaw(topic, JSON.stringify({ ...patch, $version: version }));
  }

  private onGet(requestId: string): void {
    this.twinGets += 1;
    const before = this.before;
    this.before = undefined;
    if (before !== undefined) this.patchDesired(before);
    const { desired, desiredVersion, reported, reportedVersion } = this.twin;
    const answer = this.getAnswers.shift() ?? {
      status: 200,
      body: JSON.stringify({
        desired: { ...desired, $version: desiredVersion },
        reported: { ...reported, $version: reportedVersion },
      }),
    };
    const during = this.during;
    this.during = undefined;
    if (during !== undefined) this.patchDesired(during);
    if (answer === "nothing") return;
    this.pushRaw(`$iothub/twin/res/${answer.status}/?$rid=${requestId}`, answer.body ?? "");
  }

  private onReport(requestId: string, text: string): void {
    const answer = this.reportAnswers.shift();
    if (answer === undefined || answer.status < 300) {
      this.twin.reported = merged(this.twin.reported, JSON.parse(text));
      this.twin.reportedVersion += 1;
    }
    const { status, body } = answer ?? { status: 204, body: undefined };
    const version = status < 300 ? `&$version=${this.twin.reportedVersion}` : "";
    this.pushRaw(`$iothub/twin/res/${status}/?$rid=${requestId}${version}`, body ?? "");
  }
}

export function newTwin(): TwinState {
  return { desired: {}, desiredVersion: 1, reported: {}, reportedVersion: 1 };
}

export async function startResponder(plainPort: number, twin = newTwin()): Promise<Responder> {
  const responder = new BrokerResponder(twin);
  const client = await connectRaw(plainPort, "responder", (message) =>
    responder.onMessage(message),
  );
  responder.client = client;
  await client.subscribe([
    "$iothub/twin/GET/#",
    "$iothub/twin/PATCH/properties/reported/#",
    "$iothub/methods/res/#",
    "devices/#",
  ]);
  return responder;
}
