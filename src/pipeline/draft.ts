import type { OutgoingMessage } from "../contract/message.ts";
import type { SendReason } from "./plan.ts";
import type { QueuedEvent } from "./spool/spool-contract.ts";

/** A message on its way, and what it carries. */
export interface Draft {
  readonly message: OutgoingMessage;
  readonly carried: readonly QueuedEvent[];
  /** What leaves the spool when this message is acknowledged. */
  readonly released: readonly QueuedEvent[];
  readonly reason: SendReason;
}
