import type { IPublishPacket, Packet } from "mqtt-packet";
import type { Clock } from "../contract/clock.ts";
import type { JsonObject, JsonValue } from "../contract/json.ts";
import type { Log } from "../contract/log.ts";
import type { Random } from "../contract/random.ts";
import type { FaultState } from "./fault-state.ts";
import type {
  HubConnection,
  HubEvents,
  HubIdentity,
  ReceivedMessage,
  Violation,
} from "./hub-contract.ts";
import type { Twin } from "./twin-store.ts";

/** What survives a connection with CleanSession 0: granted quality of service by filter. */
export interface Session {
  readonly filters: Map<string, 0 | 1>;
}

/** A message to a device, until it is acknowledged. */
export interface QueuedMessage {
  readonly topic: string;
  readonly body: Buffer;
  /** Packet id of the delivery under way; undefined before it was sent on this connection. */
  packetId: number | undefined;
  wasSent: boolean;
}

/** Messages to one device, in order. They wait for the device, over reconnects as well. */
export interface Outbox {
  readonly queue: QueuedMessage[];
  lastPacketId: number;
}

/** What the hub knows of an identity; outlives connections. */
export interface IdentityRecord {
  readonly identity: HubIdentity;
  readonly twin: Twin;
  readonly outbox: Outbox;
  /** Symmetric key, base64. Provisioning through a group sets the derived one. */
  key: string;
  /** The kept session, undefined when there is none. */
  keptSession: Session | undefined;
  client: HubClient | undefined;
}

/** A client that is past CONNECT. */
export interface HubClient {
  readonly core: HubCore;
  readonly record: IdentityRecord;
  readonly connection: HubConnection;
  readonly session: Session;
  /** False for X.509. */
  readonly hasToken: boolean;
  /** Publishes with quality of service 0, if the client is subscribed to the filter. */
  publish(filter: string, topic: string, payload: string): boolean;
  send(packet: Packet): void;
  /** Acknowledges a publish of the client if it asked for that. */
  acknowledge(packet: IPublishPacket): void;
  /** Ends the connection because the client broke a rule. */
  violate(what: string): void;
  disconnect(why: string): void;
}

/** What a hub is and allows, fixed at start. */
export interface HubTraits {
  readonly hostName: string;
  /** Names of the hub in tokens and user names: lower case, no port. */
  readonly hostNames: ReadonlySet<string>;
  readonly mustKnowApiVersion: boolean;
  /** SHA-1 or SHA-256, lower-case hex, of client certificates that need no CA. */
  readonly thumbprints: ReadonlySet<string>;
  readonly idScope: string;
  readonly enrollmentGroupKey: string | undefined;
  readonly disabledRegistrations: ReadonlySet<string>;
}

export interface MethodAnswer {
  readonly status: number;
  readonly payload: JsonValue;
}

/** Direct methods that were called and wait for their answer. */
export interface MethodCalls {
  /** Rejects with AGENT_HUB_FAILED: not connected, not subscribed, no answer in time, gone. */
  call(
    record: IdentityRecord,
    method: { readonly name: string; readonly payload: JsonValue; readonly timeoutMs: number },
  ): Promise<MethodAnswer>;
  /** Takes an answer. One that nobody waits for is dropped, as a hub does with late ones. */
  answer(client: HubClient, requestId: string, status: number, payload: Uint8Array): void;
  /** Gives up what waits for this client, or everything. */
  abandon(client: HubClient | undefined, why: string): void;
}

/** State that all connections of a hub share. */
export interface HubCore {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly traits: HubTraits;
  readonly faults: FaultState;
  readonly calls: MethodCalls;
  /** The hub that provisioning assigns, with the port of HTTPS. */
  assignedHub: string;
  add(record: IdentityRecord): void;
  find(identity: HubIdentity): IdentityRecord | undefined;
  all(): readonly IdentityRecord[];
  observe(events: HubEvents): () => void;
  /** True when the identity sent this message id before; the memory of ids is bounded. */
  isRepeated(identity: HubIdentity, messageId: string | undefined): boolean;
  tellMessage(message: ReceivedMessage): void;
  tellConnection(connection: HubConnection): void;
  tellDisconnection(identity: HubIdentity, why: string): void;
  tellReported(identity: HubIdentity, patch: JsonObject, version: number): void;
  /** The text may quote a client: it becomes one harmless line. */
  tellViolation(violation: Violation): void;
}
