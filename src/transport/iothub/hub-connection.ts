import type { Timer } from "../../contract/clock.ts";
import { background } from "../background.ts";
import type { ConnectionEnd, LiveConnection } from "../connection-loop.ts";
import { aborting, deadline } from "../deadline.ts";
import { dial } from "../dial.ts";
import type { DialTarget } from "../dial-target.ts";
import { FaultError, fault, faultOfDialError } from "../fault.ts";
import { DESIRED_PATCHES, METHOD_CALLS, parseTopic, TWIN_RESPONSES } from "../hub-topics.ts";
import type { HubIdentity } from "../identity/hub-identity.ts";
import { clientIdOf, type Password, renewalDelayMs, userNameOf } from "../identity/hub-password.ts";
import { MqttSession, type SessionEnd } from "../mqtt-session.ts";
import { faultContext, faultOfRefusal } from "../reach.ts";
import type { Timing, TransportDeps } from "../transport-options.ts";

export interface HubConnectionParts {
  readonly deps: TransportDeps;
  readonly timing: Timing;
  readonly identity: HubIdentity;
  readonly target: DialTarget;
  readonly password: Password;
  readonly modelId: string | undefined;
  readonly keepAliveSeconds: number;
  onMessage(topic: ReturnType<typeof parseTopic>, payload: Uint8Array): void;
}

/** One authenticated connection to a hub, subscribed to everything the agent listens to. */
export class HubConnection implements LiveConnection {
  readonly session: MqttSession;
  readonly identity: HubIdentity;
  readonly ended: Promise<ConnectionEnd>;
  private isRenewing = false;
  private readonly renewal: Timer | undefined;

  private constructor(session: MqttSession, parts: HubConnectionParts) {
    this.session = session;
    this.identity = parts.identity;
    this.renewal = this.scheduleRenewal(parts);
    this.ended = session.ended.then((end) => {
      this.renewal?.cancel();
      return this.isRenewing ? { kind: "renewal" } : lost(end, parts);
    });
  }

  get sessionPresent(): boolean {
    return this.session.sessionPresent;
  }

  /** Dials, authenticates and subscribes within the connect deadline. Rejects with FaultError. */
  static async open(parts: HubConnectionParts, stop: AbortSignal): Promise<HubConnection> {
    const { deps, timing, identity, target, password } = parts;
    const context = faultContext(target, deps);
    const limit = deadline(deps.clock, timing.connectDeadlineMs, stop);
    try {
      const stream = await dial(target, limit.signal).catch((error: unknown) => {
        throw new FaultError(faultOfDialError(error, context));
      });
      const options = {
        clientId: clientIdOf(identity),
        userName: userNameOf(identity, deps.agentVersion, parts.modelId),
        password: password.text,
        isClean: false,
        keepAliveSeconds: parts.keepAliveSeconds,
        protocolVersion: 4,
        onMessage: (topic: string, payload: Uint8Array) =>
          parts.onMessage(parseTopic(topic), payload),
      } as const;
      const opened = await MqttSession.open(stream, options, deps.clock, limit.signal);
      if ("refusal" in opened) throw faultOfRefusal(opened.refusal, context);
      const { session } = opened;
      await aborting(limit.signal, subscribe(session, timing)).catch((error: unknown) => {
        session.drop("not subscribed");
        throw error;
      });
      return new HubConnection(session, parts);
    } finally {
      limit.cancel();
    }
  }

  close(deadlineMs: number): Promise<void> {
    return this.session.end(deadlineMs);
  }

  /** A token cannot be replaced on a living MQTT connection: it is closed in order and opened anew. */
  private scheduleRenewal(parts: HubConnectionParts): Timer | undefined {
    const { expiresAtMs, isRenewable } = parts.password;
    const { clock, random, log } = parts.deps;
    if (expiresAtMs === undefined || !isRenewable) return undefined;
    const lifetimeMs = Math.max(expiresAtMs - clock.nowMs(), 0);
    return clock.after(renewalDelayMs(lifetimeMs, random.fraction()), () => {
      this.isRenewing = true;
      background(this.session.end(parts.timing.pubackDeadlineMs), "token renewal", log);
    });
  }
}

/** Twin and method subscriptions at once: a resumed session may have lost them all the same. */
async function subscribe(session: MqttSession, timing: Timing): Promise<void> {
  const filters = [METHOD_CALLS, TWIN_RESPONSES, DESIRED_PATCHES];
  if (await session.subscribe(filters, 0, timing.subscribeDeadlineMs)) return;
  session.drop("subscriptions were not granted");
  const end = await session.ended;
  const detail = `the hub did not grant the subscriptions: ${end.detail}`;
  throw new FaultError(
    fault("protocol", detail, "is the address an IoT Hub's or an IoT Edge hub's?"),
  );
}

function lost(end: SessionEnd, parts: HubConnectionParts): ConnectionEnd {
  const { expiresAtMs } = parts.password;
  const hasExpired = expiresAtMs !== undefined && expiresAtMs <= parts.deps.clock.nowMs();
  const reason =
    end.isRemote && hasExpired
      ? fault("token-expired", "the SAS token ended", "a new one is signed, or must be provided")
      : reasonOf(end);
  const { isClosedByPeer } = end;
  return { kind: "lost", reason, isClosedByPeer, wasSending: end.unacknowledged > 0 };
}

function reasonOf(end: SessionEnd) {
  const remedy = "it is retried; if it repeats, check the network and the hub's own diagnostics";
  if (end.isRemote) return fault("unreachable", `connection lost: ${end.detail}`, remedy);
  return fault("timed-out", end.detail, remedy);
}
