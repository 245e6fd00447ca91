import type { Clock } from "../contract/clock.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import type { NetlinkDatagram } from "../parse/netlink-message.ts";
import type { NetlinkSocket } from "./netlink.ts";
import { problemOfErrno } from "./system-problem.ts";

/** A dump is kernel memory being copied: it takes milliseconds, so this only bounds a broken kernel. */
const DUMP_DEADLINE_MS = 2_000;
/** How often a dump that the kernel calls inconsistent is asked for again. */
export const MOST_ATTEMPTS = 3;
const MOST_MESSAGES = 1_000_000;

/** What one datagram adds to a dump. */
export type DumpReply<T> = Pick<NetlinkDatagram, "outcome" | "errorNumber" | "isInterrupted"> & {
  readonly items: readonly T[];
  /** All that it held, kept or not. */
  readonly messages: number;
};

export interface DumpOptions<T> {
  readonly socket: NetlinkSocket;
  readonly clock: Clock;
  /** Names the dump in problems. */
  readonly subject: string;
  /** Sequence numbers of one socket must not meet again; up to `MOST_ATTEMPTS` from here on are used. */
  readonly firstSequence: number;
  readonly request: (sequence: number) => Uint8Array;
  readonly read: (bytes: Uint8Array, sequence: number) => DumpReply<T>;
  readonly mostItems: number;
  /** What the items are, in the plural. */
  readonly noun: string;
}

/**
 * Everything that the kernel answers to one dump request, asked again while it calls its answer
 * inconsistent. Errors: what the kernel refuses with; `timed-out`; `too-large`; `malformed`. Source:
 * netlink(7), NLM_F_DUMP_INTR.
 */
export function dumpNetlink<T>(options: DumpOptions<T>): Result<readonly T[]> {
  for (let attempt = 0; ; attempt += 1) {
    const dumped = dumpOnce(options, options.firstSequence + attempt);
    if (!dumped.ok) return dumped;
    if (!dumped.value.isInterrupted || attempt + 1 === MOST_ATTEMPTS) {
      // What changes during every dump is a busy machine: the last answer is the best there is.
      return ok(dumped.value.items);
    }
  }
}

interface Dump<T> {
  readonly items: readonly T[];
  readonly isInterrupted: boolean;
}

function dumpOnce<T>(options: DumpOptions<T>, sequence: number): Result<Dump<T>> {
  const { socket, clock, subject, mostItems, noun } = options;
  const sent = socket.send(options.request(sequence));
  if (!sent.ok) return sent;
  const endMs = clock.monotonicMs() + DUMP_DEADLINE_MS;
  const items: T[] = [];
  let messages = 0;
  let isInterrupted = false;
  for (;;) {
    const leftMs = endMs - clock.monotonicMs();
    if (leftMs <= 0) return fail("timed-out", subject, `no end within ${DUMP_DEADLINE_MS} ms`);
    const received = socket.receive(leftMs);
    if (!received.ok) return received;
    if (received.value.kind === "nothing") continue;
    if (received.value.kind === "overrun") return fail("too-large", subject, "replies were lost");
    const reply = options.read(received.value.bytes, sequence);
    isInterrupted ||= reply.isInterrupted;
    messages += reply.messages;
    for (const item of reply.items) items.push(item);
    if (items.length > mostItems || messages > MOST_MESSAGES) {
      return fail("too-large", subject, `more than ${mostItems} ${noun}`);
    }
    if (reply.outcome === "done") return ok({ items, isInterrupted });
    if (reply.outcome === "error") return problemOfErrno(reply.errorNumber, subject, "dump");
    if (reply.outcome === "overrun") return fail("too-large", subject, "replies were lost");
    if (reply.outcome === "malformed") return fail("malformed", subject, "reply is not netlink");
  }
}
