import { AgentError } from "../../contract/errors.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { OutgoingMessage } from "../../contract/message.ts";
import { MESSAGE_LIMIT_BYTES } from "../../contract/settings.ts";
import type {
  ReportOutcome,
  SendOutcome,
  Transport,
  TransportHandlers,
} from "../../contract/transport.ts";
import { ConnectionLoop } from "../connection-loop.ts";
import { FaultError } from "../fault.ts";
import { HubTarget } from "../hub-target.ts";
import { telemetryTopic } from "../hub-topics.ts";
import type { HubIdentity } from "../identity/hub-identity.ts";
import { passwordOf } from "../identity/hub-password.ts";
import type { IdentitySource } from "../identity/identity-source.ts";
import { abortable } from "../outcome.ts";
import {
  type HubOptions,
  MOST_KEEP_ALIVE_SECONDS,
  type Timing,
  type TransportDeps,
  timingOf,
} from "../transport-options.ts";
import { SdkConnection } from "./sdk-connection.ts";
import { withoutNumberCache } from "./sdk-packages.ts";

const NOT_CONNECTED = { status: "retry", reason: "not connected" } as const;

/** IoT Hub through Microsoft's device SDK, for owners who require it. Same promises as `iothub`. */
export class SdkTransport implements Transport {
  readonly name = "iothub-sdk";
  readonly hasTwin = true;
  readonly maxMessageBytes = MESSAGE_LIMIT_BYTES;
  private readonly options: HubOptions;
  private readonly deps: TransportDeps;
  private readonly source: IdentitySource;
  private readonly timing: Timing;
  private readonly target: HubTarget;
  private loop: ConnectionLoop<SdkConnection> | undefined;
  private live: SdkConnection | undefined;

  /** Throws AGENT_CONFIG_INVALID for a module with a certificate, which the SDK does not know. */
  constructor(options: HubOptions, deps: TransportDeps, source: IdentitySource) {
    const { identity } = options;
    const isX509 =
      identity.source === "provisioning"
        ? identity.attestation.kind === "x509" && identity.moduleId !== undefined
        : isModuleCertificate(source.initial);
    if (isX509) throw noModuleCertificate();
    this.options = options;
    this.deps = deps;
    this.source = source;
    this.timing = timingOf(options);
    this.target = new HubTarget(options.network, deps);
  }

  start(handlers: TransportHandlers): void {
    if (this.loop !== undefined) return;
    const { clock, random, log } = this.deps;
    this.loop = new ConnectionLoop<SdkConnection>({
      clock,
      random,
      log,
      timing: this.timing,
      connect: (signal) => this.connect(handlers, signal),
      onStatus: (status) => handlers.onStatus(status),
      onConnected: (connection) => {
        this.live = connection;
        connection.follow();
      },
      onLost: () => {
        this.live = undefined;
      },
    });
    this.loop.start();
  }

  async send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    const live = this.live;
    if (live === undefined) return NOT_CONNECTED;
    if (message.meteredBytes > this.maxMessageBytes) {
      return { status: "refused", reason: "over the hub's limit of 256 KB" };
    }
    // Not sent there: the SDK builds its own topic. It is made to refuse what no topic can carry.
    const topic = telemetryTopic({ deviceId: "d" }, message, { markAsSecurity: false });
    if (!topic.ok) {
      return { status: "refused", reason: `${topic.problem.subject}: ${topic.problem.detail}` };
    }
    const markAsSecurity = this.options.markAsSecurity === true && message.kind === "security";
    const outcome = await abortable(live.send(message, markAsSecurity), signal);
    if (outcome === undefined) return { status: "retry", reason: "not waited for" };
    if (outcome.status === "done") return { status: "acknowledged" };
    // The SDK keeps what it could not send and would send it later: a failed client is never kept.
    live.drop("a message was not acknowledged");
    return { status: "retry", reason: "the message was not acknowledged" };
  }

  async report(patch: JsonObject, signal: AbortSignal): Promise<ReportOutcome> {
    if (this.live === undefined) return NOT_CONNECTED;
    const outcome = await abortable(this.live.report(patch), signal);
    return outcome ?? { status: "retry", reason: "not waited for" };
  }

  async stop(deadlineMs: number): Promise<void> {
    await this.loop?.stop(deadlineMs);
  }

  private async connect(handlers: TransportHandlers, signal: AbortSignal): Promise<SdkConnection> {
    await withoutNumberCache();
    const identity = await this.source.resolve(signal);
    if (isModuleCertificate(identity)) throw noModuleCertificate();
    const lifetimeMs = (this.options.tokenLifetimeMinutes ?? 60) * 60_000;
    const keepAlive = this.options.keepAliveSeconds ?? 240;
    try {
      return await SdkConnection.open(
        {
          deps: this.deps,
          timing: this.timing,
          identity,
          target: await this.target.of(identity),
          password: passwordOf(identity, this.deps.clock, lifetimeMs),
          modelId: this.options.modelId,
          keepAliveSeconds: Math.min(keepAlive, MOST_KEEP_ALIVE_SECONDS),
          handlers,
        },
        signal,
      );
    } catch (error) {
      if (error instanceof FaultError && error.reason.fault === "credentials") this.source.forget();
      throw error;
    }
  }
}

function isModuleCertificate(identity: HubIdentity | undefined): boolean {
  return identity?.credential.kind === "certificate" && identity.moduleId !== undefined;
}

function noModuleCertificate(): AgentError {
  const what = "iothub-sdk: the SDK cannot connect a module with a certificate";
  return new AgentError("AGENT_CONFIG_INVALID", what, {
    remedy: "use the iothub transport, or a symmetric key for the module",
  });
}
