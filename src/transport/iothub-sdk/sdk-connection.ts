import type { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import { describeError } from "../../contract/errors.ts";
import { isJsonObject, type JsonObject } from "../../contract/json.ts";
import type { OutgoingMessage } from "../../contract/message.ts";
import type { ReportOutcome, TransportHandlers } from "../../contract/transport.ts";
import { background } from "../background.ts";
import type { ConnectionEnd, LiveConnection } from "../connection-loop.ts";
import { aborting, deadline } from "../deadline.ts";
import { dial } from "../dial.ts";
import type { DialTarget } from "../dial-target.ts";
import { FaultError, fault, faultOfConnack, faultOfDialError } from "../fault.ts";
import type { HubIdentity } from "../identity/hub-identity.ts";
import { type Password, renewalDelayMs } from "../identity/hub-password.ts";
import { reportOutcome } from "../iothub/twin-client.ts";
import { MethodServer } from "../method-server.ts";
import type { PublishOutcome } from "../mqtt-session.ts";
import { faultContext } from "../reach.ts";
import type { Timing, TransportDeps } from "../transport-options.ts";
import { patchOf, twinOf } from "../twin-document.ts";
import { type FullTwin, TwinFollower, type TwinRead } from "../twin-follower.ts";
import { Calls } from "./calls.ts";
import { type SdkClient, type SdkMqtt, sdkClient, sdkMessage } from "./sdk-packages.ts";
import { guardMessage, statusIn } from "./wire-guard.ts";

export interface SdkConnectionParts {
  readonly deps: TransportDeps;
  readonly timing: Timing;
  readonly identity: HubIdentity;
  readonly target: DialTarget;
  readonly password: Password;
  readonly modelId: string | undefined;
  readonly keepAliveSeconds: number;
  readonly handlers: TransportHandlers;
}

/** Names of methods that the SDK is given a handler for; a hostile caller could invent them for ever. */
const MOST_METHOD_NAMES = 64;

/**
 * One client of the SDK for one connection: when anything goes wrong it is torn down and a fresh one is
 * built, because the SDK does not restore its twin after a reconnect.
 */
export class SdkConnection implements LiveConnection {
  /** The SDK does not tell; everything is subscribed and read anew in any case. */
  readonly sessionPresent = false;
  readonly ended: Promise<ConnectionEnd>;
  private readonly parts: SdkConnectionParts;
  private readonly client: SdkClient;
  private readonly transport: SdkMqtt;
  private readonly stream: Duplex;
  private readonly calls: Calls;
  private readonly follower: TwinFollower;
  private readonly methods: MethodServer;
  private readonly methodNames = new Set<string>();
  private readonly twinReads = new Set<string>();
  private ownEnd: string | undefined;
  private isRenewing = false;
  private lastError: unknown;
  private endMqtt: () => void = () => undefined;

  private constructor(stream: Duplex, parts: SdkConnectionParts) {
    const { deps, timing, identity, handlers } = parts;
    this.parts = parts;
    this.stream = stream;
    this.calls = new Calls(deps.clock);
    this.follower = new TwinFollower({
      clock: deps.clock,
      random: deps.random,
      timing,
      get: () => this.readTwin(),
      giveUp: (reason) => this.drop(reason),
      onDesired: (update) => handlers.onDesired(update),
      onAnomaly: (what) => handlers.onAnomaly(what),
    });
    this.methods = new MethodServer({
      clock: deps.clock,
      deadlineMs: timing.methodDeadlineMs,
      onMethod: (call) => handlers.onMethod(call),
      publish: () => Promise.resolve(),
    });
    const credentials = {
      host: identity.hostName,
      deviceId: identity.deviceId,
      moduleId: identity.moduleId,
      token: parts.password.text,
    };
    const made = sdkClient({ credentials, stream, onMqttClient: (mqtt) => this.guard(mqtt) });
    this.client = made.client;
    this.transport = made.transport;
    this.ended = new Promise((resolve) => {
      stream.once("close", () => resolve(this.conclude()));
    });
    stream.on("error", (error) => {
      this.lastError = error;
    });
  }

  /** Dials, opens the SDK's client and subscribes, within the deadlines. Rejects with FaultError. */
  static async open(parts: SdkConnectionParts, stop: AbortSignal): Promise<SdkConnection> {
    const { deps, timing, target } = parts;
    const limit = deadline(deps.clock, timing.connectDeadlineMs, stop);
    try {
      const stream = await dial(target, limit.signal);
      const connection = new SdkConnection(stream, parts);
      try {
        await aborting(limit.signal, connection.openClient());
        return connection;
      } catch (error) {
        connection.drop("not opened");
        await connection.ended;
        throw connection.faultOf(error);
      }
    } catch (error) {
      throw new FaultError(faultOfDialError(error, faultContext(target, deps)));
    } finally {
      limit.cancel();
    }
  }

  /** Reads the twin and follows it; call once the connection is in use. */
  follow(): void {
    background(this.follower.read(), "twin read", this.parts.deps.log);
  }

  /** Sends one message; settles on PUBACK, at the deadline, or when the connection ends. */
  send(message: OutgoingMessage, markAsSecurity: boolean): Promise<PublishOutcome> {
    const outgoing = sdkMessage(message.body);
    outgoing.messageId = message.messageId;
    if (message.contentType === "application/json") outgoing.contentType = message.contentType;
    if (message.contentEncoding === "utf-8") outgoing.contentEncoding = message.contentEncoding;
    for (const [name, value] of Object.entries(message.properties)) {
      outgoing.properties.add(name, value);
    }
    if (markAsSecurity) outgoing.setAsSecurityMessage();
    const { pubackDeadlineMs } = this.parts.timing;
    return this.calls
      .run(pubackDeadlineMs, (done) => this.client.sendEvent(outgoing, (error) => done(error)))
      .then((end): PublishOutcome => {
        if (end.kind === "done") return { status: "done" };
        if (end.kind === "timed-out") return { status: "timed-out" };
        return { status: "lost", reason: describeError(end.error) };
      });
  }

  /** Sends a reported patch. The guard turns every status from 300 on into an error. */
  async report(patch: JsonObject): Promise<ReportOutcome> {
    const end = await this.calls.run(this.parts.timing.twinDeadlineMs, (done) =>
      this.transport.updateTwinReportedProperties(patch, done),
    );
    if (end.kind === "done") return { status: "confirmed" };
    const status = end.kind === "failed" ? statusIn(end.error) : undefined;
    if (status !== undefined) return reportOutcome(status, undefined);
    return { status: "retry", reason: "the hub did not answer" };
  }

  /** Ends the connection at once, as a failure that this side noticed. */
  drop(reason: string): void {
    this.ownEnd ??= reason;
    this.stream.destroy();
  }

  async close(deadlineMs: number): Promise<void> {
    if (this.calls.isClosed) return;
    const timer = this.parts.deps.clock.after(deadlineMs, () => this.drop("closed"));
    await this.calls.idle();
    this.ownEnd ??= "closed";
    // The SDK's close may hang on a broken connection; the timer destroys the stream then.
    this.client.close(() => this.stream.destroy());
    await this.ended;
    timer.cancel();
  }

  private async openClient(): Promise<void> {
    const { modelId, keepAliveSeconds, timing, deps } = this.parts;
    await this.must(timing.connectDeadlineMs, (done) =>
      this.transport.setOptions(
        {
          keepalive: keepAliveSeconds,
          productInfo: `gatewarden/${deps.agentVersion}`,
          ...(modelId === undefined ? {} : { modelId }),
        },
        done,
      ),
    );
    this.client.on("disconnect", () => this.stream.destroy());
    this.client.on("error", () => this.stream.destroy());
    this.transport.on("twinDesiredPropertiesUpdate", (patch: unknown) => {
      if (isJsonObject(patch)) this.follower.onPatch(patchOf(patch, undefined));
    });
    await this.must(timing.connectDeadlineMs, (done) => this.client.open((error) => done(error)));
    const { subscribeDeadlineMs } = timing;
    await this.must(subscribeDeadlineMs, (done) => this.transport.enableMethods(done));
    await this.must(subscribeDeadlineMs, (done) =>
      this.transport.enableTwinDesiredPropertiesUpdates(done),
    );
    this.scheduleRenewal();
  }

  private async must(deadlineMs: number, start: (done: (error?: unknown) => void) => void) {
    const end = await this.calls.run(deadlineMs, start);
    if (end.kind === "done") return;
    throw end.kind === "failed" ? end.error : new Error("no answer within the deadline");
  }

  private async readTwin(): Promise<TwinRead> {
    const { client } = this;
    let body: unknown;
    const end = await this.calls.run(this.parts.timing.twinDeadlineMs, (done) =>
      client.getTwin((error, twin) => {
        body = twin?.properties;
        done(error);
      }),
    );
    if (end.kind === "timed-out") return { kind: "silent" };
    if (end.kind === "failed")
      return { kind: "failed", what: `twin read: ${describeError(end.error)}` };
    const twin = isJsonObject(body) ? twinOf(body) : undefined;
    if (twin?.ok === true) return { kind: "twin", twin: withoutFunctions(twin.value) };
    return { kind: "failed", what: "twin read: the SDK gave no twin" };
  }

  /** Stands between the SDK's MQTT client and the SDK: see `guardMessage`. */
  private guard(mqtt: EventEmitter): void {
    const end: unknown = Reflect.get(mqtt, "end");
    if (typeof end === "function") this.endMqtt = () => Reflect.apply(end, mqtt, [true]);
    const emit = mqtt.emit.bind(mqtt);
    mqtt.emit = (event: string | symbol, ...args: unknown[]): boolean => {
      const [topic, payload, packet] = args;
      if (event === "error") this.lastError ??= args[0];
      if (event !== "message" || typeof topic !== "string" || !(payload instanceof Uint8Array)) {
        return emit(event, ...args);
      }
      const guarded = guardMessage(topic, payload, (id) => this.twinReads.delete(id));
      if (guarded.kind === "drop") {
        this.parts.handlers.onAnomaly(guarded.anomaly);
        if (guarded.mustReadTwin) this.follow();
        return true;
      }
      if (guarded.kind === "method" && !this.serves(guarded.name)) return true;
      return emit("message", topic, Buffer.from(guarded.payload), packet);
    };
    this.noteTwinReads(mqtt);
  }

  /** Remembers the request ids of twin reads, by looking at what the SDK publishes. */
  private noteTwinReads(mqtt: EventEmitter): void {
    const publish: unknown = Reflect.get(mqtt, "publish");
    if (typeof publish !== "function") throw new Error("the SDK's MQTT client cannot publish");
    Reflect.set(mqtt, "publish", (topic: string, ...rest: unknown[]): unknown => {
      const requestId = /^\$iothub\/twin\/GET\/\?\$rid=(.+)$/.exec(topic)?.[1];
      if (requestId !== undefined) this.twinReads.add(requestId);
      return Reflect.apply(publish, mqtt, [topic, ...rest]);
    });
  }

  /** The SDK answers only methods that it knows by name: each name is made known when first called. */
  private serves(name: string): boolean {
    if (this.methodNames.has(name)) return true;
    if (this.methodNames.size >= MOST_METHOD_NAMES) {
      this.parts.handlers.onAnomaly("calls of more method names than are served");
      return false;
    }
    this.methodNames.add(name);
    this.client.onMethod(name, (request, response) => {
      const payload: unknown = request?.payload;
      const bytes = new TextEncoder().encode(JSON.stringify(payload ?? null));
      const work = this.methods.answer(name, bytes);
      const replied = work.then((reply) => response?.send(reply.status, reply.payload));
      background(replied, "direct method", this.parts.deps.log);
    });
    return true;
  }

  private scheduleRenewal(): void {
    const { password, deps, timing } = this.parts;
    if (password.expiresAtMs === undefined || !password.isRenewable) return;
    const lifetimeMs = Math.max(password.expiresAtMs - deps.clock.nowMs(), 0);
    const timer = deps.clock.after(renewalDelayMs(lifetimeMs, deps.random.fraction()), () => {
      this.isRenewing = true;
      background(this.close(timing.pubackDeadlineMs), "token renewal", deps.log);
    });
    // `ended` never rejects.
    background(
      this.ended.then(() => timer.cancel()),
      "token renewal",
      deps.log,
    );
  }

  private conclude(): ConnectionEnd {
    const wasSending = this.calls.size > 0;
    const wasOurs = this.ownEnd !== undefined;
    const detail =
      this.ownEnd ??
      (this.lastError === undefined ? "the hub closed it" : describeError(this.lastError));
    this.follower.close();
    this.calls.close(new Error(detail));
    this.tearDown();
    if (this.isRenewing) return { kind: "renewal" };
    const remedy = "it is retried; if it repeats, check the network and the hub's own diagnostics";
    const reason = fault(
      wasOurs ? "timed-out" : "unreachable",
      `connection lost: ${detail}`,
      remedy,
    );
    const isClosedByPeer = !wasOurs && this.lastError === undefined;
    return { kind: "lost", reason, isClosedByPeer, wasSending };
  }

  private tearDown(): void {
    // Ended by force first, the MQTT client does not hold the SDK up, which clears its own timers then.
    this.endMqtt();
    this.client.close(() => undefined);
    for (const emitter of [this.client, this.transport]) {
      emitter.removeAllListeners();
      emitter.on("error", () => undefined);
    }
  }

  private faultOf(error: unknown): FaultError {
    if (error instanceof FaultError) return error;
    const context = faultContext(this.parts.target, this.parts.deps);
    const code: unknown =
      this.lastError instanceof Error ? Reflect.get(this.lastError, "code") : undefined;
    // The SDK calls every failure to connect "not authorized"; the CONNACK code tells the truth.
    if (typeof code === "number") return new FaultError(faultOfConnack(code, context));
    return new FaultError(faultOfDialError(this.lastError ?? error, context));
  }
}

/** The SDK hangs an `update` function on reported properties. */
function withoutFunctions(twin: FullTwin): FullTwin {
  const reported = Object.fromEntries(
    Object.entries(twin.reported ?? {}).filter(([, value]) => typeof value !== "function"),
  );
  return { ...twin, reported };
}
