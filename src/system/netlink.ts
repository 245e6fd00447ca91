import { endianness } from "node:os";
import { fail, ok, type Result } from "../contract/result.ts";
import type { CLibrary } from "./c-library.ts";
import { createReadiness, pollSet, type Readiness } from "./readiness.ts";
import { problemOfErrno } from "./system-problem.ts";

/** Netlink families by number. Source: linux/netlink.h. */
export const NETLINK_PROTOCOLS = { sockDiag: 4, netfilter: 12 } as const;

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 0o2000003;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;
const ADDRESS_BYTES = 12;
const EINTR = 4;
const EAGAIN = 11;
const ENOBUFS = 105;
/** The kernel fills at most 32 KiB per dump datagram; twice that takes every other one. */
const RECEIVE_BYTES = 65_536;

/** What came in. `overrun`: the kernel dropped datagrams because we read too slowly (ENOBUFS). */
export type NetlinkReceived =
  | { readonly kind: "datagram"; readonly bytes: Uint8Array }
  | { readonly kind: "overrun" }
  | { readonly kind: "nothing" };

/** An open netlink socket. Source: netlink(7). */
export interface NetlinkSocket {
  /** Sends one datagram to the kernel. */
  send(message: Uint8Array): Result<void>;
  /**
   * Waits at most `waitMs` for one datagram from the kernel; 0 only looks. Datagrams of other senders
   * are dropped. `bytes` are a copy. `too-large`: it did not fit 64 KiB, and is lost.
   */
  receive(waitMs: number): Result<NetlinkReceived>;
  /**
   * Calls back as often as datagrams wait, without blocking: the callback receives until there is
   * nothing. Returns what ends it; safe to call twice.
   */
  onReadable(callback: () => void): () => void;
  /** Safe to call twice. */
  close(): void;
}

/** The way to netlink, once the native library is loaded. */
export interface Netlink {
  /** Opens and binds a socket of a netlink family, listening to the multicast groups of a bit mask. */
  open(protocol: number, groups?: number): Result<NetlinkSocket>;
}

/**
 * The way to netlink through the C library. Keep the result: all its sockets share one waiting thread,
 * that of `readiness`, which others may share as well.
 */
export function createNetlink(
  library: CLibrary,
  readiness: Readiness = createReadiness(library),
): Netlink {
  return {
    open: (protocol, groups = 0) => openSocket({ library, readiness }, protocol, groups),
  };
}

/** struct sockaddr_nl with port 0, which lets the kernel choose. */
function socketAddress(groups: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(ADDRESS_BYTES));
  view.setUint16(0, AF_NETLINK, isLittleEndian());
  view.setUint32(8, groups, isLittleEndian());
  return new Uint8Array(view.buffer);
}

function isLittleEndian(): boolean {
  return endianness() === "LE";
}

interface Machinery {
  readonly library: CLibrary;
  readonly readiness: Readiness;
}

function openSocket(
  { library, readiness }: Machinery,
  protocol: number,
  groups: number,
): Result<NetlinkSocket> {
  const descriptor = library.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
  if (descriptor < 0) return problemOfErrno(library.errno(), "netlink", "socket");
  const bound = library.bind(descriptor, socketAddress(groups), ADDRESS_BYTES);
  if (bound < 0) {
    const errno = library.errno();
    library.close(descriptor);
    return problemOfErrno(errno, "netlink", "bind");
  }
  return ok(wrapSocket({ library, readiness }, descriptor));
}

function wrapSocket({ library, readiness }: Machinery, descriptor: number): NetlinkSocket {
  let stopWatching: (() => void) | undefined;
  const buffer = new Uint8Array(RECEIVE_BYTES);
  let isOpen = true;
  // A descriptor number is given out again after close: using it then would hit somebody else's file.
  const closed = (): Result<never> => fail("unsupported", "netlink", "the socket is closed");
  return {
    send(message) {
      if (!isOpen) return closed();
      const sent = library.send(descriptor, message, message.length, MSG_DONTWAIT);
      if (sent < 0) return problemOfErrno(library.errno(), "netlink", "send");
      return ok(undefined);
    },
    receive(waitMs) {
      if (!isOpen) return closed();
      const waited = waitReadable(library, descriptor, waitMs);
      if (!waited.ok) return waited;
      return waited.value ? receiveNow(library, descriptor, buffer) : ok({ kind: "nothing" });
    },
    onReadable(callback) {
      if (!isOpen) return () => undefined;
      stopWatching = readiness.watch(descriptor, callback);
      return stopWatching;
    },
    close() {
      stopWatching?.();
      if (isOpen) library.close(descriptor);
      isOpen = false;
    },
  };
}

/** poll(2) on one descriptor; a signal counts as nothing yet. */
function waitReadable(library: CLibrary, descriptor: number, waitMs: number): Result<boolean> {
  const set = pollSet([descriptor]);
  const ready = library.poll(set, 1, Math.min(Math.max(Math.ceil(waitMs), 0), 60_000));
  if (ready >= 0) return ok(ready > 0);
  const errno = library.errno();
  return errno === EINTR ? ok(false) : problemOfErrno(errno, "netlink", "poll");
}

function receiveNow(
  library: CLibrary,
  descriptor: number,
  buffer: Uint8Array,
): Result<NetlinkReceived> {
  const sender = new Uint8Array(ADDRESS_BYTES);
  const senderBytes = new Uint8Array(Uint32Array.of(ADDRESS_BYTES).buffer);
  const flags = MSG_DONTWAIT | MSG_TRUNC;
  const length = library.receive(descriptor, buffer, buffer.length, flags, sender, senderBytes);
  if (length < 0) {
    const errno = library.errno();
    if (errno === ENOBUFS) return ok({ kind: "overrun" });
    if (errno === EAGAIN || errno === EINTR) return ok({ kind: "nothing" });
    return problemOfErrno(errno, "netlink", "recvfrom");
  }
  // Port 0 is the kernel; a privileged process may send to us, and must not pass for the kernel.
  const senderPort = new DataView(sender.buffer).getUint32(4, isLittleEndian());
  if (senderPort !== 0) return ok({ kind: "nothing" });
  if (length > buffer.length) {
    return fail("too-large", "netlink", `a datagram of ${length} bytes; at most ${buffer.length}`);
  }
  return ok({ kind: "datagram", bytes: buffer.slice(0, length) });
}
