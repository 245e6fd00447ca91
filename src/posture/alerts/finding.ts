/** How bad an alert is. Every official custom alert is Low. */
export type AlertSeverity = "High" | "Medium" | "Low" | "Informational";

/** Why a rule was violated: a count above or below its range, or something that is on no allow list. */
export type AlertReason = "too-many" | "too-few" | "not-allowed";

/** One of the events behind an alert. */
export interface AlertSample {
  /** `Id` of the event; empty where it had none yet. */
  readonly eventId: string;
  /** When it happened, ms since the Unix epoch; of an aggregated event the last time. */
  readonly atMs: number;
  /** What it was about in one line, at most 160 characters; never a command line. */
  readonly detail: string;
}

/** What supports an alert. Bounded: a few samples, texts cut. */
export interface AlertEvidence {
  readonly reason: AlertReason;
  /** Of range rules: the allowed range, both ends included. */
  readonly minThreshold?: number;
  readonly maxThreshold?: number;
  /** Of list rules: what was not on the list, cut at 128 characters; absent when `isOverflow`. */
  readonly value?: string;
  /** The alert stands for all further values of the window that found no room of their own. */
  readonly isOverflow?: true;
  /** How many of the count come from aggregated events, spread evenly between their first and last time. */
  readonly spreadCount: number;
  /** False when nobody watched for a part of the window: the true count may be higher. */
  readonly isWatchComplete: boolean;
  /** The earliest events of the window, at most three. */
  readonly samples: readonly AlertSample[];
}

/** A custom alert: one rule, violated in one window. The same violation always has the same `id`. */
export interface Alert {
  /** UUID version 8, made of subject, group, rule, window and value. */
  readonly id: string;
  /** `IoT_CA_` and the rule type. */
  readonly alertType: string;
  readonly ruleType: string;
  readonly severity: AlertSeverity;
  readonly title: string;
  readonly description: string;
  readonly remediation: string;
  /** Name of the device security group that the rule is from. */
  readonly group: string;
  /** Whom it is about, as the caller names it, such as a device. */
  readonly subject: string;
  /** ms since the Unix epoch; the window is [start, end). */
  readonly windowStartMs: number;
  readonly windowEndMs: number;
  readonly count: number;
  readonly evidence: AlertEvidence;
}
