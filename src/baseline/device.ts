import type { Firewall } from "../contract/firewall.ts";
import type { FileFacts, Probe, SocketList } from "../contract/probe.ts";
import { type Fact, factOf, MISSING, unreadableFact, valueFact } from "./fact.ts";
import type { WalkReport } from "./walk-report.ts";

/** Largest configuration file that is read, bytes: the status file of dpkg is the long one. */
const MAX_TEXT_BYTES = 33_554_432;

/** What was learnt before the rules are judged, because it takes time to learn. */
export interface DeviceExtras {
  /** Absent: no walk was made. */
  readonly walk?: Fact<WalkReport>;
  /** Absent: nobody asked for the rule sets. */
  readonly firewall?: Fact<Firewall>;
}

/** The device as rules see it: each file is read once, when the first rule asks for it. */
export interface Device {
  /** Wall clock ms, for dates in files. */
  readonly nowMs: number;
  /** Whether the root is the running system: only then do /proc and /sys speak of it. */
  readonly isLive: boolean;
  /** Text of a file. A file with NUL bytes is no text and unreadable. */
  text(path: string): Fact<string>;
  facts(path: string): Fact<FileFacts>;
  /** As `facts`, of the link itself. */
  linkFacts(path: string): Fact<FileFacts>;
  link(path: string): Fact<string>;
  folder(path: string): Fact<readonly string[]>;
  sockets(): Fact<SocketList>;
  readonly walk: Fact<WalkReport>;
  readonly firewall: Fact<Firewall>;
}

function cached<T>(read: (path: string) => Fact<T>): (path: string) => Fact<T> {
  const known = new Map<string, Fact<T>>();
  return (path) => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const fact = read(path);
    known.set(path, fact);
    return fact;
  };
}

/**
 * A device over a Probe. Creating it reads nothing. Of a root that does not run, /proc and /sys are
 * missing: what is mounted there speaks of the machine that looks, not of the device.
 */
export function createDevice(probe: Probe, nowMs: number, extras: DeviceExtras = {}): Device {
  let sockets: Fact<SocketList> | undefined;
  const own = <T>(read: (path: string) => Fact<T>) =>
    cached((path) =>
      probe.isLive || !/^\/(?:proc|sys)(?:\/|$)/.test(path) ? read(path) : MISSING,
    );
  return {
    nowMs,
    isLive: probe.isLive,
    text: own((path) => textOf(probe, path)),
    facts: own((path) => factOf(probe.facts(path))),
    linkFacts: own((path) => factOf(probe.facts(path, false))),
    link: own((path) => factOf(probe.readLink(path))),
    folder: own((path) => factOf(probe.listFolder(path))),
    sockets() {
      sockets ??= factOf(probe.listeningSockets());
      return sockets;
    },
    walk: extras.walk ?? MISSING,
    firewall: extras.firewall ?? MISSING,
  };
}

function textOf(probe: Probe, path: string): Fact<string> {
  const read = factOf(probe.readText(path, MAX_TEXT_BYTES));
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
