import type { AddressFamily } from "./address-family.ts";
import type { FirewallSource } from "./firewall-source.ts";
import type { JournalListener, JournalQuery } from "./journal.ts";
import type { KernelListening, KernelStream, KernelStreamListener } from "./kernel-stream.ts";
import type { Problem, Result } from "./result.ts";

export type { AddressFamily };

/** What stat(2) says of a path. Times are wall clock ms; `mode` is the permission bits (0o7777). */
export interface FileFacts {
  readonly kind: "file" | "folder" | "link" | "device" | "socket" | "pipe" | "other";
  readonly mode: number;
  readonly userId: number;
  readonly groupId: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly inode: number;
  readonly deviceId: number;
}

/** A part of a file, and which file it is: the name may lead to another one next time. */
export interface FilePart {
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
  readonly inode: number;
  readonly deviceId: number;
}

/** A socket as the kernel describes it. Source: sock_diag(7), struct inet_diag_msg; proc_net(5). */
export interface SocketFacts {
  readonly protocol: "tcp" | "udp";
  readonly family: AddressFamily;
  /** Kernel TCP state number: 10 is LISTEN, 7 is CLOSE (an unconnected UDP socket). Source: tcp_states.h */
  readonly state: number;
  /** Canonical text (RFC 5952 for IPv6), no zone. */
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly userId: number;
  readonly inode: number;
  /** Interface the socket is bound to, 0 for none or where the source cannot tell. */
  readonly interfaceIndex: number;
}

export interface SocketList {
  readonly source: "sock_diag" | "proc_net";
  readonly sockets: readonly SocketFacts[];
  /** Lines of the tables that could not be read; absent when there are none. The list is then partial. */
  readonly problems?: readonly Problem[];
}

/**
 * The machine, as collectors see it: rooted (every path is below `root`), bounded (every read has a
 * byte limit) and read-only. Calls are synchronous: they read kernel memory or small files; a collector
 * that makes many of them calls `context.pause()` between portions.
 */
export interface Probe {
  /** `/` on the live device, or the folder of a captured root. */
  readonly root: string;
  /** True when `root` is the running system, so that kernel interfaces may be asked. */
  readonly isLive: boolean;
  /** Byte order of what kernel streams carry. */
  readonly endianness: "LE" | "BE";
  /** CLOCK_MONOTONIC now, ms: the clock by which the kernel stamps what it tells. */
  kernelClockMs(): number;
  /** File content as UTF-8 (bad bytes become U+FFFD). Default limit 1 MiB; longer is `too-large`. */
  readText(path: string, maxBytes?: number): Result<string>;
  readBytes(path: string, maxBytes?: number): Result<Uint8Array>;
  /** At most `maxBytes` from an offset on, for files that grow; fewer at the end of the file. */
  readFrom(path: string, offset: number, maxBytes: number): Result<FilePart>;
  /** Target of a symbolic link, not resolved. */
  readLink(path: string): Result<string>;
  /** Names in a folder, sorted; at most 100,000. */
  listFolder(path: string): Result<readonly string[]>;
  /** stat(2) of the path; `lstat` when `follow` is false. */
  facts(path: string, follow?: boolean): Result<FileFacts>;
  /**
   * Listening TCP sockets and bound, unconnected UDP sockets of the agent's network namespace, both
   * families: what `ss -lntu` shows. A family the kernel does not have is simply not there.
   */
  listeningSockets(): Result<SocketList>;
  /** The way to the firewall's rule sets. Reading them may run the tools of the firewall. */
  firewall(): FirewallSource;
  /**
   * Every TCP and UDP socket of the agent's network namespace that has a peer, both families: what
   * `ss -ntu` shows, and those that are about to be connected.
   */
  connectedSockets(): Result<SocketList>;
  /**
   * What the kernel tells of a running process, without its descriptors. `not-found` when it is gone; what
   * went away or was refused in the middle is undefined.
   */
  process(processId: number): Result<ProcessFacts>;
  /**
   * Calls back after a file of that name in the folder was changed, replaced, made or removed, once for a
   * burst of changes: when a second or two have been quiet, and after ten at the latest. Returns what ends it; safe to call twice. `unsupported` on
   * captured roots.
   */
  watchFolder(path: string, names: ReadonlySet<string>, onChange: () => void): Result<() => void>;
  /** SHA-256 of a file's content, hexadecimal. Read in portions; longer than `maxBytes` is `too-large`. */
  sha256(path: string, maxBytes: number, signal: AbortSignal): Promise<Result<string>>;
  /**
   * Listens to the kernel. Errors: `not-permitted` without the
   * capability that the stream needs, `unsupported` where the kernel has no such stream, and on captured
   * roots.
   */
  listen(stream: KernelStream, listener: KernelStreamListener): Result<KernelListening>;
  /**
   * Follows the systemd journal. Returns what ends it; safe to call twice. Errors: `not-found` on systems
   * without a journal, `not-permitted`, `unsupported` on captured roots.
   */
  followJournal(query: JournalQuery, listener: JournalListener): Result<() => void>;
  /** What uname(2) says of the running kernel (captured roots: from proc/sys/kernel). */
  kernel(): Result<KernelFacts>;
}

/** A process as /proc/[pid] shows it. Source: proc_pid_status(5), proc_pid_cmdline(5), cgroups(7). */
export interface ProcessFacts {
  readonly processId: number;
  readonly parentProcessId: number | undefined;
  /** Real user id. */
  readonly userId: number | undefined;
  /** At most 15 bytes, any characters. */
  readonly name: string | undefined;
  /** Path of the program; undefined for kernel threads and where it may not be read. */
  readonly executable: string | undefined;
  /** The file behind `executable` has been removed or replaced since. */
  readonly isExecutableDeleted: boolean;
  /** Arguments, the first 4 KiB of them; empty for kernel threads and what has ended. */
  readonly args: readonly string[];
  /** It has ended and is still in the table: its program and arguments are gone. */
  readonly hasEnded: boolean;
  readonly unit: string | undefined;
  readonly userUnit: string | undefined;
  readonly container: { readonly runtime: string; readonly id: string } | undefined;
}

export interface KernelFacts {
  /** `Linux` */
  readonly sysname: string;
  readonly release: string;
  readonly version: string;
  /** As uname -m prints it: `x86_64`, `aarch64`, `armv7l`. */
  readonly machine: string;
  readonly hostName: string;
}
