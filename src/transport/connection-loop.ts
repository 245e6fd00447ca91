import type { Clock } from "../contract/clock.ts";
import { AgentError, describeError } from "../contract/errors.ts";
import type { Log } from "../contract/log.ts";
import type { Random } from "../contract/random.ts";
import type { TransportStatus } from "../contract/transport.ts";
import { backoffDelayMs, boundsFor } from "./backoff.ts";
import { type Fault, FaultError, fault, patienceFor } from "./fault.ts";
import type { Timing } from "./transport-options.ts";

/** How a live connection ended. */
export type ConnectionEnd =
  /** Closed by us to connect anew at once, such as with a fresh token. */
  | { readonly kind: "renewal" }
  | {
      readonly kind: "lost";
      readonly reason: Fault;
      /** The other side ended it in order: what a take-over by another client looks like. */
      readonly isClosedByPeer: boolean;
      /** Messages were waiting for their PUBACK: what throttling looks like. */
      readonly wasSending: boolean;
    };

/** A connection that is up. */
export interface LiveConnection {
  readonly sessionPresent: boolean;
  /** Resolves when it is over, for whatever reason; never rejects. */
  readonly ended: Promise<ConnectionEnd>;
  /** Ends it cleanly within the time. Safe to call twice. */
  close(deadlineMs: number): Promise<void>;
}

export interface LoopParts<C extends LiveConnection> {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly timing: Timing;
  /** One attempt; rejects with FaultError, and leaves nothing open then. Aborts at the deadline or at stop. */
  connect(signal: AbortSignal): Promise<C>;
  onStatus(status: TransportStatus): void;
  /** The connection is up, after its status was told. */
  onConnected(connection: C): void;
  /** It is over, before its status is told. */
  onLost(connection: C): void;
}

/** Short-lived connections in a row after which a pattern is named. */
const PATTERN_LENGTH = 3;

/** Beyond the deadline of a stop, for what the deadline itself sets off. */
const GRACE_MS = 250;

/** Connects for ever: attempt, live until lost, wait with backoff, again. */
export class ConnectionLoop<C extends LiveConnection> {
  private readonly parts: LoopParts<C>;
  private readonly stopping = new AbortController();
  private current: C | undefined;
  private finished: Promise<void> | undefined;
  private failures = 0;
  private shortLived = 0;
  private shortLivedWhileSending = 0;

  constructor(parts: LoopParts<C>) {
    this.parts = parts;
  }

  /** Starts once; later calls do nothing. */
  start(): void {
    this.finished ??= this.run().catch((error: unknown) => {
      // Only a handler that throws gets here: a bug, and without a loop there is no connection.
      this.parts.log.error({ error: describeError(error) }, "connection loop failed");
    });
  }

  /** Closes the connection cleanly within the time and ends the loop. Safe to call twice. */
  async stop(deadlineMs: number): Promise<void> {
    const wasStopping = this.stopping.signal.aborted;
    this.stopping.abort();
    const late = new AbortController();
    const ended = Promise.all([this.current?.close(deadlineMs), this.finished]);
    await Promise.race([ended, this.parts.clock.sleep(deadlineMs + GRACE_MS, late.signal)]);
    late.abort();
    if (!wasStopping) this.parts.onStatus({ state: "stopped" });
  }

  private get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      this.parts.onStatus({ state: "connecting", attempt: this.failures + 1 });
      const connection = await this.attempt();
      if (connection === undefined) continue;
      if (this.isStopping) {
        await connection.close(0);
        return;
      }
      await this.live(connection);
    }
  }

  private async attempt(): Promise<C | undefined> {
    try {
      return await this.parts.connect(this.stopping.signal);
    } catch (error) {
      if (this.isStopping) return undefined;
      await this.wait(error instanceof FaultError ? error.reason : unexpected(error));
      return undefined;
    }
  }

  private async live(connection: C): Promise<void> {
    const sinceMs = this.parts.clock.monotonicMs();
    this.current = connection;
    this.parts.onStatus({ state: "connected", sessionPresent: connection.sessionPresent });
    this.parts.onConnected(connection);
    const end = await connection.ended;
    this.current = undefined;
    this.parts.onLost(connection);
    if (this.isStopping || end.kind === "renewal") return;
    const livedMs = this.parts.clock.monotonicMs() - sinceMs;
    await this.wait(this.judge(end, livedMs >= this.parts.timing.stableAfterMs));
  }

  /** A hub over MQTT 3.1.1 closes without a reason; repetition tells take-over and throttling apart. */
  private judge(end: ConnectionEnd & { readonly kind: "lost" }, wasStable: boolean): Fault {
    if (wasStable) {
      this.failures = 0;
      this.shortLived = 0;
      this.shortLivedWhileSending = 0;
      return end.reason;
    }
    this.shortLived = end.isClosedByPeer && !end.wasSending ? this.shortLived + 1 : 0;
    this.shortLivedWhileSending =
      end.isClosedByPeer && end.wasSending ? this.shortLivedWhileSending + 1 : 0;
    if (this.shortLived >= PATTERN_LENGTH) {
      const detail = `the hub ended ${this.shortLived} connections soon after accepting them`;
      const remedy =
        "another client probably uses this identity: give each device and module its own";
      return fault("evicted", detail, remedy);
    }
    if (this.shortLivedWhileSending >= PATTERN_LENGTH) {
      const detail = `the hub ended ${this.shortLivedWhileSending} connections while messages were sent`;
      const remedy = "the hub's quota or send rate is probably exceeded; sending slows down";
      return fault("throttled", detail, remedy);
    }
    return end.reason;
  }

  private async wait(reason: Fault): Promise<void> {
    this.failures += 1;
    const bounds = boundsFor(patienceFor(reason.fault), this.parts.timing.backoff);
    const retryInMs = Math.round(backoffDelayMs(this.failures, bounds, this.parts.random));
    this.parts.onStatus({ state: "disconnected", ...reason, retryInMs });
    await this.parts.clock.sleep(retryInMs, this.stopping.signal);
  }
}

function unexpected(error: unknown): Fault {
  if (error instanceof AgentError) return fault("credentials", error.message, error.remedy);
  return fault("protocol", describeError(error), "unexpected: please report it with the log");
}
