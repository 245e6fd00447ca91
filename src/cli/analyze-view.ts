import type { LogFields } from "../contract/log.ts";
import type { AnalyzeStatistics } from "../fleet/analyze/analyze.ts";
import { memory } from "../system/environment.ts";

/** The statistics as fields of a log line. */
export function statisticsFields(statistics: AnalyzeStatistics): LogFields {
  const { readBySource, skipped, enqueuedAtMs, ...counts } = statistics;
  const { residentBytes, heapUsedBytes } = memory();
  const reasons = Object.entries(skipped).map(([reason, count]) => `${reason} ${count}`);
  return {
    ...counts,
    readLogs: readBySource.logs,
    readUpTo: enqueuedAtMs === undefined ? undefined : new Date(enqueuedAtMs).toISOString(),
    skipped: reasons.length === 0 ? undefined : reasons.join(", "),
    residentMegabytes: Math.round(residentBytes / 1e6),
    heapMegabytes: Math.round(heapUsedBytes / 1e5) / 10,
  };
}

/** One line for a person who watches. */
export function statisticsLine(statistics: AnalyzeStatistics): string {
  const { partitions, read, devices, delivered, retries, enqueuedAtMs } = statistics;
  const upTo = enqueuedAtMs === undefined ? "" : ` up to ${new Date(enqueuedAtMs).toISOString()}`;
  const waits = retries === 0 ? "" : `, ${retries} retries`;
  return `${partitions} partitions, ${read} events read${upTo}, ${devices} devices in open windows, ${delivered} alerts delivered${waits}`;
}
