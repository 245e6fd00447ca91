import type { CollectorContext } from "../contract/collector.ts";
import type { Log } from "../contract/log.ts";
import type { Probe } from "../contract/probe.ts";
import { createSecretMask } from "../parse/mask-secrets.ts";
import { systemClock } from "../system/clock.ts";

/** What a snapshot is taken of, and with which settings of its collector. */
export interface SnapshotOptions {
  readonly probe: Probe;
  readonly settings: unknown;
  readonly signal: AbortSignal;
}

const QUIET: Log = { error() {}, warn() {}, info() {}, debug() {} };

/** No agent runs around it: nothing is sent, counted or remembered. */
const NO_AGENT: CollectorContext<unknown>["agent"] = {
  processId: 0,
  takeMessageCounts: () => ({ messagesSent: 0, messagesUnder4Kb: 0, totalFailed: 0 }),
  takeQueueCounts: () => [],
  countLoss: () => undefined,
  onConfigurationFinding: () => () => undefined,
  onDiagnostic: () => () => undefined,
};

/** The context of snapshots that are taken without an agent. */
export function snapshotContext(options: SnapshotOptions): CollectorContext<unknown> {
  return {
    ...options,
    clock: systemClock,
    log: QUIET,
    cursor: { read: () => undefined, write: () => undefined },
    agent: NO_AGENT,
    mask: createSecretMask([]),
    pause: () => systemClock.sleep(0),
  };
}
