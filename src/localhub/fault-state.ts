import type { JsonObject } from "../contract/json.ts";
import type { TwinReply } from "./hub-contract.ts";

/** Replies that were asked for, in order; each for a number of requests. */
export interface ReplyQueue {
  add(reply: TwinReply | "silence", count: number): void;
  /** The reply for the next request; undefined when it is to be answered as usual. */
  next(): TwinReply | "silence" | undefined;
}

/** Faults in force. Counters run down to zero. */
export interface FaultState {
  isPubackWithheld: boolean;
  isAuthenticationRejected: boolean;
  subackDelayMs: number;
  /** Messages that are still answered by ending the connection. */
  throttled: number;
  /** Applied, in order, one at each twin GET. */
  readonly patchesBeforeGet: JsonObject[];
  readonly twinGets: ReplyQueue;
  readonly reports: ReplyQueue;
}

export function createFaultState(): FaultState {
  return {
    isPubackWithheld: false,
    isAuthenticationRejected: false,
    subackDelayMs: 0,
    throttled: 0,
    patchesBeforeGet: [],
    twinGets: createReplyQueue(),
    reports: createReplyQueue(),
  };
}

function createReplyQueue(): ReplyQueue {
  const waiting: { readonly reply: TwinReply | "silence"; left: number }[] = [];
  return {
    add(reply, count) {
      if (count > 0) waiting.push({ reply, left: count });
    },
    next() {
      const [first] = waiting;
      if (first === undefined) return undefined;
      first.left -= 1;
      if (first.left <= 0) waiting.shift();
      return first.reply;
    },
  };
}
