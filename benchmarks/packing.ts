import { DEFAULT_SETTINGS } from "../src/contract/settings.ts";
import { replayDay } from "../test/pipeline/day-replay.ts";
import { calmDay, SNAPSHOT_DRAFTS, syntheticDay } from "../test/pipeline/synthetic-day.ts";
import type { Benchmark, Figure } from "./benchmark.ts";
import { loadGatewayDay } from "./trace/gateway-day.ts";

/** How well messages fill the hub's metering units. */
export const packing: Benchmark = {
  name: "packing",
  question: "How full are the messages of a day, with default settings?",
  async run() {
    const days = [
      { name: "recorded gateway day", trace: loadGatewayDay() },
      { name: "busy day with logins (synthetic)", trace: syntheticDay() },
      { name: "calm day with logins (synthetic)", trace: calmDay() },
    ];
    const figures: Figure[] = [];
    for (const { name, trace } of days) {
      const day = await replayDay(trace, DEFAULT_SETTINGS, { snapshotDrafts: SNAPSHOT_DRAFTS });
      const how = `${trace.length} occurrences, one simulated day`;
      figures.push(
        { what: `${name}: messages, units`, value: `${day.messages}, ${day.units}`, how },
        { what: `${name}: from 4 KB on`, value: percent(day.shareAtLeast4Kb), how },
        { what: `${name}: fill ratio`, value: percent(day.fillRatio), how },
        { what: `${name}: bytes`, value: String(day.bytes), how },
      );
    }
    return figures;
  },
};

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
