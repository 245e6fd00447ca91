import { readlinkSync } from "node:fs";
import { endianness } from "node:os";
import { fail, ok, type Result } from "../contract/result.ts";
import type { CLibrary } from "./c-library.ts";
import { createReadiness, pollSet, type Readiness } from "./readiness.ts";
import { problemOfErrno } from "./system-problem.ts";

/** Netlink families by number. Source: linux/netlink.h. */
export const NETLINK_PROTOCOLS = { sockDiag: 4, audit: 9, connector: 11, netfilter: 12 } as const;

const AF_NETLINK = 16;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
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
  onReadable(callback: () => unknown): () => void;
  /** Inode of the socket, by which /proc/net/netlink knows it; undefined when it is closed. */
  inode(): number | undefined;
  /** Safe to call twice. */
  close(): void;
}

export interface NetlinkOptions {
  /** Multicast groups to listen to, as a bit mask: group 1 is bit 0. */
  readonly groups?: number;
  /** Space for datagrams that wait, bytes as the kernel counts them; beyond it the kernel drops. */
  readonly receiveBufferBytes?: number;
  /** Classic BPF program that decides which datagrams come in. Source: bpf(4), linux/filter.h. */
  readonly filter?: Uint8Array;
}

/** The way to netlink, once the native library is loaded. */
export interface Netlink {
  /** Opens and binds a socket of a netlink family. */
  open(protocol: number, options?: NetlinkOptions): Result<NetlinkSocket>;
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
    open: (protocol, options = {}) => openSocket({ library, readiness }, protocol, options),
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
  options: NetlinkOptions,
): Result<NetlinkSocket> {
  const descriptor = library.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
  if (descriptor < 0) return problemOfErrno(library.errno(), "netlink", "socket");
  const failed = prepare(library, descriptor, options);
  if (failed !== undefined) {
    const errno = library.errno();
    library.close(descriptor);
    return problemOfErrno(errno, "netlink", failed);
  }
  return ok(wrapSocket({ library, readiness }, descriptor));
}

/** The call that failed, leaving its errno. The filter comes first: nothing it refuses gets in. */
function prepare(
  library: CLibrary,
  descriptor: number,
  { groups = 0, receiveBufferBytes, filter }: NetlinkOptions,
): string | undefined {
  if (filter !== undefined && library.attachFilter(descriptor, filter) < 0)
    return "SO_ATTACH_FILTER";
  if (receiveBufferBytes !== undefined) growBuffer(library, descriptor, receiveBufferBytes);
  if (library.bind(descriptor, socketAddress(groups), ADDRESS_BYTES) < 0) return "bind";
  return undefined;
}

/** Beyond net.core.rmem_max only with CAP_NET_ADMIN; less space is no failure. Source: socket(7). */
function growBuffer(library: CLibrary, descriptor: number, wantedBytes: number): void {
  // The kernel doubles the value for its own book-keeping.
  const value = new Uint8Array(Int32Array.of(Math.floor(wantedBytes / 2)).buffer);
  if (library.setOption(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, value, value.length) >= 0) return;
  library.setOption(descriptor, SOL_SOCKET, SO_RCVBUF, value, value.length);
}

function inodeOf(descriptor: number): number | undefined {
  try {
    const digits = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1];
    return digits === undefined ? undefined : Number(digits);
  } catch {
    // Without /proc nobody can ask by inode either.
    return undefined;
  }
}

function wrapSocket({ library, readiness }: Machinery, descriptor: number): NetlinkSocket {
  let stopWatching: (() => void) | undefined;
  const space: ReceiveSpace = {
    datagram: Buffer.allocUnsafeSlow(RECEIVE_BYTES),
    sender: new Uint8Array(ADDRESS_BYTES),
    senderBytes: new Uint8Array(Uint32Array.of(ADDRESS_BYTES).buffer),
  };
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
      return waited.value ? receiveNow(library, descriptor, space) : ok({ kind: "nothing" });
    },
    onReadable(callback) {
      if (!isOpen) return () => undefined;
      stopWatching = readiness.watch(descriptor, callback);
      return stopWatching;
    },
    inode: () => (isOpen ? inodeOf(descriptor) : undefined),
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

/** Space of one socket, used again for every datagram: storms bring thousands a second. */
interface ReceiveSpace {
  readonly datagram: Buffer;
  readonly sender: Uint8Array;
  /** Never changed by the kernel: all addresses of netlink are as long. */
  readonly senderBytes: Uint8Array;
}

function receiveNow(
  library: CLibrary,
  descriptor: number,
  { datagram, sender, senderBytes }: ReceiveSpace,
): Result<NetlinkReceived> {
  const flags = MSG_DONTWAIT | MSG_TRUNC;
  const length = library.receive(descriptor, datagram, datagram.length, flags, sender, senderBytes);
  if (length < 0) {
    const errno = library.errno();
    if (errno === ENOBUFS) return ok({ kind: "overrun" });
    if (errno === EAGAIN || errno === EINTR) return ok({ kind: "nothing" });
    return problemOfErrno(errno, "netlink", "recvfrom");
  }
  // Port 0 is the kernel; a privileged process may send to us, and must not pass for the kernel.
  const senderPort = new DataView(sender.buffer).getUint32(4, isLittleEndian());
  if (senderPort !== 0) return ok({ kind: "nothing" });
  if (length > datagram.length) {
    const detail = `a datagram of ${length} bytes; at most ${datagram.length}`;
    return fail("too-large", "netlink", detail);
  }
  // A copy of Node's pool: an allocation for each small datagram would cost more than reading it.
  return ok({ kind: "datagram", bytes: Buffer.from(datagram.subarray(0, length)) });
}
