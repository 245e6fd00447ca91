import type { JsonObject, JsonValue } from "./json.ts";
import type { OutgoingMessage } from "./message.ts";

/** What became of one send. Only `acknowledged` lets events leave the spool. */
export type SendOutcome =
  | { readonly status: "acknowledged" }
  /** Not accepted now; try the same message again, after `afterMs` if given. */
  | { readonly status: "retry"; readonly reason: string; readonly afterMs?: number }
  /** Will never be accepted, such as too large: sending it again is useless. */
  | { readonly status: "refused"; readonly reason: string };

/** What became of a reported-properties patch. 200 and 204 both confirm. */
export type ReportOutcome =
  | { readonly status: "confirmed"; readonly version?: number }
  | { readonly status: "retry"; readonly reason: string; readonly afterMs?: number }
  | { readonly status: "refused"; readonly reason: string };

/** Desired properties as they arrive: a full read after each (re)connect, patches in between. */
export interface DesiredUpdate {
  readonly kind: "full" | "patch";
  readonly version: number;
  /** Without `$version` and `$metadata`. In a patch, null deletes. */
  readonly desired: JsonObject;
  /** In a full read: the reported properties the hub holds. */
  readonly reported?: JsonObject;
}

export interface MethodCall {
  readonly name: string;
  /** Parsed payload, null when the call had none. */
  readonly payload: JsonValue;
}

export interface MethodReply {
  /** HTTP-like: 200 done, 400 bad payload, 404 unknown method, 500 failed. */
  readonly status: number;
  readonly payload: JsonValue;
}

export type ConnectionFault =
  | "unreachable"
  | "tls"
  | "credentials"
  | "token-expired"
  | "clock-skew"
  | "throttled"
  | "protocol"
  | "provisioning"
  | "evicted"
  | "timed-out";

export type TransportStatus =
  | { readonly state: "connecting"; readonly attempt: number }
  | { readonly state: "connected"; readonly sessionPresent: boolean }
  | {
      readonly state: "disconnected";
      readonly fault: ConnectionFault;
      /** One line, no secret. */
      readonly detail: string;
      /** What the operator can do about it. */
      readonly remedy: string;
      readonly retryInMs: number;
    }
  | { readonly state: "stopped" };

export interface TransportHandlers {
  onStatus(status: TransportStatus): void;
  /** Called in order; full updates may be older than patches already seen only by version. */
  onDesired(update: DesiredUpdate): void;
  /** Must answer within 30 s; a rejection becomes status 500. */
  onMethod(call: MethodCall): Promise<MethodReply>;
  /** Something odd that was survived, such as a malformed desired document: counted and logged. */
  onAnomaly(what: string): void;
}

/**
 * A way to a hub. It owns its connection: `start` returns at once and connects with backoff for ever;
 * no failure is thrown. Topics and wire formats of a hub generation stay inside.
 */
export interface Transport {
  readonly name: string;
  /** Whether a twin and methods exist on the other side; without a twin, local settings rule. */
  readonly hasTwin: boolean;
  start(handlers: TransportHandlers): void;
  /** Largest metered bytes the other side takes. */
  readonly maxMessageBytes: number;
  send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome>;
  report(patch: JsonObject, signal: AbortSignal): Promise<ReportOutcome>;
  /** Disconnects cleanly within `deadlineMs`. Safe to call twice. */
  stop(deadlineMs: number): Promise<void>;
}
