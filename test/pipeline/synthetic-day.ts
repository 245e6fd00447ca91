import type { EventDraft } from "../../src/contract/event.ts";
import type { TraceEntry } from "./day-replay.ts";

const DAY_MS = 24 * 3_600_000;
const PROGRAMS = 120;

/** A small generator with a fixed seed: the day is the same on every run. Source: mulberry32. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A made-up gateway day: 3,000 process starts, 400 connections, 25 logins and a burst of 30 at night. */
export function syntheticDay(seed = 1): readonly TraceEntry[] {
  const next = chance(seed);
  const any = (count: number): number => Math.floor(next() * count);
  const entries: TraceEntry[] = [];
  const at = (atMs: number, draft: EventDraft): void => {
    entries.push({ atMs: Math.floor(atMs), draft });
  };
  for (let count = 0; count < 3_000; count += 1)
    at(next() * DAY_MS, processStart(any(PROGRAMS), count));
  for (let count = 0; count < 400; count += 1) at(next() * DAY_MS, connection(any(60), count));
  for (let count = 0; count < 25; count += 1) at(next() * DAY_MS, login(count));
  const burstMs = 3 * 3_600_000;
  for (let count = 0; count < 30; count += 1) at(burstMs + count * 4_000, login(100 + count));
  return entries.sort((a, b) => a.atMs - b.atMs);
}

/** A calm gateway: a few programs that a timer starts, few logins. */
export function calmDay(seed = 1): readonly TraceEntry[] {
  const next = chance(seed);
  const entries: TraceEntry[] = [];
  for (let count = 0; count < 600; count += 1) {
    const atMs = Math.floor(next() * DAY_MS);
    entries.push({ atMs, draft: processStart(Math.floor(next() * 12), count) });
  }
  for (let count = 0; count < 4; count += 1) {
    entries.push({ atMs: Math.floor(next() * DAY_MS), draft: login(count) });
  }
  return entries.sort((a, b) => a.atMs - b.atMs);
}

function processStart(program: number, count: number): EventDraft {
  const options = "--interval 30 --target sensor ".repeat(program % 4);
  return {
    name: "ProcessCreate",
    payload: [
      {
        Executable: `/usr/bin/tool-${program}`,
        ProcessId: 1_000 + count,
        ParentProcessId: 1,
        UserName: program % 3 === 0 ? "root" : "edge",
        UserId: program % 3 === 0 ? "0" : "1000",
        CommandLine: `/usr/bin/tool-${program} --config /etc/tool-${program}.conf ${options}`,
        ExtraDetails: { Unit: `tool-${program}.service`, Source: "proc-connector" },
      },
    ],
  };
}

function connection(peer: number, count: number): EventDraft {
  return {
    name: "ConnectionCreate",
    payload: [
      {
        Direction: peer % 2 === 0 ? "Out" : "In",
        Protocol: "tcp",
        LocalAddress: "192.168.1.10",
        LocalPort: String(30_000 + count),
        RemoteAddress: `10.0.${peer % 4}.${peer}`,
        RemotePort: peer % 2 === 0 ? "443" : "8883",
        Executable: `/usr/bin/tool-${peer}`,
        CommandLine: `/usr/bin/tool-${peer} --serve`,
        ProcessId: 1_000 + count,
        UserId: "1000",
      },
    ],
  };
}

function login(count: number): EventDraft {
  return {
    name: "Login",
    payload: [
      {
        ProcessId: 4_000 + count,
        UserId: "1000",
        UserName: `operator-${count % 5}`,
        Executable: "/usr/sbin/sshd",
        Result: count % 4 === 0 ? "Fail" : "Success",
        RemoteAddress: `203.0.113.${count}`,
        Operation: "Login",
        ExtraDetails: { Source: "auth.log" },
      },
    ],
  };
}

const ports = Array.from({ length: 22 }, (_, at) => ({
  Protocol: at % 2 === 0 ? "tcp" : "udp",
  LocalAddress: "0.0.0.0",
  LocalPort: String(1_000 + at * 37),
  RemoteAddress: "*",
  RemotePort: "*",
  ExtraDetails: { Executable: `/usr/bin/tool-${at}`, UserName: "edge" },
}));

const users = Array.from({ length: 31 }, (_, at) => ({
  UserName: `user-${at}`,
  UserId: String(at),
  GroupNames: `user-${at};staff`,
  GroupIds: `${at};50`,
}));

const devices = Array.from({ length: 14 }, (_, at) => ({
  ConnectedHardware: `usb 1-${at}: Vendor ${at} Product ${at}`,
}));

/** What a snapshot of that gateway reports, statistics about the agent included. */
export const SNAPSHOT_DRAFTS: readonly EventDraft[] = [
  { name: "ListeningPorts", payload: ports },
  { name: "LocalUsers", payload: users },
  { name: "ConnectedHardware", payload: devices },
  {
    name: "SystemInformation",
    payload: [
      {
        OSName: "Debian GNU/Linux",
        OSVersion: "12 (bookworm)",
        OsArchitecture: "x86_64",
        HostName: "gateway-1",
        TotalPhysicalMemoryInKB: 4_048_000,
        FreePhysicalMemoryInKB: 1_024_000,
        BIOSVersion: "1.2.3",
      },
    ],
  },
  {
    name: "MessageStatistics",
    payload: [{ MessagesSent: 20, MessagesUnder4KB: 0, TotalFailed: 0 }],
  },
  {
    name: "DroppedEventsStatistics",
    payload: [
      { Queue: "High", CollectedEvents: 40, DroppedEvents: 0 },
      { Queue: "Low", CollectedEvents: 900, DroppedEvents: 0 },
    ],
  },
];

const findings = Array.from({ length: 60 }, (_, at) => ({
  CceId: `CCE-${at}`,
  Description: `Ensure that file ${at} is configured as the baseline asks for`,
  Result: "Fail",
  Severity: "Important",
  Error: "expected 1, found 0",
  ExtraDetails: { Evidence: `/etc/sysctl.d/${at}.conf line 12`, Source: "file" },
}));

const rules = Array.from({ length: 40 }, (_, at) => ({
  Enabled: true,
  Action: "Allow",
  Direction: "In",
  ChainName: "INPUT",
  Priority: at,
  DestinationPort: String(8_000 + at),
  Protocol: "tcp",
  ExtraDetails: { Table: "filter", Family: "inet" },
}));

/** Snapshot events of several units each, which wait in front of many small ones. */
export const LARGE_DRAFTS: readonly EventDraft[] = [
  { name: "FirewallConfiguration", payload: rules },
  { name: "OSBaseline", payload: findings },
];
