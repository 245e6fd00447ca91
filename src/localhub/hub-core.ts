import type { Clock } from "../contract/clock.ts";
import type { JsonObject, JsonValue } from "../contract/json.ts";
import type { Log } from "../contract/log.ts";
import type { Random } from "../contract/random.ts";
import type {
  HubConnection,
  HubEvents,
  HubIdentity,
  ReceivedMessage,
  TwinReply,
  Violation,
} from "./hub-contract.ts";
import type { HubState } from "./hub-state.ts";
import { identityName } from "./hub-topics.ts";
import type { MqttWire } from "./mqtt-wire.ts";
import { createTwinStore, type TwinStore } from "./twin-store.ts";

/** Faults in force. Counters run down to zero. */
export interface FaultState {
  withholdPuback: boolean;
  subackDelayMs: number;
  patchBeforeNextTwinGet: JsonObject | undefined;
  readonly twinGetReplies: TwinReply[];
  readonly reportReplies: TwinReply[];
  ignoredTwinGets: number;
  throttled: number;
  rejectAuthentication: boolean;
}

/** A client that is connected, as the rest of the hub sees it. */
export interface AttachedClient {
  readonly connection: HubConnection;
  readonly expiresAtMs: number;
  /** Publishes to the client if it is subscribed to a filter that covers the topic. */
  publish(filter: string, topic: string, payload: string): boolean;
  disconnect(why: string): void;
}

/** What the hub knows of an identity: its twin and its MQTT session outlive connections. */
export interface IdentityRecord {
  readonly identity: HubIdentity;
  readonly key: string;
  readonly twin: TwinStore;
  /** Subscriptions of the kept session, undefined when there is none. */
  session: Set<string> | undefined;
  client: AttachedClient | undefined;
}

interface PendingCall {
  readonly resolve: (reply: { readonly status: number; readonly payload: JsonValue }) => void;
}

/** A client that is past CONNECT. */
export interface ClientSession {
  readonly core: HubCore;
  readonly record: IdentityRecord;
  readonly wire: MqttWire;
  readonly attached: AttachedClient;
  /** Ends the connection because the client broke a rule. */
  violate(what: string): void;
}

const REMEMBERED_MESSAGES = 10_000;

/** State that all connections of a hub share. */
export class HubCore {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly hostName: string;
  readonly state: HubState;
  readonly idScope: string;
  readonly faults: FaultState = {
    withholdPuback: false,
    subackDelayMs: 0,
    patchBeforeNextTwinGet: undefined,
    twinGetReplies: [],
    reportReplies: [],
    ignoredTwinGets: 0,
    throttled: 0,
    rejectAuthentication: false,
  };
  readonly calls = new Map<string, PendingCall>();
  /** Names a token may be for: the hub's own and the addresses it is dialled by. */
  hostNames: readonly string[] = [];
  private readonly records = new Map<string, IdentityRecord>();
  private readonly observers = new Set<HubEvents>();
  private readonly seen = new Set<string>();

  constructor(parts: {
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Log;
    readonly hostName: string;
    readonly state: HubState;
    readonly idScope: string;
  }) {
    this.clock = parts.clock;
    this.random = parts.random;
    this.log = parts.log;
    this.hostName = parts.hostName;
    this.state = parts.state;
    this.idScope = parts.idScope;
  }

  register(identity: HubIdentity, desired: JsonObject): void {
    this.records.set(identityName(identity), {
      identity,
      key: this.state.keyOf(identity),
      twin: createTwinStore(desired, this.clock.nowMs()),
      session: undefined,
      client: undefined,
    });
  }

  find(identity: HubIdentity): IdentityRecord | undefined {
    return this.records.get(identityName(identity));
  }

  all(): readonly IdentityRecord[] {
    return [...this.records.values()];
  }

  observe(events: HubEvents): () => void {
    this.observers.add(events);
    return () => this.observers.delete(events);
  }

  /** True when this message id was seen before; the memory of ids is bounded. */
  isRepeated(messageId: string | undefined): boolean {
    if (messageId === undefined) return false;
    if (this.seen.has(messageId)) return true;
    this.seen.add(messageId);
    const [oldest] = this.seen;
    if (this.seen.size > REMEMBERED_MESSAGES && oldest !== undefined) this.seen.delete(oldest);
    return false;
  }

  tellMessage(message: ReceivedMessage): void {
    for (const observer of this.observers) observer.onMessage?.(message);
  }

  tellConnection(connection: HubConnection): void {
    for (const observer of this.observers) observer.onConnection?.(connection);
  }

  tellDisconnection(identity: HubIdentity, why: string): void {
    for (const observer of this.observers) observer.onDisconnection?.(identity, why);
  }

  tellReported(identity: HubIdentity, patch: JsonObject, version: number): void {
    for (const observer of this.observers) observer.onReported?.(identity, patch, version);
  }

  tellViolation(violation: Violation): void {
    this.log.debug({ what: violation.what }, "client refused");
    for (const observer of this.observers) observer.onViolation?.(violation);
  }
}
