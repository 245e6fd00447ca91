import type { Duplex } from "node:stream";
import { type IClientPublishOptions, MqttClient } from "mqtt";
import type { Clock, Timer } from "../contract/clock.ts";
import { describeError } from "../contract/errors.ts";

export interface SessionOptions {
  readonly clientId: string;
  readonly userName?: string | undefined;
  readonly password?: string | undefined;
  /** False keeps subscriptions at the broker over reconnects. */
  readonly isClean: boolean;
  readonly keepAliveSeconds: number;
  /** 4 is MQTT 3.1.1. */
  readonly protocolVersion: 4 | 5;
  /** Called for every message, from the first on: a resumed session may deliver before any SUBSCRIBE. */
  onMessage(topic: string, payload: Uint8Array): void;
}

/** Why there is no session. */
export type SessionRefusal =
  | { readonly kind: "connack"; readonly code: number }
  | { readonly kind: "error"; readonly error: unknown }
  | { readonly kind: "timed-out" };

/** How a session ended. */
export interface SessionEnd {
  /** The other side or the network ended it. */
  readonly isRemote: boolean;
  /** The other side closed it in order: no error of the network, no missed keep-alive. */
  readonly isClosedByPeer: boolean;
  readonly detail: string;
  /** Reason code of an MQTT 5 DISCONNECT. */
  readonly reasonCode?: number;
  /** Publishes that were not acknowledged when it ended. */
  readonly unacknowledged: number;
}

export type PublishOutcome =
  /** QoS 1: PUBACK came. QoS 0: handed to the stream. */
  | { readonly status: "done" }
  | { readonly status: "lost"; readonly reason: string }
  | { readonly status: "timed-out" }
  /** MQTT 5 only: the PUBACK carried a failure. */
  | { readonly status: "rejected"; readonly reasonCode: number };

/**
 * One MQTT connection, from CONNECT to the end of its stream. Never reconnects and never queues: what
 * is not acknowledged when the stream ends is reported as lost, and sending again is the caller's
 * decision. Each connection gets a new client with a new store, so nothing is resent behind its back.
 */
export class MqttSession {
  readonly sessionPresent: boolean;
  /** Resolves once, when the session is over. */
  readonly ended: Promise<SessionEnd>;
  private readonly client: MqttClient;
  private readonly clock: Clock;
  private readonly pending = new Set<(outcome: PublishOutcome) => void>();
  private readonly onIdle = new Set<() => void>();
  private ownEnd: string | undefined;
  private lastError: unknown;
  private disconnectCode: number | undefined;
  private isOver = false;

  private constructor(client: MqttClient, clock: Clock, sessionPresent: boolean) {
    this.client = client;
    this.clock = clock;
    this.sessionPresent = sessionPresent;
    client.on("error", (error) => {
      this.lastError = error;
      // A protocol error leaves the stream open; it cannot be trusted any more.
      client.stream.destroy();
    });
    client.on("disconnect", (packet) => {
      this.disconnectCode = packet.reasonCode;
    });
    this.ended = new Promise((resolve) => {
      client.once("close", () => resolve(this.conclude()));
    });
  }

  /** Sends CONNECT over `stream` and waits for CONNACK. The stream is destroyed on refusal. */
  static open(
    stream: Duplex,
    options: SessionOptions,
    clock: Clock,
    signal: AbortSignal,
  ): Promise<{ readonly session: MqttSession } | { readonly refusal: SessionRefusal }> {
    const client = new MqttClient(() => stream, clientOptions(options));
    client.on("message", (topic, payload) => options.onMessage(topic, payload));
    return new Promise((resolve) => {
      const refuse = (refusal: SessionRefusal): void => {
        cleanUp();
        client.on("error", () => undefined);
        client.end(true);
        stream.destroy();
        resolve({ refusal });
      };
      const onAbort = (): void => refuse({ kind: "timed-out" });
      const onClose = (): void =>
        refuse({ kind: "error", error: new Error("closed before CONNACK") });
      const onError = (error: Error): void => {
        const code = "code" in error ? error.code : undefined;
        if (typeof code === "number") refuse({ kind: "connack", code });
        else refuse({ kind: "error", error });
      };
      const cleanUp = (): void => {
        signal.removeEventListener("abort", onAbort);
        client.off("error", onError);
        client.off("close", onClose);
      };
      client.once("connect", (connack) => {
        cleanUp();
        resolve({ session: new MqttSession(client, clock, connack.sessionPresent) });
      });
      client.on("error", onError);
      client.on("close", onClose);
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Publishes; settles within `deadlineMs`, or at once when the session ends. Never rejects. */
  publish(
    topic: string,
    payload: Uint8Array | string,
    options: {
      readonly qos: 0 | 1;
      readonly deadlineMs: number;
      readonly properties?: IClientPublishOptions["properties"];
    },
  ): Promise<PublishOutcome> {
    if (this.isOver || this.ownEnd !== undefined) {
      return Promise.resolve({ status: "lost", reason: "the connection is closing" });
    }
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const settle = (outcome: PublishOutcome): void => {
        timer?.cancel();
        if (!this.pending.delete(settle)) return;
        resolve(outcome);
        if (this.pending.size === 0) for (const idle of [...this.onIdle]) idle();
      };
      this.pending.add(settle);
      timer = this.clock.after(options.deadlineMs, () => settle({ status: "timed-out" }));
      const body = typeof payload === "string" ? payload : bufferOver(payload);
      const properties = options.properties;
      this.client.publish(
        topic,
        body,
        { qos: options.qos, retain: false, ...(properties === undefined ? {} : { properties }) },
        (error) => {
          if (error === undefined || error === null) settle({ status: "done" });
          else if ("code" in error && typeof error.code === "number") {
            settle({ status: "rejected", reasonCode: error.code });
          } else settle({ status: "lost", reason: describeError(error) });
        },
      );
    });
  }

  /** Subscribes to all filters in one packet; false when refused, late or over. */
  subscribe(filters: readonly string[], qos: 0 | 1, deadlineMs: number): Promise<boolean> {
    if (this.isOver) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = this.clock.after(deadlineMs, () => resolve(false));
      this.client.subscribe([...filters], { qos }, (error, granted) => {
        timer.cancel();
        const isRefused = granted?.some((grant) => grant.qos > 2) ?? true;
        resolve((error === undefined || error === null) && !isRefused);
      });
    });
  }

  /** Ends the session at once, as a failure that this side noticed. */
  drop(reason: string): void {
    this.ownEnd ??= reason;
    this.client.stream.destroy();
  }

  /** Lets what is under way finish, sends DISCONNECT and closes, all within `deadlineMs`. */
  async end(deadlineMs: number): Promise<void> {
    if (this.isOver) return;
    const timer = this.clock.after(deadlineMs, () => this.drop("closed"));
    await this.idle();
    this.ownEnd ??= "closed";
    if (!this.isOver) this.client.end(false);
    await this.ended;
    timer.cancel();
  }

  private idle(): Promise<void> {
    if (this.pending.size === 0 || this.isOver) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.onIdle.delete(done);
        resolve();
      };
      this.onIdle.add(done);
    });
  }

  private conclude(): SessionEnd {
    this.isOver = true;
    const unacknowledged = this.pending.size;
    const error = this.lastError;
    const detail =
      this.ownEnd ?? (error === undefined ? "the hub closed the connection" : describeError(error));
    for (const settle of [...this.pending]) settle({ status: "lost", reason: detail });
    this.client.end(true);
    return {
      isRemote: this.ownEnd === undefined,
      isClosedByPeer: this.ownEnd === undefined && error === undefined,
      detail,
      unacknowledged,
      ...(this.disconnectCode === undefined ? {} : { reasonCode: this.disconnectCode }),
    };
  }
}

function clientOptions(options: SessionOptions) {
  return {
    clientId: options.clientId,
    clean: options.isClean,
    keepalive: options.keepAliveSeconds,
    protocolVersion: options.protocolVersion,
    ...(options.userName === undefined ? {} : { username: options.userName }),
    ...(options.password === undefined ? {} : { password: options.password }),
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // The open() deadline is ours; the package's own must not fire first.
    connectTimeout: 2_147_483_647,
    // The cache holds 65,536 small buffers, several megabytes, to spare some encoding.
    writeCache: false,
    timerVariant: "native" as const,
    // An MQTT 5 broker keeps the session as long as the property says; 3.1.1 has no such limit.
    ...(options.protocolVersion === 5 && !options.isClean
      ? { properties: { sessionExpiryInterval: 86_400 } }
      : {}),
  };
}

/** The package takes Buffer only; this is a view, not a copy. */
function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
