import type { Protocol } from "../alerts/hub-measures.ts";

/** What is remembered of a device between its records. Times are those of the event hub, in ms. */
export interface KnownDevice {
  /** The first record about it; without a record for `rememberMs` it is as new. */
  readonly sinceMs: number;
  readonly seenMs: number;
  /** Name of its security group as the enrichment told it; empty: it has no such tag; undefined: not told. */
  readonly group: string | undefined;
  readonly groupSinceMs: number;
  readonly protocol: Protocol | undefined;
  readonly protocolSinceMs: number;
  /** The first and the last message of a security agent. */
  readonly agentSinceMs: number | undefined;
  readonly agentSeenMs: number;
}
