import type { EventName } from "./event.ts";

/** Something the agent found about its own configuration; becomes a ConfigurationError event. */
export interface ConfigurationFinding {
  /** Key as the twin or the configuration file spells it. */
  readonly configurationName: string;
  readonly errorType: "TypeMismatch" | "NotOptimal" | "Conflict";
  /** The value in force, as text. */
  readonly usedConfiguration: string;
  readonly message: string;
}

/** Something the agent wants its owner to know about itself; becomes a Diagnostic event. */
export interface DiagnosticFinding {
  readonly severity: "Fatal" | "Error" | "Warning" | "Information" | "Debug";
  readonly message: string;
  readonly details: Readonly<Record<string, string>>;
}

/** Counters since they were last taken. */
export interface MessageCounts {
  readonly messagesSent: number;
  /** Of those, messages whose metered size was under 4096 bytes. */
  readonly messagesUnder4Kb: number;
  /** Attempts that the hub refused or that were not acknowledged. */
  readonly totalFailed: number;
}

export interface QueueCounts {
  readonly queue: "High" | "Low";
  readonly collectedEvents: number;
  readonly droppedEvents: number;
  /** Dropped events by event name; names with no drop are absent. */
  readonly droppedByName: Readonly<Record<string, number>>;
}

export interface QueueReport extends QueueCounts {
  /** What collectors could not see, by event name and reason: `ProcessCreate.overrun`. */
  readonly lost: Readonly<Record<string, number>>;
}

/** What collectors may ask of the agent that runs them. */
export interface AgentFacts {
  readonly processId: number;
  /** Takes the counters: the next call starts from zero. */
  takeMessageCounts(): MessageCounts;
  takeQueueCounts(): readonly QueueReport[];
  /**
   * Counts what a collector could not see or keep, so that it is reported. `reason` is a fixed word. A
   * count of 0 stands for a loss whose size is not known, and is reported as such.
   */
  countLoss(name: EventName, reason: string, count: number): void;
  /** Findings since the last subscriber; returns a function that unsubscribes. */
  onConfigurationFinding(listen: (finding: ConfigurationFinding) => void): () => void;
  onDiagnostic(listen: (finding: DiagnosticFinding) => void): () => void;
}
