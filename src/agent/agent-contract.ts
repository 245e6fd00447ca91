import type { ConfigurationFinding, DiagnosticFinding } from "../contract/agent-facts.ts";
import type { Clock } from "../contract/clock.ts";
import type { Collector } from "../contract/collector.ts";
import type { EventDraft } from "../contract/event.ts";
import type { JsonObject } from "../contract/json.ts";
import type { Log } from "../contract/log.ts";
import type { Probe } from "../contract/probe.ts";
import type { Random } from "../contract/random.ts";
import type { SecretMask } from "../contract/secret-mask.ts";
import type { Transport, TransportStatus } from "../contract/transport.ts";
import type { SentMessage } from "../pipeline/sender.ts";
import type { SpoolOptions } from "../pipeline/spool/spool.ts";
import type { TwinController } from "../twin/twin-controller.ts";
import type { PostureDeskOptions } from "./posture/posture-desk.ts";
import type { StateFolder } from "./state-folder.ts";

/** What an onlooker, such as the demo, may watch. */
export interface AgentObserver {
  onCollected?(drafts: readonly EventDraft[]): void;
  onSent?(sent: SentMessage): void;
  onStatus?(status: TransportStatus): void;
  onDiagnostic?(finding: DiagnosticFinding): void;
}

export interface AgentOptions {
  readonly agentId: string;
  readonly agentVersion: string;
  readonly processId: number;
  readonly state: StateFolder;
  readonly collectors: readonly Collector[];
  /** Settings of each collector as its schema yields them. */
  readonly collectorSettings: (collector: Collector) => unknown;
  readonly mask: SecretMask;
  readonly probe: Probe;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly transport: Transport;
  readonly twin: TwinController;
  readonly spoolFlush: SpoolOptions["flush"];
  /** The owner's rules of custom alerts that are on this device. */
  readonly securityGroups: PostureDeskOptions["securityGroups"];
  readonly firstSnapshotDelayMs: number;
  readonly firstSnapshotJitterMs: number;
  /** Bytes the transport adds to the metered size of each message. */
  readonly addedPropertyBytes: number;
  /** What was found before the agent started, such as faults of the configuration. */
  readonly findings: readonly ConfigurationFinding[];
  readonly memory: () => JsonObject;
  readonly observer?: AgentObserver;
}

/** The running agent. */
export interface Agent {
  start(): Promise<void>;
  /** Sends everything that waits, at most for that long. */
  flush(deadlineMs: number): Promise<{ readonly sent: number; readonly waiting: number }>;
  /** Flushes, disconnects and leaves what could not be sent on disk. Safe to call twice. */
  stop(deadlineMs: number): Promise<void>;
  status(): JsonObject;
  /** Brings to disk what the spool holds, without waiting for its flush window. Rejects when the disk refuses. */
  toDisk(): Promise<void>;
  /** What does not go on although it should, in a few words; undefined when all is well. */
  stuck(): string | undefined;
  /** One line on how things are: connection and what waits. */
  statusLine(): string;
  /** Adds a finding of the agent's surroundings to its own. */
  report(finding: DiagnosticFinding): void;
}
