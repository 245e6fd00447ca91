import type { Problem } from "./result.ts";

/**
 * What the kernel tells of by itself, as netlink datagrams:
 * - `executions`: programs that are executed, from the proc connector. Source: linux/cn_proc.h.
 * - `exits`: processes that end, from the proc connector.
 * - `audit`: audit records, from the read-only multicast group. Source: linux/audit.h, AUDIT_NLGRP_READLOG.
 * - `socket-ends`: TCP and UDP sockets that are destroyed. Source: linux/sock_diag.h, SKNLGRP_*_DESTROY.
 * - `conntrack`: connections that connection tracking meets or forgets. Source: nfnetlink_conntrack.h.
 */
export type KernelStream = "executions" | "exits" | "audit" | "socket-ends" | "conntrack";

/** What listens to a stream. Called from the event loop, a burst of datagrams at a time. */
export interface KernelStreamListener {
  /** One datagram of the kernel; the bytes are the listener's to keep. */
  onDatagram(bytes: Uint8Array): void;
  /**
   * The kernel dropped this many datagrams, because they came faster than they were read: what is known
   * must be read anew. Undefined where the number is not to be had.
   */
  onOverrun(lost: number | undefined): void;
  /** The stream has ended for good. */
  onEnd(problem: Problem): void;
}

/** A stream that is open. */
export interface KernelListening {
  /**
   * Hands over what waits now, without another turn of the event loop; false when more waits than is read
   * at a time.
   */
  readNow(): boolean;
  /** Safe to call twice. */
  stop(): void;
}
