import { AgentError } from "../../contract/errors.ts";
import type { OutgoingMessage } from "../../contract/message.ts";
import type {
  ReportOutcome,
  SendOutcome,
  Transport,
  TransportHandlers,
} from "../../contract/transport.ts";
import { type ConnectionEnd, ConnectionLoop, type LiveConnection } from "../connection-loop.ts";
import { deadline } from "../deadline.ts";
import { dial } from "../dial.ts";
import type { DialTarget } from "../dial-target.ts";
import { FaultError, fault, faultOfDialError } from "../fault.ts";
import { MqttSession, type SessionEnd } from "../mqtt-session.ts";
import { abortable } from "../outcome.ts";
import { faultContext, faultOfRefusal, proxyTargetOf } from "../reach.ts";
import { TlsTrust } from "../tls-trust.ts";
import {
  type BrokerOptions,
  type Timing,
  type TransportDeps,
  timingOf,
} from "../transport-options.ts";
import { type BrokerUrl, parseBrokerUrl, topicOf } from "./broker-address.ts";

const DEFAULT_MAX_BYTES = 262_144;

interface BrokerConnection extends LiveConnection {
  readonly session: MqttSession;
}

/** Any MQTT broker: messages at QoS 1 to one topic per kind; no twin and no methods. */
export class MqttTransport implements Transport {
  readonly name = "mqtt";
  readonly hasTwin = false;
  readonly maxMessageBytes: number;
  private readonly options: BrokerOptions;
  private readonly deps: TransportDeps;
  private readonly timing: Timing;
  private readonly url: BrokerUrl;
  private readonly trust: TlsTrust;
  private loop: ConnectionLoop<BrokerConnection> | undefined;
  private session: MqttSession | undefined;

  /** Throws AGENT_CONFIG_INVALID for an unusable URL or topic. */
  constructor(options: BrokerOptions, deps: TransportDeps) {
    const url = parseBrokerUrl(options.url);
    const topic = topicOf(options, "security");
    const problem = url.ok ? (topic.ok ? undefined : topic.problem) : url.problem;
    if (!url.ok || problem !== undefined) {
      const what = problem === undefined ? "" : `${problem.subject}: ${problem.detail}`;
      throw new AgentError("AGENT_CONFIG_INVALID", `mqtt transport: ${what}`, {
        remedy: "write the URL as mqtts://host:port and the topic without + and #",
      });
    }
    this.options = options;
    this.deps = deps;
    this.timing = timingOf(options);
    this.url = url.value;
    this.trust = new TlsTrust(options, deps);
    this.maxMessageBytes = options.maxMessageBytes ?? DEFAULT_MAX_BYTES;
  }

  start(handlers: TransportHandlers): void {
    if (this.loop !== undefined) return;
    const { clock, random, log } = this.deps;
    this.loop = new ConnectionLoop<BrokerConnection>({
      clock,
      random,
      log,
      timing: this.timing,
      connect: (signal) => this.connect(signal),
      onStatus: (status) => handlers.onStatus(status),
      onConnected: (connection) => {
        this.session = connection.session;
      },
      onLost: () => {
        this.session = undefined;
      },
    });
    this.loop.start();
  }

  async send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    const session = this.session;
    if (session === undefined) return { status: "retry", reason: "not connected" };
    if (message.meteredBytes > this.maxMessageBytes) {
      return { status: "refused", reason: "over the broker's message limit" };
    }
    const topic = topicOf(this.options, message.kind);
    if (!topic.ok) return { status: "refused", reason: topic.problem.detail };
    const work = session.publish(topic.value, message.body, {
      qos: 1,
      deadlineMs: this.timing.pubackDeadlineMs,
      ...(this.options.protocolVersion === 5 ? { properties: propertiesOf(message) } : {}),
    });
    const outcome = await abortable(work, signal);
    if (outcome === undefined) return { status: "retry", reason: "not waited for" };
    if (outcome.status === "done") return { status: "acknowledged" };
    if (outcome.status === "rejected") return verdictOf(outcome.reasonCode);
    if (outcome.status === "timed-out") {
      session.drop("the broker did not acknowledge a message in time");
      return { status: "retry", reason: "no acknowledgement within the deadline" };
    }
    return { status: "retry", reason: "the connection was lost before the acknowledgement" };
  }

  async report(): Promise<ReportOutcome> {
    return { status: "refused", reason: "a plain broker has no twin" };
  }

  async stop(deadlineMs: number): Promise<void> {
    await this.loop?.stop(deadlineMs);
  }

  private async connect(signal: AbortSignal): Promise<BrokerConnection> {
    const { options, deps, timing } = this;
    const target = await this.target();
    const context = faultContext(target, deps);
    const limit = deadline(deps.clock, timing.connectDeadlineMs, signal);
    try {
      const stream = await dial(target, limit.signal).catch((error: unknown) => {
        throw new FaultError(faultOfDialError(error, context));
      });
      const sessionOptions = {
        clientId: `${options.deviceId}-${options.agentId}`,
        userName: options.userName,
        password: await this.password(),
        // Nothing is subscribed, so there is nothing to keep.
        isClean: true,
        keepAliveSeconds: options.keepAliveSeconds ?? 60,
        protocolVersion: options.protocolVersion ?? 4,
        onMessage: () => undefined,
      };
      const opened = await MqttSession.open(stream, sessionOptions, deps.clock, limit.signal);
      if ("refusal" in opened) throw faultOfRefusal(opened.refusal, context);
      const { session } = opened;
      return {
        session,
        sessionPresent: session.sessionPresent,
        ended: session.ended.then(lost),
        close: (deadlineMs) => session.end(deadlineMs),
      };
    } finally {
      limit.cancel();
    }
  }

  private async target(): Promise<DialTarget> {
    const { url, options } = this;
    return {
      host: url.host,
      port: url.port,
      secureContext: url.isTls ? await this.trust.context() : undefined,
      proxy: await proxyTargetOf(options.proxy, this.deps),
      ...(url.webSocketPath === undefined ? {} : { webSocketPath: url.webSocketPath }),
    };
  }

  private async password(): Promise<string | undefined> {
    const { passwordFile } = this.options;
    if (passwordFile === undefined) return undefined;
    const text = await this.deps.readSecret(passwordFile, "broker password");
    return text.replace(/\r?\n$/, "");
  }
}

/** Source: MQTT 5.0 section 3.3.2.3. 3.1.1 has no place for any of it. */
function propertiesOf(message: OutgoingMessage) {
  return {
    contentType: message.contentType,
    payloadFormatIndicator: true,
    userProperties: { ...message.properties, messageId: message.messageId },
  };
}

/** Source: MQTT 5.0 section 3.4.2.1, PUBACK reason codes. */
function verdictOf(reasonCode: number): SendOutcome {
  const reason = `the broker refused the message (PUBACK ${reasonCode})`;
  const isFinal = reasonCode === 0x90 || reasonCode === 0x95 || reasonCode === 0x99;
  return isFinal ? { status: "refused", reason } : { status: "retry", reason };
}

function lost(end: SessionEnd): ConnectionEnd {
  const takenOver = end.reasonCode === 0x8e;
  const remedy = takenOver
    ? "another client uses the same device and agent id"
    : "it is retried; if it repeats, look into the broker's log";
  const kind = takenOver ? "evicted" : end.isRemote ? "unreachable" : "timed-out";
  const { isClosedByPeer } = end;
  const reason = fault(kind, `connection lost: ${end.detail}`, remedy);
  return { kind: "lost", reason, isClosedByPeer, wasSending: end.unacknowledged > 0 };
}
