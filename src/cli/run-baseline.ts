import { createDevice, type DeviceExtras } from "../baseline/device.ts";
import { unreadableFact, valueFact } from "../baseline/fact.ts";
import { createPacer } from "../baseline/pacer.ts";
import type { Rule } from "../baseline/rule.ts";
import { type ScanReport, scanDevice } from "../baseline/scan.ts";
import { FULL_SELECTION } from "../baseline/selection.ts";
import { walkFileSystems } from "../baseline/walk.ts";
import type { WalkReport } from "../baseline/walk-report.ts";
import type { Probe } from "../contract/probe.ts";
import type { Result } from "../contract/result.ts";
import { systemClock } from "../system/clock.ts";
import { checksBar, createProgressLine } from "./progress-line.ts";
import type { Terminal } from "./terminal.ts";

export interface BaselineRun {
  readonly probe: Probe;
  readonly rules: readonly Rule[];
  /** Only these checks; absent: all. */
  readonly only?: readonly string[];
  /** Look at every file of the local file systems first. */
  readonly isWalkOn: boolean;
  /** The firewall, where it was read. */
  readonly firewall: Pick<DeviceExtras, "firewall">;
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
}

export interface JudgedBaseline {
  readonly report: ScanReport;
  /** Undefined without a walk, and where it failed. */
  readonly walk: WalkReport | undefined;
}

/** Judges rules for a person who waits: at full speed, with a line that says how far it is. */
export async function runBaseline(run: BaselineRun): Promise<JudgedBaseline> {
  const { probe, rules, only, isWalkOn, signal, terminal } = run;
  // A person is waiting: only turns are given, no rests.
  const pause = (): Promise<void> => systemClock.sleep(0);
  const pacer = createPacer({ clock: systemClock, pause, signal, budget: { cpuShare: 1 } });
  const nowMs = systemClock.nowMs();
  const show = createProgressLine(terminal);
  const walked = isWalkOn
    ? await walkFileSystems({
        probe,
        device: createDevice(probe, nowMs),
        nowMs: () => systemClock.nowMs(),
        pacer,
        signal,
        onProgress: (entries) => show(`walking: ${entries} files and folders`),
      })
    : undefined;
  const report = await scanDevice({
    rules,
    device: createDevice(probe, nowMs, { ...walkExtras(walked), ...run.firewall }),
    selection: { ...FULL_SELECTION, isWalkOn, ...(only === undefined ? {} : { only }) },
    pacer,
    signal,
    onProgress: (done, total) => show(checksBar(done, total)),
  });
  terminal.status("");
  return { report, walk: walked?.ok === true ? walked.value : undefined };
}

function walkExtras(walked: Result<WalkReport> | undefined): DeviceExtras {
  if (walked === undefined) return {};
  if (walked.ok) return { walk: valueFact(walked.value) };
  return { walk: unreadableFact(`${walked.problem.subject}: ${walked.problem.detail}`) };
}
