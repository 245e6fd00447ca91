import { lstatSync, opendirSync, readlinkSync, type Stats, statSync } from "node:fs";
import { endianness, hostname, machine, release, type, version } from "node:os";
import { resolve } from "node:path";
import type { FirewallReading, FirewallSource } from "../contract/firewall-source.ts";
import type { Log } from "../contract/log.ts";
import type { FileFacts, KernelFacts, Probe, SocketList } from "../contract/probe.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { createBoundedReader } from "./bounded-read.ts";
import { type CLibrary, loadCLibrary } from "./c-library.ts";
import { capturedFirewall } from "./captured-firewall.ts";
import { systemClock } from "./clock.ts";
import { createFirewallSource } from "./firewall-source.ts";
import { watchFolder } from "./folder-watch.ts";
import { followJournal } from "./journal.ts";
import { type JournalLibrary, loadJournalLibrary } from "./journal-library.ts";
import { listenToKernel } from "./kernel-streams.ts";
import { createNetlink, type Netlink } from "./netlink.ts";
import { readProcess } from "./process-facts.ts";
import { createReadiness, type Readiness } from "./readiness.ts";
import { resolveBelow, resolveLive } from "./rooted-path.ts";
import { sha256OfFile } from "./sha256-of-file.ts";
import { type SocketKind, socketsFromKernel, socketsFromTables } from "./sockets.ts";
import { problemOf } from "./system-problem.ts";

const DEFAULT_MAX_BYTES = 1_048_576;
const MOST_NAMES = 100_000;
/** A table line is about 150 bytes: space for 100,000 sockets. */
const MAX_TABLE_BYTES = 16_777_216;

const NOT_LIVE = "only the running system can be listened to";

export interface ProbeOptions {
  /** `/` for the live device, or the folder of a captured root. */
  readonly root: string;
  readonly log?: Log;
  /**
   * Where listening sockets come from on a live device: `auto` asks the kernel and falls back to
   * /proc/net for good when it cannot; `proc_net` never loads the native library.
   */
  readonly socketSource?: "auto" | "proc_net";
}

/** The Probe of this machine or of a captured root. Creating it touches nothing. */
export function createProbe(options: ProbeOptions): Probe {
  const root = resolve(options.root);
  const isLive = root === "/";
  const resolvePath = isLive ? resolveLive : resolveBelow(root);
  const reader = createBoundedReader();
  // A byte order mark is content: a parser that expects none should see it.
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

  function readBytes(path: string, maxBytes = DEFAULT_MAX_BYTES): Result<Uint8Array> {
    const resolved = resolvePath(path, true);
    if (!resolved.ok) return resolved;
    const read = reader.read(resolved.value, maxBytes, path);
    return read.ok ? ok(read.value.bytes) : read;
  }

  function readText(path: string, maxBytes = DEFAULT_MAX_BYTES): Result<string> {
    const read = readBytes(path, maxBytes);
    return read.ok ? ok(utf8.decode(read.value)) : read;
  }

  /** Runs a system call on a path; what it throws is a fact about the device, so a problem. */
  function attempt<T>(path: string, isFollowed: boolean, call: (real: string) => T): Result<T> {
    const resolved = resolvePath(path, isFollowed);
    if (!resolved.ok) return resolved;
    try {
      return ok(call(resolved.value));
    } catch (error) {
      return problemOf(error, path);
    }
  }

  function readStart(path: string, maxBytes: number): Result<Uint8Array> {
    const resolved = resolvePath(path, true);
    return resolved.ok ? reader.readStart(resolved.value, maxBytes, path) : resolved;
  }

  function readLink(path: string): Result<string> {
    return attempt(path, false, (real) => readlinkSync(real));
  }

  function exists(path: string): boolean {
    const resolved = resolvePath(path, true);
    // Not access(2), which asks without the capabilities that show other users' processes.
    return resolved.ok && lstatSync(resolved.value, { throwIfNoEntry: false }) !== undefined;
  }

  const machine = createMachine();
  const readSockets = createSocketReader({ options, isLive, readText, netlink: machine.netlink });

  function listFolder(path: string): Result<readonly string[]> {
    const names = attempt(path, true, namesIn);
    if (!names.ok || names.value.length <= MOST_NAMES) return names;
    return fail("too-large", path, `more than ${MOST_NAMES} names`);
  }

  let lastFirewall: FirewallReading | undefined;

  function remembered(source: FirewallSource): FirewallSource {
    return {
      ...source,
      async read(signal) {
        const reading = await source.read(signal);
        if (!signal.aborted) lastFirewall = reading;
        return reading;
      },
      last: () => lastFirewall,
    };
  }

  return {
    root,
    isLive,
    endianness: endianness(),
    // Source: Node's documentation of process.hrtime; libuv takes CLOCK_MONOTONIC.
    kernelClockMs: () => Number(process.hrtime.bigint() / 1_000n) / 1_000,
    readText,
    readBytes,
    readFrom(path, offset, maxBytes) {
      const resolved = resolvePath(path, true);
      if (!resolved.ok) return resolved;
      const read = reader.readFrom(resolved.value, offset, maxBytes, path);
      if (!read.ok) return read;
      const { bytes, stats } = read.value;
      return ok({ bytes, sizeBytes: stats.size, inode: stats.ino, deviceId: stats.dev });
    },
    readLink,
    listFolder,
    facts: (path, follow = true) =>
      attempt(path, follow, (real) => factsOf(follow ? statSync(real) : lstatSync(real))),
    listeningSockets: () => readSockets("listening"),
    connectedSockets: () => readSockets("connected"),
    firewall: () =>
      isLive
        ? remembered(createFirewallSource({ readText, ...machine, clock: systemClock }))
        : capturedFirewall(readText, listFolder),
    watchFolder(path, names, onChange) {
      if (!isLive) return fail("unsupported", path, NOT_LIVE);
      const resolved = resolvePath(path, true);
      return resolved.ok ? watchFolder(resolved.value, names, onChange, systemClock) : resolved;
    },
    async sha256(path, maxBytes, signal) {
      const resolved = resolvePath(path, true);
      return resolved.ok ? sha256OfFile(resolved.value, maxBytes, signal, path) : resolved;
    },
    process: (processId) => readProcess({ readStart, readLink, exists }, processId),
    listen: (stream, listener) => {
      const netlink = isLive ? machine.netlink() : fail("unsupported", stream, NOT_LIVE);
      return netlink.ok ? listenToKernel(netlink.value, readText, stream, listener) : netlink;
    },
    followJournal: (query, listener) =>
      isLive
        ? followJournal(
            { library: machine.journal, readiness: machine.readiness, clock: systemClock },
            query,
            listener,
          )
        : fail("unsupported", "journal", NOT_LIVE),
    kernel: () => (isLive ? ok(liveKernel()) : capturedKernel(readText)),
  };
}

/** Names in a folder, sorted by code unit; one more than the limit when there are too many. */
function namesIn(folder: string): readonly string[] {
  const handle = opendirSync(folder, { bufferSize: 256 });
  try {
    const names: string[] = [];
    for (let entry = handle.readSync(); entry !== null; entry = handle.readSync()) {
      names.push(entry.name);
      if (names.length > MOST_NAMES) break;
    }
    return names.sort();
  } finally {
    handle.closeSync();
  }
}

function factsOf(stats: Stats): FileFacts {
  return {
    kind: kindOf(stats),
    mode: stats.mode & 0o7777,
    userId: stats.uid,
    groupId: stats.gid,
    sizeBytes: stats.size,
    modifiedMs: stats.mtimeMs,
    inode: stats.ino,
    deviceId: stats.dev,
  };
}

function kindOf(stats: Stats): FileFacts["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  if (stats.isSymbolicLink()) return "link";
  if (stats.isCharacterDevice() || stats.isBlockDevice()) return "device";
  if (stats.isSocket()) return "socket";
  return stats.isFIFO() ? "pipe" : "other";
}

type ReadText = (path: string, maxBytes?: number) => Result<string>;

/**
 * The native libraries, loaded at the first question: idle collectors must not pay their memory. All
 * that waits shares one readiness, and so one thread.
 */
function createMachine(): {
  library(): Result<CLibrary>;
  readiness(): Result<Readiness>;
  netlink(): Result<Netlink>;
  journal(): Result<JournalLibrary>;
} {
  const library = once(loadCLibrary);
  const readiness = once<Readiness>(() => {
    const loaded = library();
    return loaded.ok ? ok(createReadiness(loaded.value)) : loaded;
  });
  const netlink = once<Netlink>(() => {
    const loaded = library();
    const waiting = readiness();
    if (!loaded.ok) return loaded;
    return waiting.ok ? ok(createNetlink(loaded.value, waiting.value)) : waiting;
  });
  return { library, readiness, netlink, journal: once(loadJournalLibrary) };
}

/** Keeps the first answer, a failed one as well. */
function once<T>(ask: () => Result<T>): () => Result<T> {
  let answer: Result<T> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}

interface SocketReaderParts {
  readonly options: ProbeOptions;
  readonly isLive: boolean;
  readonly readText: ReadText;
  readonly netlink: () => Result<Netlink>;
}

function createSocketReader(parts: SocketReaderParts): (kind: SocketKind) => Result<SocketList> {
  const { options, isLive, readText } = parts;
  let isKernelAsked = isLive && options.socketSource !== "proc_net";

  function fromKernel(kind: SocketKind): SocketList | undefined {
    const netlink = parts.netlink();
    const list = netlink.ok ? socketsFromKernel(netlink.value, systemClock, kind) : netlink;
    if (list.ok) return list.value;
    const { code, subject, detail } = list.problem;
    // Only what cannot change is given up for good; a dump that went wrong is tried again next time.
    if (code === "unsupported" || code === "not-permitted" || code === "not-found") {
      isKernelAsked = false;
      options.log?.info({ code, subject, detail }, "sock_diag not available, reading proc_net");
    } else {
      options.log?.warn({ code, subject, detail }, "sock_diag failed, reading proc_net");
    }
    return undefined;
  }

  return (kind) => {
    const asked = isKernelAsked ? fromKernel(kind) : undefined;
    if (asked !== undefined) return ok(asked);
    const list = socketsFromTables((file) => readTable(readText, file), kind);
    const problems = list.ok ? (list.value.problems ?? []) : [];
    const [first] = problems;
    if (first !== undefined) {
      const { subject, detail } = first;
      options.log?.warn({ lines: problems.length, subject, detail }, "socket table has bad lines");
    }
    return list;
  };
}

/** /proc/net is a link to self/net; a captured root may have only one of them. */
function readTable(readText: ReadText, file: string): Result<string> {
  const text = readText(`/proc/net/${file}`, MAX_TABLE_BYTES);
  if (text.ok || text.problem.code !== "not-found") return text;
  const own = readText(`/proc/self/net/${file}`, MAX_TABLE_BYTES);
  return own.ok ? own : text;
}

/** uname(2), as Node wraps it. */
function liveKernel(): KernelFacts {
  return {
    sysname: type(),
    release: release(),
    version: version(),
    machine: machine(),
    hostName: hostname(),
  };
}

/** Source: proc_sys_kernel(5). `arch` exists since Linux 6.1; what is not there is the empty text. */
function capturedKernel(readText: ReadText): Result<KernelFacts> {
  const folder = "/proc/sys/kernel";
  const released = readText(`${folder}/osrelease`, 4096);
  const word = (name: string): string => {
    const text = readText(`${folder}/${name}`, 4096);
    return text.ok ? text.value.trim() : "";
  };
  const facts = {
    sysname: word("ostype"),
    release: released.ok ? released.value.trim() : "",
    version: word("version"),
    machine: word("arch"),
    hostName: word("hostname"),
  };
  if (Object.values(facts).some((text) => text !== "") || released.ok) return ok(facts);
  return released;
}
