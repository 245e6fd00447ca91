import type { Firewall } from "../contract/firewall.ts";
import type { FileFacts, FilePart, Probe, SocketList } from "../contract/probe.ts";
import { type Fact, factOf, MISSING, mapFact, unreadableFact, valueFact } from "./fact.ts";
import type { WalkReport } from "./walk-report.ts";

/** Largest configuration file that is read, bytes: the status file of dpkg is the long one. */
const MAX_TEXT_BYTES = 33_554_432;

/** Longest value of the kernel: a page. */
const MAX_KERNEL_VALUE_BYTES = 4096;

/** What was learnt before the rules are judged, because it takes time to learn. */
export interface DeviceExtras {
  /** Absent: no walk was made. */
  readonly walk?: Fact<WalkReport>;
  /** Absent: nobody asked for the rule sets. */
  readonly firewall?: Fact<Firewall>;
}

/**
 * The device as rules see it: each file is read once, when the first rule asks for it. On a root that
 * does not run, /proc and /sys are missing: what is there belongs to the machine that looks at the root.
 */
export interface Device {
  /** Wall clock ms, for dates in files. */
  readonly nowMs: number;
  /** Whether the root is the running system: only then do /proc and /sys speak of it. */
  readonly isLive: boolean;
  /** Text of a file; that of a link to /dev/null is empty. A file with NUL bytes is no text and unreadable. */
  text(path: string): Fact<string>;
  /** A value that the kernel ends with a NUL byte, as in /proc/[pid]/attr: without it. */
  kernelValue(path: string): Fact<string>;
  facts(path: string): Fact<FileFacts>;
  /** As `facts`, of the link itself. */
  linkFacts(path: string): Fact<FileFacts>;
  /** As `facts`, asked again each time: to notice that a file changes while parts of it are read. */
  factsNow(path: string): Fact<FileFacts>;
  /** At most `maxBytes` of a file from an offset on, fewer at its end; not remembered. */
  part(path: string, offset: number, maxBytes: number): Fact<FilePart>;
  link(path: string): Fact<string>;
  folder(path: string): Fact<readonly string[]>;
  /** Missing on a root that does not run. */
  sockets(): Fact<SocketList>;
  readonly walk: Fact<WalkReport>;
  readonly firewall: Fact<Firewall>;
}

/** Paths that the running kernel answers for. Source: proc(5), sysfs(5). */
function isOfKernel(path: string): boolean {
  return /^\/+(?:proc|sys)(?:\/|$)/.test(path);
}

function isOutside(probe: Probe, path: string): boolean {
  return !probe.isLive && isOfKernel(path);
}

function cached<T>(probe: Probe, read: (path: string) => Fact<T>): (path: string) => Fact<T> {
  const known = new Map<string, Fact<T>>();
  return (path) => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const fact = isOutside(probe, path) ? MISSING : read(path);
    known.set(path, fact);
    return fact;
  };
}

/** A device over a Probe. Creating it reads nothing. */
export function createDevice(probe: Probe, nowMs: number, extras: DeviceExtras = {}): Device {
  let sockets: Fact<SocketList> | undefined;
  return {
    nowMs,
    isLive: probe.isLive,
    text: cached(probe, (path) => textOf(probe, path)),
    kernelValue: cached(probe, (path) =>
      mapFact(factOf(probe.readText(path, MAX_KERNEL_VALUE_BYTES)), (value) =>
        value.replace(/[\0\n]+$/, ""),
      ),
    ),
    facts: cached(probe, (path) => factOf(probe.facts(path))),
    linkFacts: cached(probe, (path) => factOf(probe.facts(path, false))),
    factsNow: (path) => (isOutside(probe, path) ? MISSING : factOf(probe.facts(path))),
    part: (path, offset, maxBytes) =>
      isOutside(probe, path) ? MISSING : factOf(probe.readFrom(path, offset, maxBytes)),
    link: cached(probe, (path) => factOf(probe.readLink(path))),
    folder: cached(probe, (path) => factOf(probe.listFolder(path))),
    sockets() {
      sockets ??= probe.isLive ? factOf(probe.listeningSockets()) : MISSING;
      return sockets;
    },
    walk: extras.walk ?? MISSING,
    firewall: extras.firewall ?? MISSING,
  };
}

/** A file that an administrator switched off. Source: systemd.unit(5), sysctl.d(5), modprobe.d(5). */
function isSwitchedOff(probe: Probe, path: string): boolean {
  const target = probe.readLink(path);
  return target.ok && target.value === "/dev/null";
}

function textOf(probe: Probe, path: string): Fact<string> {
  const read = factOf(probe.readText(path, MAX_TEXT_BYTES));
  if (read.state === "unreadable" && isSwitchedOff(probe, path)) return valueFact("");
  if (read.state !== "value") return read;
  if (read.value.includes("\0"))
    return unreadableFact(`${path}: contains NUL bytes, so it is no text`);
  return valueFact(read.value.startsWith("\ufeff") ? read.value.slice(1) : read.value);
}

/** Remembers what a function makes of a device, so that rules share it. */
export function oncePerDevice<T>(compute: (device: Device) => T): (device: Device) => T {
  const known = new WeakMap<Device, { readonly value: T }>();
  return (device) => {
    const before = known.get(device);
    if (before !== undefined) return before.value;
    const value = compute(device);
    known.set(device, { value });
    return value;
  };
}
