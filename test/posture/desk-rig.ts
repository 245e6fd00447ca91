import type { TestContext } from "node:test";
import { createPostureDesk, type PostureDesk } from "../../src/agent/posture/posture-desk.ts";
import type { ConfigurationFinding } from "../../src/contract/agent-facts.ts";
import type { Snapshot } from "../../src/contract/collector.ts";
import { EVENT_NAMES, type PayloadItem } from "../../src/contract/event.ts";
import type { ExtensionDraft } from "../../src/contract/extension.ts";
import type { FirewallReading } from "../../src/contract/firewall-source.ts";
import type { JsonValue } from "../../src/contract/json.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../src/contract/settings.ts";
import { createProbe } from "../../src/system/probe.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

export const scratch = scratchFolder("posture");
export const HOUR_MS = 3_600_000;
const NO_RULES: FirewallReading = { texts: [], unknown: [], problems: [] };

export function settingsWith(
  posture: Partial<Settings["posture"]>,
  eventPriority: Partial<Settings["eventPriority"]> = {},
): Settings {
  return {
    ...DEFAULT_SETTINGS,
    posture: { ...DEFAULT_SETTINGS.posture, ...posture },
    eventPriority: { ...DEFAULT_SETTINGS.eventPriority, ...eventPriority },
  };
}

export function socket(address: string, port: number): PayloadItem {
  return {
    Protocol: address.includes(":") ? "tcp6" : "tcp",
    LocalAddress: address,
    LocalPort: String(port),
    RemoteAddress: "0.0.0.0",
    RemotePort: "*",
    ExtraDetails: { Pid: "7", ProcessName: "sshd", Executable: "/usr/sbin/sshd" },
  };
}

export function ports(...payload: readonly PayloadItem[]): Snapshot {
  return { events: [{ name: "ListeningPorts", payload }], problems: [] };
}

export const FIREWALL: Snapshot = {
  events: [{ name: "FirewallConfiguration", payload: [] }],
  problems: [],
};

/** What a device has on disk, in memory; one that refuses keeps the old content. */
export class MemoryDisk {
  readonly files = new Map<string, JsonValue>();
  isFull = false;
  writes = 0;
  readJson(name: string): JsonValue | undefined {
    return this.files.get(name);
  }
  writeJson(name: string, value: JsonValue): void {
    this.writes += 1;
    if (!this.isFull) this.files.set(name, JSON.parse(JSON.stringify(value)));
  }
}

export interface DeskRig {
  readonly desk: PostureDesk;
  readonly clock: FakeClock;
  readonly disk: MemoryDisk;
  readonly drafts: ExtensionDraft[];
  readonly findings: ConfigurationFinding[];
  /** Recommendations as type, former and present state. */
  changes(): readonly string[];
}

/** A desk over a fake clock, a disk in memory and a firewall without rules. */
export function deskRig(
  test: TestContext,
  given: {
    readonly settings?: Settings;
    readonly disk?: MemoryDisk;
    readonly clock?: FakeClock;
    readonly file?: string;
    readonly inTwin?: JsonValue;
  } = {},
): DeskRig {
  const { settings = DEFAULT_SETTINGS, disk = new MemoryDisk(), clock = new FakeClock() } = given;
  const drafts: ExtensionDraft[] = [];
  const findings: ConfigurationFinding[] = [];
  const probe = createProbe({ root: given.file === undefined ? scratch.path : "/" });
  const firewall = { read: async () => NO_RULES, last: () => NO_RULES, watch: () => () => {} };
  const desk = createPostureDesk({
    clock,
    log: new RecordingLog(),
    probe: { ...probe, firewall: () => firewall },
    state: disk,
    settings,
    collected: EVENT_NAMES,
    subject: "device",
    securityGroups: { file: given.file, inConfiguration: undefined },
    remarks: () => [],
    submit: (more) => drafts.push(...more),
    onFinding: (finding) => findings.push(finding),
    onSummary: () => undefined,
  });
  desk.applySettings(settings, given.inTwin);
  desk.start();
  test.after(() => desk.stop());
  const changes = (): readonly string[] =>
    drafts.flatMap((draft) =>
      draft.name === "Recommendation"
        ? [`${draft.item.Type} ${draft.item.PreviousState ?? "-"} ${draft.item.State}`]
        : [],
    );
  return { desk, clock, disk, drafts, findings, changes };
}
