import { DEFAULT_SETTINGS } from "../src/contract/settings.ts";
import { replayDay } from "../test/pipeline/day-replay.ts";
import { calmDay, SNAPSHOT_DRAFTS, syntheticDay } from "../test/pipeline/synthetic-day.ts";
import type { Benchmark, Figure } from "./benchmark.ts";
import { absolute } from "./figures.ts";
import { loadGatewayDay } from "./trace/gateway-day.ts";

/** How well messages fill the hub's metering units. */
export const packing: Benchmark = {
  name: "packing",
  question: "How full are the messages of a day, with default settings?",
  hasChecks: true,
  async run() {
    const days = [
      { name: "recorded gateway day", trace: loadGatewayDay() },
      { name: "busy day with logins (synthetic)", trace: syntheticDay() },
      { name: "calm day with logins (synthetic)", trace: calmDay() },
    ];
    const figures: Figure[] = [];
    for (const { name, trace } of days) {
      const day = await replayDay(trace, DEFAULT_SETTINGS, { snapshotDrafts: SNAPSHOT_DRAFTS });
      const command = `replayDay of ${trace.length} occurrences, one simulated day`;
      const cell = (row: string) => ({ row, column: name });
      const share = (row: string, value: number) => ({
        ...absolute({
          ...{ name: `${name}: ${row}`, unit: "%", values: [value * 100], command },
          ...{ better: "higher", cell: cell(row), isChecked: true },
        }),
        kind: "ratio" as const,
      });
      const count = (row: string, unit: "per day" | "bytes per day", value: number) =>
        absolute({ name: `${name}: ${row}`, unit, values: [value], command, cell: cell(row) });
      figures.push(
        share("messages from 4 KB on", day.shareAtLeast4Kb),
        share("fill ratio of metered bytes", day.fillRatio),
        count("messages", "per day", day.messages),
        count("metered units", "per day", day.units),
        count("bytes", "bytes per day", day.bytes),
      );
    }
    return figures;
  },
};
