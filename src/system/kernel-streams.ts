import { endianness } from "node:os";
import type {
  KernelListening,
  KernelStream,
  KernelStreamListener,
} from "../contract/kernel-stream.ts";
import { fail, ok, type Problem, type Result } from "../contract/result.ts";
import {
  connectorRequest,
  PROCESS_GROUP_MASK,
  parseProcessNotice,
  processNoticeFilter,
} from "../parse/proc-connector.ts";
import {
  NETLINK_PROTOCOLS,
  type Netlink,
  type NetlinkOptions,
  type NetlinkSocket,
} from "./netlink.ts";
import { createDropCount, type DropCount } from "./netlink-drops.ts";

/**
 * Space for notices that wait while the agent is busy. A notice takes about 800 bytes of it, so 5,000 of
 * them: the kernel uses none of it while nothing waits.
 */
const BUFFER_BYTES = 4_194_304;
/** Datagrams handed over before others have their turn. */
const PORTION = 250;
const ANSWER_WAIT_MS = 200;

/** Groups by number, as bit masks. Source: linux/sock_diag.h, enum sknetlink_groups. */
const SOCKET_END_GROUPS = 0b1111;
/** AUDIT_NLGRP_READLOG. Source: linux/audit.h. */
const AUDIT_GROUPS = 0b1;
/** NFNLGRP_CONNTRACK_NEW and NFNLGRP_CONNTRACK_DESTROY. Source: linux/netfilter/nfnetlink_compat.h. */
const CONNTRACK_GROUPS = 0b101;

interface StreamKind {
  readonly protocol: number;
  readonly options: NetlinkOptions;
  /** Asks the kernel to begin, where it must be asked, and makes sure that it does. */
  readonly begin?: (socket: NetlinkSocket) => Result<void>;
  readonly end?: (socket: NetlinkSocket) => void;
}

const STREAMS: Readonly<Record<KernelStream, () => StreamKind>> = {
  executions: () => connector("exec"),
  exits: () => connector("exit"),
  audit: () => ({ protocol: NETLINK_PROTOCOLS.audit, options: { groups: AUDIT_GROUPS } }),
  "socket-ends": () => ({
    protocol: NETLINK_PROTOCOLS.sockDiag,
    options: { groups: SOCKET_END_GROUPS },
  }),
  conntrack: () => ({
    protocol: NETLINK_PROTOCOLS.netfilter,
    options: { groups: CONNTRACK_GROUPS },
  }),
};

function connector(kind: "exec" | "exit"): StreamKind {
  return {
    protocol: NETLINK_PROTOCOLS.connector,
    options: { groups: PROCESS_GROUP_MASK, filter: processNoticeFilter(kind, endianness()) },
    begin: beginConnector,
    end: (socket) => socket.send(connectorRequest(false, endianness())),
  };
}

/**
 * The kernel answers at once, and not at all where it does not serve: outside the first pid namespace, and
 * where it was built without process events. Source: drivers/connector/cn_proc.c.
 */
function beginConnector(socket: NetlinkSocket): Result<void> {
  const sent = socket.send(connectorRequest(true, endianness()));
  if (!sent.ok) return sent;
  for (;;) {
    const received = socket.receive(ANSWER_WAIT_MS);
    if (!received.ok) return received;
    if (received.value.kind === "nothing") return fail("unsupported", "proc connector", SILENT);
    if (received.value.kind === "overrun") return ok(undefined);
    const notice = parseProcessNotice(received.value.bytes, endianness());
    if (notice?.kind === "answer" && notice.errorNumber === 0) return ok(undefined);
    if (notice?.kind === "answer") return fail("not-permitted", "proc connector", REFUSED);
  }
}

const SILENT = "the kernel does not serve it here: only the first namespaces of pid and network";
const REFUSED = "needs the capability CAP_NET_ADMIN";

/**
 * Opens a stream of the kernel and hands over what it tells, a portion per turn of the event loop. See
 * `Probe.listen`. `readText` reads /proc.
 */
export function listenToKernel(
  netlink: Netlink,
  readText: (path: string, maxBytes?: number) => Result<string>,
  stream: KernelStream,
  listener: KernelStreamListener,
): Result<KernelListening> {
  const kind = STREAMS[stream]();
  const opened = netlink.open(kind.protocol, { ...kind.options, receiveBufferBytes: BUFFER_BYTES });
  if (!opened.ok) return opened;
  const socket = opened.value;
  const begun = kind.begin?.(socket);
  if (begun !== undefined && !begun.ok) {
    socket.close();
    return begun;
  }
  const drops = createDropCount(socket, readText);
  let isEnded = false;
  function end(): void {
    if (isEnded) return;
    isEnded = true;
    kind.end?.(socket);
    socket.close();
  }
  /** True when nothing more waits. */
  function readNow(): boolean {
    if (isEnded) return true;
    const handed = handOver(socket, drops, listener);
    if (handed.problem === undefined || isEnded) return handed.isEmpty;
    end();
    listener.onEnd(handed.problem);
    return true;
  }
  socket.onReadable(readNow);
  return ok({ readNow, stop: end });
}

interface HandedOver {
  readonly isEmpty: boolean;
  /** What ends the stream. */
  readonly problem?: Problem;
}

/** Hands over what waits, a portion of it. */
function handOver(
  socket: NetlinkSocket,
  drops: DropCount,
  listener: KernelStreamListener,
): HandedOver {
  let isEmpty = false;
  for (let count = 0; count < PORTION; count += 1) {
    const received = socket.receive(0);
    if (!received.ok && received.problem.code !== "too-large") {
      return { isEmpty: true, problem: received.problem };
    }
    if (!received.ok) listener.onOverrun(1);
    else if (received.value.kind === "datagram") listener.onDatagram(received.value.bytes);
    else if (received.value.kind === "overrun") drops.expect();
    else {
      isEmpty = true;
      break;
    }
  }
  const lost = drops.take();
  if (lost !== 0) listener.onOverrun(lost);
  return { isEmpty };
}
