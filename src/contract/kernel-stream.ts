import type { Problem } from "./result.ts";

/**
 * What the kernel tells of by itself, as netlink datagrams:
 * - `processes`: executions and ends of processes, from the proc connector. Source: linux/cn_proc.h.
 * - `audit`: audit records, from the read-only multicast group. Source: linux/audit.h, AUDIT_NLGRP_READLOG.
 * - `socket-ends`: TCP and UDP sockets that are destroyed. Source: linux/sock_diag.h, SKNLGRP_*_DESTROY.
 * - `conntrack`: connections that connection tracking meets or forgets. Source: nfnetlink_conntrack.h.
 */
export type KernelStream = "processes" | "audit" | "socket-ends" | "conntrack";

/** What listens to a stream. Called from the event loop, a burst of datagrams at a time. */
export interface KernelStreamListener {
  /** One datagram of the kernel; the bytes are the listener's to keep. */
  onDatagram(bytes: Uint8Array): void;
  /** The kernel dropped datagrams, it does not say how many: what is known must be read anew. */
  onOverrun(): void;
  /** Every datagram that waited has been handed over. */
  onIdle?(): void;
  /** The stream has ended for good. */
  onEnd(problem: Problem): void;
}
