/** What the transport suite needs of a hub, whichever it is, and a transport under observation. */
import { readFile } from "node:fs/promises";
import type { JsonObject, JsonValue } from "../../src/contract/json.ts";
import type { OutgoingMessage } from "../../src/contract/message.ts";
import type {
  DesiredUpdate,
  MethodCall,
  MethodReply,
  Transport,
  TransportStatus,
} from "../../src/contract/transport.ts";
import { systemClock } from "../../src/system/clock.ts";
import { systemRandom } from "../../src/system/random.ts";
import { createTransport } from "../../src/transport/create-transport.ts";
import type {
  HubOptions,
  Timing,
  TransportDeps,
  TransportOptions,
} from "../../src/transport/transport-options.ts";
import { RecordingLog } from "../support/recording-log.ts";
import type { Relay } from "../support/relay.ts";

export type HubKind = "iothub" | "iothub-sdk";
export const HUB_KINDS: readonly HubKind[] = ["iothub", "iothub-sdk"];

export interface Telemetry {
  readonly body: string;
  /** Application properties, and system properties with their `$.`. */
  readonly properties: Readonly<Record<string, string>>;
}

export type BadCertificate = "other-host" | "untrusted" | "expired";

/** One hub with one module identity, reached through a relay. */
export interface Bench {
  readonly relay: Relay;
  readonly options: HubOptions;
  readonly secret: string;
  telemetry(): readonly Telemetry[];
  desired(): JsonObject;
  reported(): JsonObject;
  patchDesired(patch: JsonObject): void;
  /** Applies a patch that the hub tells nobody about. */
  patchSilently?(patch: JsonObject): void;
  invoke(name: string, payload: JsonValue): Promise<{ status: number; payload: JsonValue }>;
  invokeRaw?(name: string, payload: string): Promise<{ status: number; payload: JsonValue }>;
  answerTwinGets(answer: { status: number; body?: string }, count: number): void;
  answerReports(answer: { status: number; body?: string }, count: number): void;
  ignoreTwinGets(count: number): void;
  patchBeforeNextTwinGet(patch: JsonObject): void;
  /** Publishes the patch just before the next read is answered with the older twin. */
  patchDuringNextTwinGet?(patch: JsonObject): void;
  pushRawDesired(text: string): void;
  /** The hub forgets sessions and cuts connections. */
  loseSessions(): Promise<void>;
  withholdPuback?(on: boolean): void;
  delaySuback?(delayMs: number): void;
  throttle?(count: number): void;
  rejectAuthentication?(on: boolean): void;
  expireTokens?(): void;
  /** A connection string with a key that is not the identity's. */
  wrongKey?(): string;
  presentCertificate?(which: BadCertificate | undefined): Promise<void>;
  serverNames?(): readonly string[];
  violations?(): readonly string[];
  stop(): Promise<void>;
}

/** Short waits between attempts; deadlines long enough for a loaded machine. */
export const FAST: Timing = {
  backoff: { floorMs: 20, capMs: 100 },
  stableAfterMs: 30_000,
  connectDeadlineMs: 10_000,
  subscribeDeadlineMs: 5_000,
  twinDeadlineMs: 5_000,
  pubackDeadlineMs: 5_000,
  methodDeadlineMs: 5_000,
};

/** For cases in which the hub stays silent: there a deadline must pass. */
export const IMPATIENT: Timing = { ...FAST, twinDeadlineMs: 300, pubackDeadlineMs: 300 };

const POLL_MS = 5;
/** Polls, not time: a machine that stood still for a while must not fail a case. */
const MOST_POLLS = 4_000;

export async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (let polls = 0; !isTrue(); polls += 1) {
    if (polls > MOST_POLLS) throw new Error(`waited in vain: ${what}`);
    await systemClock.sleep(POLL_MS);
  }
}

/** A transport that runs, and everything it said. */
export class Subject {
  readonly transport: Transport;
  readonly statuses: TransportStatus[] = [];
  readonly times: number[] = [];
  readonly updates: DesiredUpdate[] = [];
  readonly anomalies: string[] = [];
  readonly calls: MethodCall[] = [];
  readonly log: RecordingLog;
  /** What the agent would have in force: full reads replace, patches merge. */
  inForce: JsonObject = {};
  onMethod: (call: MethodCall) => Promise<MethodReply> = (call) =>
    Promise.resolve({ status: 200, payload: { echo: call.payload } });

  private constructor(transport: Transport, log: RecordingLog) {
    this.transport = transport;
    this.log = log;
  }

  static async start(
    options: TransportOptions,
    deps: Partial<TransportDeps> = {},
  ): Promise<Subject> {
    const log = new RecordingLog();
    const transport = await createTransport(options, {
      clock: systemClock,
      random: systemRandom,
      log,
      readSecret: (path) => readFile(path, "utf8"),
      readFile: (path) => readFile(path, "utf8"),
      agentVersion: "0.1.0",
      ...deps,
    });
    const subject = new Subject(transport, log);
    transport.start({
      onStatus: (status) => {
        subject.statuses.push(status);
        subject.times.push(systemClock.monotonicMs());
      },
      onDesired: (update) => subject.take(update),
      onMethod: (call) => {
        subject.calls.push(call);
        return subject.onMethod(call);
      },
      onAnomaly: (what) => subject.anomalies.push(what),
    });
    return subject;
  }

  get isConnected(): boolean {
    return this.statuses.at(-1)?.state === "connected";
  }

  get connections(): number {
    return this.statuses.filter((status) => status.state === "connected").length;
  }

  /** All statuses with their times, for the message of a failed case. */
  story(): string {
    const statuses = this.times.map(
      (atMs, at) => `${Math.round(atMs)} ms ${JSON.stringify(this.statuses[at])}`,
    );
    return [...statuses, ...this.anomalies, JSON.stringify(this.inForce)].join("\n");
  }

  faults(): readonly string[] {
    return this.statuses.flatMap((status) =>
      status.state === "disconnected" ? [status.fault] : [],
    );
  }

  /** The last way in which the connection was lost or refused. */
  lastDisconnection(): (TransportStatus & { readonly state: "disconnected" }) | undefined {
    return this.statuses.filter((status) => status.state === "disconnected").at(-1);
  }

  /** Connected, and the twin was read on this connection. */
  async ready(): Promise<void> {
    await until("connected with a twin", () => this.isConnected && this.updates.length > 0);
  }

  /** The promise of every case: after a fault ends, the twin in force is the hub's. */
  async agrees(bench: Bench): Promise<void> {
    const isSame = (): boolean => JSON.stringify(sorted(this.inForce)) === wanted();
    const wanted = (): string => JSON.stringify(sorted(bench.desired()));
    await until("the twin in force equals desired", () => this.isConnected && isSame());
  }

  send(message: Partial<OutgoingMessage> = {}, signal = new AbortController().signal) {
    return this.transport.send(outgoing(message), signal);
  }

  /** As the agent's sender does: the same message again until it is taken or refused. */
  async sendUntilTaken(message: Partial<OutgoingMessage> = {}): Promise<string> {
    for (let attempt = 0; attempt < 500; attempt += 1) {
      const outcome = await this.send(message);
      if (outcome.status !== "retry") return outcome.status;
      await systemClock.sleep(20);
    }
    throw new Error("never taken");
  }

  report(patch: JsonObject) {
    return this.transport.report(patch, new AbortController().signal);
  }

  stop(): Promise<void> {
    return this.transport.stop(1_000);
  }

  private take(update: DesiredUpdate): void {
    this.updates.push(update);
    const entries = Object.entries(
      update.kind === "full" ? update.desired : { ...this.inForce, ...update.desired },
    );
    this.inForce = Object.fromEntries(entries.filter(([, value]) => value !== null));
  }
}

function sorted(properties: JsonObject): JsonObject {
  const own = Object.entries(properties).filter(([key]) => !key.startsWith("$"));
  return Object.fromEntries(own.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function outgoing(message: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const body = message.body ?? new TextEncoder().encode('{"Events":[]}');
  return {
    messageId: systemRandom.uuid(),
    kind: "security",
    contentType: "application/json",
    contentEncoding: "utf-8",
    properties: { kind: "security", schema: "1.0" },
    meteredBytes: body.length + 100,
    ...message,
    body,
  };
}
