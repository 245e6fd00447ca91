import { createRequire } from "node:module";
import { endianness } from "node:os";
import { dirname, join } from "node:path";
import { describeError } from "../contract/errors.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { environment } from "./environment.ts";
import { problemOfErrno } from "./system-problem.ts";

/** Netlink families by number. Source: linux/netlink.h. */
export const NETLINK_PROTOCOLS = { sockDiag: 4 } as const;

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 0o2000003;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;
const POLLIN = 0x1;
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
  /** Safe to call twice. */
  close(): void;
}

/** The way to netlink, once the native library is loaded. */
export interface Netlink {
  /** Opens and binds a socket of a netlink family, listening to the multicast groups of a bit mask. */
  open(protocol: number, groups?: number): Result<NetlinkSocket>;
}

/** The calls of the C library that netlink takes. Negative results leave an errno. */
interface CLibrary {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly bind: (descriptor: number, address: Uint8Array, addressBytes: number) => number;
  readonly send: (d: number, bytes: Uint8Array, length: number, flags: number) => number;
  readonly receive: (
    descriptor: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    sender: Uint8Array,
    senderBytes: Uint8Array,
  ) => number;
  readonly poll: (set: Uint8Array, count: number, timeoutMs: number) => number;
  readonly close: (descriptor: number) => number;
  readonly errno: () => number;
}

/** The part of koffi that is used. Source: koffi.dev, functions and `koffi.errno`. */
interface Koffi {
  load(path: null): {
    func(name: string, result: string, parameters: readonly string[]): CFunction;
  };
  errno(): number;
}
type CFunction = (...values: readonly (number | Uint8Array)[]) => number;

/**
 * Loads koffi and binds the socket calls of the C library that Node itself is linked to, glibc or musl.
 * koffi is looked for where packages are, and in the folders `../lib` and `../lib/node_modules` beside
 * the folder of the running file. Error: `unsupported` when it is nowhere or does not fit the machine.
 * Cost: about 3 MB of memory, so call it when netlink is needed, and keep the result.
 */
export function loadNetlink(): Result<Netlink> {
  const loaded = loadKoffi();
  if (!loaded.ok) return loaded;
  try {
    const library = bindLibrary(loaded.value);
    return ok({ open: (protocol, groups = 0) => openSocket(library, protocol, groups) });
  } catch (error) {
    // A C library without one of the calls: netlink is then not to be had on this machine.
    return fail("unsupported", "netlink", describeError(error));
  }
}

function loadKoffi(): Result<Koffi> {
  // The bundle is CommonJS and knows its own file; sources run as modules, below the started script.
  const ownFile =
    typeof __filename === "string" ? __filename : (environment().scriptPath ?? process.execPath);
  const load = createRequire(ownFile);
  const library = join(dirname(ownFile), "..", "lib");
  let reason = "";
  for (const place of ["koffi", join(library, "koffi"), join(library, "node_modules", "koffi")]) {
    try {
      const koffi: Koffi = load(place);
      return ok(koffi);
    } catch (error) {
      // Absent in this place, or built for another machine: the next place may serve.
      reason ||= describeError(error).replace(/ Require stack:.*/, "");
    }
  }
  return fail("unsupported", "koffi", reason);
}

function bindLibrary(koffi: Koffi): CLibrary {
  const library = koffi.load(null);
  const bytes = "uint8_t *";
  return {
    socket: library.func("socket", "int", ["int", "int", "int"]),
    bind: library.func("bind", "int", ["int", bytes, "uint32_t"]),
    send: library.func("send", "intptr_t", ["int", bytes, "size_t", "int"]),
    receive: library.func("recvfrom", "intptr_t", ["int", bytes, "size_t", "int", bytes, bytes]),
    poll: library.func("poll", "int", [bytes, "unsigned long", "int"]),
    close: library.func("close", "int", ["int"]),
    errno: () => koffi.errno(),
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

function openSocket(library: CLibrary, protocol: number, groups: number): Result<NetlinkSocket> {
  const descriptor = library.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
  if (descriptor < 0) return problemOfErrno(library.errno(), "netlink", "socket");
  const bound = library.bind(descriptor, socketAddress(groups), ADDRESS_BYTES);
  if (bound < 0) {
    const errno = library.errno();
    library.close(descriptor);
    return problemOfErrno(errno, "netlink", "bind");
  }
  return ok(wrapSocket(library, descriptor));
}

function wrapSocket(library: CLibrary, descriptor: number): NetlinkSocket {
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
    close() {
      if (isOpen) library.close(descriptor);
      isOpen = false;
    },
  };
}

/** poll(2) on one descriptor; a signal counts as nothing yet. */
function waitReadable(library: CLibrary, descriptor: number, waitMs: number): Result<boolean> {
  const view = new DataView(new ArrayBuffer(8));
  view.setInt32(0, descriptor, isLittleEndian());
  view.setInt16(4, POLLIN, isLittleEndian());
  const set = new Uint8Array(view.buffer);
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
