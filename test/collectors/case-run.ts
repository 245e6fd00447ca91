/** Runs collectors on the captured roots of their case folders, as the golden and contract tests need. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { COLLECTORS } from "../../collectors/index.ts";
import type { AgentFacts } from "../../src/contract/agent-facts.ts";
import type { Collector, CollectorContext, Snapshot } from "../../src/contract/collector.ts";
import type { Probe } from "../../src/contract/probe.ts";
import { fail, type Result } from "../../src/contract/result.ts";
import { describeFault, type Fault } from "../../src/contract/schema.ts";
import { createSecretMask } from "../../src/parse/mask-secrets.ts";
import { capturedFirewall } from "../../src/system/captured-firewall.ts";
import { createProbe } from "../../src/system/probe.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";

export type SnapshotCollectorInList = Extract<Collector, { mode: "snapshot" }>;

export const PROJECT_ROOT = fileURLToPath(new URL("../..", import.meta.url));

export const SNAPSHOT_COLLECTORS: readonly SnapshotCollectorInList[] = COLLECTORS.flatMap(
  (collector) => (collector.mode === "snapshot" ? [collector] : []),
);

/** One case folder: `root/`, `settings.json`, `expected.json` and, where reads are refused, `denied.json`. */
export interface Case {
  readonly collector: SnapshotCollectorInList;
  readonly name: string;
  readonly folder: string;
}

export function casesOf(collector: SnapshotCollectorInList): readonly Case[] {
  const folder = join(PROJECT_ROOT, "collectors", collector.name, "cases");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => ({ collector, name, folder: join(folder, name) }));
}

/** Cases with these names may report nothing; all others must report at least one payload item. */
export function mayBeEmpty(name: string): boolean {
  return name.startsWith("empty") || name.startsWith("unreadable");
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** What a case yields, as JSON text would carry it. */
export async function runCase(one: Case): Promise<Snapshot> {
  const probe = probeOf(one);
  const settings = settingsOf(one.collector, readJson(join(one.folder, "settings.json")));
  const snapshot = await one.collector.collect(contextOf(probe, settings));
  return JSON.parse(JSON.stringify(snapshot)) as Snapshot;
}

export function expectedPath(one: Case): string {
  return join(one.folder, "expected.json");
}

/** The probe of a case: its captured root, with the refusals of `denied.json`. */
export function probeOf(one: Case): Probe {
  const probe = createProbe({ root: join(one.folder, "root") });
  const deniedFile = join(one.folder, "denied.json");
  if (!existsSync(deniedFile)) return probe;
  return withDenied(probe, readJson(deniedFile) as readonly string[]);
}

/**
 * The same probe as a user without privileges sees it: paths at or below the given ones (`*` and
 * `[0-9]*` stand for one part) answer not-permitted. File modes cannot say this: git does not keep
 * them, and root ignores them.
 */
export function withDenied(probe: Probe, denied: readonly string[]): Probe {
  const patterns = denied.map((path) => {
    const escaped = path.replace(/[.+?^${}()|\\]/g, "\\$&");
    return new RegExp(`^${escaped.replaceAll("[0-9]*", "[0-9]+").replaceAll("*", "[^/]*")}(?:/|$)`);
  });
  function guarded<A extends readonly unknown[], T>(
    read: (path: string, ...rest: A) => Result<T>,
  ): (path: string, ...rest: A) => Result<T> {
    return (path, ...rest) =>
      patterns.some((pattern) => pattern.test(path))
        ? fail("not-permitted", path, "permission denied")
        : read(path, ...rest);
  }
  const isTableDenied = patterns.some((pattern) => pattern.test("/proc/net/tcp"));
  const readText = guarded(probe.readText);
  const listFolder = guarded(probe.listFolder);
  return {
    ...probe,
    readText,
    readBytes: guarded(probe.readBytes),
    readLink: guarded(probe.readLink),
    listFolder,
    facts: guarded(probe.facts),
    firewall: () => capturedFirewall(readText, listFolder),
    listeningSockets: () =>
      isTableDenied
        ? fail("not-permitted", "/proc/net/tcp", "permission denied")
        : probe.listeningSockets(),
  };
}

/** Counts the calls that reach the machine. */
export function countingProbe(probe: Probe): { readonly probe: Probe; calls(): number } {
  let calls = 0;
  function counted<A extends readonly unknown[], T>(call: (...args: A) => T): (...args: A) => T {
    return (...args) => {
      calls += 1;
      return call(...args);
    };
  }
  return {
    calls: () => calls,
    probe: {
      ...probe,
      readText: counted(probe.readText),
      readBytes: counted(probe.readBytes),
      readLink: counted(probe.readLink),
      listFolder: counted(probe.listFolder),
      facts: counted(probe.facts),
      listeningSockets: counted(probe.listeningSockets),
      firewall: counted(probe.firewall),
      kernel: counted(probe.kernel),
    },
  };
}

export function settingsOf(collector: Collector, input: unknown): unknown {
  const faults: Fault[] = [];
  const settings = collector.settings.read(input, faults);
  if (faults.length > 0) throw new Error(faults.map(describeFault).join("; "));
  return settings;
}

const agentFacts: AgentFacts = {
  processId: 4711,
  takeMessageCounts: () => ({ messagesSent: 12, messagesUnder4Kb: 1, totalFailed: 2 }),
  takeQueueCounts: () => [
    { queue: "High", collectedEvents: 10, droppedEvents: 0, droppedByName: {}, lost: {} },
    {
      queue: "Low",
      collectedEvents: 40,
      droppedEvents: 2,
      droppedByName: { ProcessCreate: 2 },
      lost: {},
    },
  ],
  countLoss: () => undefined,
  onConfigurationFinding: () => () => undefined,
  onDiagnostic: () => () => undefined,
};

export interface ContextOptions {
  readonly signal?: AbortSignal;
  readonly onPause?: () => void;
}

/** A context with a clock that stands at noon on 15 January 2026, UTC. */
export function contextOf(
  probe: Probe,
  settings: unknown,
  options: ContextOptions = {},
): CollectorContext<unknown> {
  return {
    settings,
    probe,
    clock: new FakeClock(),
    log: new RecordingLog(),
    signal: options.signal ?? new AbortController().signal,
    cursor: { read: () => undefined, write: () => undefined },
    agent: agentFacts,
    mask: createSecretMask([]),
    pause: async () => options.onPause?.(),
  };
}
