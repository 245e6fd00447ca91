import { endianness } from "node:os";
import type { Clock } from "../contract/clock.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { type NetlinkMessage, readDatagram } from "../parse/netlink-message.ts";
import type { NetlinkSocket } from "./netlink.ts";
import { problemOfErrno } from "./system-problem.ts";

/** A dump is kernel memory being copied: it takes milliseconds, so this only bounds a broken kernel. */
const DUMP_DEADLINE_MS = 2_000;
const MOST_ATTEMPTS = 3;
const MOST_MESSAGES = 1_000_000;

export interface DumpOptions<T> {
  readonly socket: NetlinkSocket;
  readonly clock: Clock;
  /** Sequence numbers of one socket must not meet again; up to three from here on are used. */
  readonly firstSequence: number;
  readonly request: (sequence: number) => Uint8Array;
  /** What to keep of a message; undefined for nothing. */
  readonly pick: (message: NetlinkMessage) => T | undefined;
  readonly mostPicked: number;
}

/**
 * One dump of nf_tables, asked again while the kernel calls it inconsistent, at most three times. Errors:
 * `not-permitted` without CAP_NET_ADMIN; `unsupported` where the kernel has no nf_tables; `timed-out`;
 * `too-large`. Source: netlink(7), NLM_F_DUMP_INTR.
 */
export function dumpNftables<T>(options: DumpOptions<T>): Result<readonly T[]> {
  for (let attempt = 0; ; attempt += 1) {
    const dumped = dumpOnce(options, options.firstSequence + attempt);
    if (!dumped.ok) return dumped;
    if (!dumped.value.isInterrupted || attempt + 1 === MOST_ATTEMPTS) {
      // Rules that change during every dump are a busy machine: the last answer is the best there is.
      return ok(dumped.value.picked);
    }
  }
}

interface Dump<T> {
  readonly picked: readonly T[];
  readonly isInterrupted: boolean;
}

function dumpOnce<T>(options: DumpOptions<T>, sequence: number): Result<Dump<T>> {
  const { socket, clock, pick, mostPicked } = options;
  const subject = "nf_tables";
  const sent = socket.send(options.request(sequence));
  if (!sent.ok) return sent;
  const endMs = clock.monotonicMs() + DUMP_DEADLINE_MS;
  const picked: T[] = [];
  let messages = 0;
  let isInterrupted = false;
  for (;;) {
    const leftMs = endMs - clock.monotonicMs();
    if (leftMs <= 0) return fail("timed-out", subject, `no end within ${DUMP_DEADLINE_MS} ms`);
    const received = socket.receive(leftMs);
    if (!received.ok) return received;
    if (received.value.kind === "nothing") continue;
    if (received.value.kind === "overrun") return fail("too-large", subject, "replies were lost");
    const reply = readDatagram(received.value.bytes, sequence, endianness());
    isInterrupted ||= reply.isInterrupted;
    messages += reply.messages.length;
    for (const message of reply.messages) {
      const kept = pick(message);
      if (kept !== undefined) picked.push(kept);
    }
    if (picked.length > mostPicked || messages > MOST_MESSAGES) {
      return fail("too-large", subject, `more than ${mostPicked} objects`);
    }
    if (reply.outcome === "done") return ok({ picked, isInterrupted });
    if (reply.outcome === "error") return problemOfErrno(reply.errorNumber, subject, "dump");
    if (reply.outcome === "overrun") return fail("too-large", subject, "replies were lost");
    if (reply.outcome === "malformed") return fail("malformed", subject, "reply is not netlink");
  }
}
