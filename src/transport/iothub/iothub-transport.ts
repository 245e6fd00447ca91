import type { JsonObject } from "../../contract/json.ts";
import type { OutgoingMessage } from "../../contract/message.ts";
import { MESSAGE_LIMIT_BYTES } from "../../contract/settings.ts";
import type {
  ReportOutcome,
  SendOutcome,
  Transport,
  TransportHandlers,
} from "../../contract/transport.ts";
import { background } from "../background.ts";
import { ConnectionLoop } from "../connection-loop.ts";
import { FaultError } from "../fault.ts";
import { HubTarget } from "../hub-target.ts";
import { type parseTopic, telemetryTopic } from "../hub-topics.ts";
import { passwordOf } from "../identity/hub-password.ts";
import type { IdentitySource } from "../identity/identity-source.ts";
import { MethodServer } from "../method-server.ts";
import { abortable } from "../outcome.ts";
import {
  type HubOptions,
  MOST_KEEP_ALIVE_SECONDS,
  type Timing,
  type TransportDeps,
  timingOf,
} from "../transport-options.ts";
import { HubConnection } from "./hub-connection.ts";
import { TwinClient } from "./twin-client.ts";

const NOT_CONNECTED = { status: "retry", reason: "not connected" } as const;

/** What belongs to one connection. */
interface Live {
  readonly connection: HubConnection;
  readonly twin: TwinClient;
  readonly methods: MethodServer;
}

/** IoT Hub over MQTT 3.1.1, with this project's own session, twin and token handling. */
export class IotHubTransport implements Transport {
  readonly name = "iothub";
  readonly hasTwin = true;
  readonly maxMessageBytes = MESSAGE_LIMIT_BYTES;
  private readonly options: HubOptions;
  private readonly deps: TransportDeps;
  private readonly source: IdentitySource;
  private readonly timing: Timing;
  private readonly target: HubTarget;
  private loop: ConnectionLoop<HubConnection> | undefined;
  private handlers: TransportHandlers | undefined;
  private live: Live | undefined;
  /** Messages of a connection that is not `live` yet: a resumed session may deliver at once. */
  private early: [ReturnType<typeof parseTopic>, Uint8Array][] = [];

  constructor(options: HubOptions, deps: TransportDeps, source: IdentitySource) {
    this.options = options;
    this.deps = deps;
    this.source = source;
    this.timing = timingOf(options);
    this.target = new HubTarget(options.network, deps);
  }

  start(handlers: TransportHandlers): void {
    if (this.loop !== undefined) return;
    this.handlers = handlers;
    const { clock, random, log } = this.deps;
    this.loop = new ConnectionLoop<HubConnection>({
      clock,
      random,
      log,
      timing: this.timing,
      connect: (signal) => this.connect(signal),
      onStatus: (status) => handlers.onStatus(status),
      onConnected: (connection) => this.onConnected(connection, handlers),
      onLost: () => this.onLost(),
    });
    this.loop.start();
  }

  async send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    const live = this.live;
    if (live === undefined) return NOT_CONNECTED;
    if (message.meteredBytes > this.maxMessageBytes) {
      return { status: "refused", reason: "over the hub's limit of 256 KB" };
    }
    const { identity, session } = live.connection;
    const markAsSecurity = this.options.markAsSecurity === true && message.kind === "security";
    const topic = telemetryTopic(identity, message, { markAsSecurity });
    if (!topic.ok) {
      return { status: "refused", reason: `${topic.problem.subject}: ${topic.problem.detail}` };
    }
    const deadlineMs = this.timing.pubackDeadlineMs;
    const work = session.publish(topic.value, message.body, { qos: 1, deadlineMs });
    const outcome = await abortable(work, signal);
    if (outcome === undefined) return { status: "retry", reason: "not waited for" };
    if (outcome.status === "done") return { status: "acknowledged" };
    if (outcome.status === "timed-out") {
      // A hub that keeps the connection but not its promise is left: the next one may do better.
      session.drop("the hub did not acknowledge a message in time");
      return { status: "retry", reason: "no acknowledgement within the deadline" };
    }
    return { status: "retry", reason: "the connection was lost before the acknowledgement" };
  }

  async report(patch: JsonObject, signal: AbortSignal): Promise<ReportOutcome> {
    if (this.live === undefined) return NOT_CONNECTED;
    const outcome = await abortable(this.live.twin.report(patch), signal);
    return outcome ?? { status: "retry", reason: "not waited for" };
  }

  async stop(deadlineMs: number): Promise<void> {
    await this.loop?.stop(deadlineMs);
  }

  private async connect(signal: AbortSignal): Promise<HubConnection> {
    const identity = await this.source.resolve(signal);
    const lifetimeMs = (this.options.tokenLifetimeMinutes ?? 60) * 60_000;
    const keepAlive = this.options.keepAliveSeconds ?? 240;
    this.early = [];
    try {
      return await HubConnection.open(
        {
          deps: this.deps,
          timing: this.timing,
          identity,
          target: await this.target.of(identity),
          password: passwordOf(identity, this.deps.clock, lifetimeMs),
          modelId: this.options.modelId,
          keepAliveSeconds: Math.min(keepAlive, MOST_KEEP_ALIVE_SECONDS),
          onMessage: (topic, payload) => this.onMessage(topic, payload),
        },
        signal,
      );
    } catch (error) {
      if (error instanceof FaultError && error.reason.fault === "credentials") this.source.forget();
      throw error;
    }
  }

  private onConnected(connection: HubConnection, handlers: TransportHandlers): void {
    const { session } = connection;
    const { clock, random, log } = this.deps;
    const deadlineMs = this.timing.twinDeadlineMs;
    const publish = (topic: string, payload: string) =>
      session.publish(topic, payload, { qos: 0, deadlineMs });
    const twin = new TwinClient({
      clock,
      random,
      timing: this.timing,
      publish,
      giveUp: (reason) => session.drop(reason),
      onDesired: (update) => handlers.onDesired(update),
      onAnomaly: (what) => handlers.onAnomaly(what),
    });
    const methods = new MethodServer({
      clock,
      deadlineMs: this.timing.methodDeadlineMs,
      onMethod: (call) => handlers.onMethod(call),
      publish,
    });
    this.live = { connection, twin, methods };
    background(twin.read(), "twin read", log);
    for (const [topic, payload] of this.early.splice(0)) this.onMessage(topic, payload);
  }

  private onLost(): void {
    this.live?.twin.close();
    this.live = undefined;
  }

  private onMessage(topic: ReturnType<typeof parseTopic>, payload: Uint8Array): void {
    const live = this.live;
    if (live === undefined) {
      if (this.early.length < 64) this.early.push([topic, payload]);
    } else if (topic.kind === "twin-response") {
      const body = new TextDecoder().decode(payload);
      live.twin.onResponse(topic.requestId, { ...topic, body });
    } else if (topic.kind === "desired") {
      live.twin.onPatch(topic.version, new TextDecoder().decode(payload));
    } else if (topic.kind === "method") {
      const call = live.methods.onCall(topic.name, topic.requestId, payload);
      background(call, "direct method", this.deps.log);
    } else this.handlers?.onAnomaly("a message on a topic that was not subscribed");
  }
}
