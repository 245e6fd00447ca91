import type { Clock, Timer } from "../../contract/clock.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { Random } from "../../contract/random.ts";
import type { DesiredUpdate, ReportOutcome } from "../../contract/transport.ts";
import { backoffDelayMs } from "../backoff.ts";
import type { PublishOutcome } from "../mqtt-session.ts";
import type { Timing } from "../transport-options.ts";
import { reportTopic, twinGetTopic } from "./topics.ts";
import { parsePatch, parseTwin } from "./twin-document.ts";

/** What the twin client needs from the connection it lives on. */
export interface TwinWire {
  publish(topic: string, payload: string): Promise<PublishOutcome>;
  /** The hub does not answer: the connection is useless. */
  giveUp(reason: string): void;
}

export interface TwinParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly timing: Timing;
  readonly wire: TwinWire;
  onDesired(update: DesiredUpdate): void;
  onAnomaly(what: string): void;
}

interface Reply {
  readonly status: number;
  readonly version: number | undefined;
  readonly body: string;
}

/** Unanswered GETs in a row after which the connection is dropped. */
const MOST_SILENCES = 2;
/** Patches kept while a read is under way; more than these and the read is simply repeated. */
const MOST_WAITING = 64;

/**
 * The twin of one connection: reads it whole, then follows patches by version. A patch at or below the
 * version in force is dropped, a gap or a broken patch leads to another read. Source: IoT Hub
 * documentation, "Understand device twins", reconnection flow.
 */
export class TwinClient {
  private readonly parts: TwinParts;
  private readonly requests = new Map<string, (reply: Reply | undefined) => void>();
  private readonly closing = new AbortController();
  private waiting: (DesiredUpdate & { readonly kind: "patch" })[] = [];
  private version: number | undefined;
  private isReading = false;
  private mustReadAgain = false;

  constructor(parts: TwinParts) {
    this.parts = parts;
  }

  /**
   * Reads the twin and delivers it, then the patches that came meanwhile; retries with backoff until it
   * has it or the connection ends. Call it once the subscriptions stand. Never rejects.
   */
  async read(): Promise<void> {
    if (this.isReading) {
      this.mustReadAgain = true;
      return;
    }
    this.isReading = true;
    let silences = 0;
    for (let failures = 1; !this.isClosed; failures += 1) {
      this.mustReadAgain = false;
      const reply = await this.request(twinGetTopic, " ", this.parts.timing.twinDeadlineMs);
      if (this.isClosed) break;
      silences = reply === undefined ? silences + 1 : 0;
      if (silences >= MOST_SILENCES) {
        this.parts.wire.giveUp("the hub does not answer twin reads");
        break;
      }
      if (reply !== undefined && this.takeTwin(reply)) {
        if (!this.mustReadAgain) break;
        failures = 0;
      }
      const waitMs = backoffDelayMs(failures + 1, this.parts.timing.backoff, this.parts.random);
      await this.parts.clock.sleep(waitMs, this.closing.signal);
    }
    this.isReading = false;
  }

  /** Sends a reported patch and waits for the hub's verdict. */
  async report(patch: JsonObject): Promise<ReportOutcome> {
    const text = JSON.stringify(patch);
    const reply = await this.request(reportTopic, text, this.parts.timing.twinDeadlineMs);
    if (reply === undefined) return { status: "retry", reason: "the hub did not answer" };
    const { status, version } = reply;
    if (status === 200 || status === 204) {
      return { status: "confirmed", ...(version === undefined ? {} : { version }) };
    }
    const reason = `the hub answered ${status} to reported properties`;
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
      return { status: "refused", reason };
    }
    return { status: "retry", reason };
  }

  /** A message on the twin response topic. */
  onResponse(requestId: string, reply: Reply): void {
    // An answer to an earlier connection's request finds nobody waiting: ordinary after a reconnect.
    this.requests.get(requestId)?.(reply);
  }

  /** A message on the desired topic. */
  onPatch(topicVersion: number | undefined, text: string): void {
    const parsed = parsePatch(text, topicVersion);
    if (!parsed.ok) {
      this.parts.onAnomaly(`${parsed.problem.subject}: ${parsed.problem.detail}`);
      this.readAgain();
      return;
    }
    if (this.isReading || this.version === undefined) {
      if (this.waiting.length < MOST_WAITING) this.waiting.push(parsed.value);
      else this.mustReadAgain = true;
      return;
    }
    this.apply(parsed.value);
  }

  /** The connection is over: whatever waits is told so. */
  close(): void {
    this.closing.abort();
    for (const settle of [...this.requests.values()]) settle(undefined);
  }

  private get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  private readAgain(): void {
    if (this.isReading) this.mustReadAgain = true;
    // `read` never rejects and ends with the connection.
    else this.read().catch(() => undefined);
  }

  private takeTwin(reply: Reply): boolean {
    if (reply.status !== 200) {
      this.parts.onAnomaly(`the hub answered ${reply.status} to a twin read`);
      return false;
    }
    const twin = parseTwin(reply.body);
    if (!twin.ok) {
      this.parts.onAnomaly(`${twin.problem.subject}: ${twin.problem.detail}`);
      return false;
    }
    this.version = twin.value.version;
    this.parts.onDesired(twin.value);
    const waiting = this.waiting;
    this.waiting = [];
    for (const patch of waiting.sort((a, b) => a.version - b.version)) this.apply(patch);
    return true;
  }

  private apply(patch: DesiredUpdate & { readonly kind: "patch" }): void {
    const inForce = this.version ?? 0;
    if (patch.version <= inForce) return;
    if (patch.version > inForce + 1) {
      this.readAgain();
      return;
    }
    this.version = patch.version;
    this.parts.onDesired(patch);
  }

  private request(
    topicOf: (requestId: string) => string,
    payload: string,
    deadlineMs: number,
  ): Promise<Reply | undefined> {
    if (this.isClosed) return Promise.resolve(undefined);
    const requestId = this.parts.random.uuid();
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const settle = (reply: Reply | undefined): void => {
        timer?.cancel();
        this.requests.delete(requestId);
        resolve(reply);
      };
      this.requests.set(requestId, settle);
      timer = this.parts.clock.after(deadlineMs, () => settle(undefined));
      this.parts.wire.publish(topicOf(requestId), payload).then(
        (outcome) => {
          if (outcome.status !== "done") settle(undefined);
        },
        () => settle(undefined),
      );
    });
  }
}
