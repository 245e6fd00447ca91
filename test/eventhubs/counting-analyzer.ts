import type { FleetAnalyzer } from "../../src/fleet/analyze/analyzer-factory.ts";
import type { Alert } from "../../src/posture/alerts/finding.ts";

/** A rule of a test: an alert when a device sends more than `most` records within a minute. */
export function countingAnalyzer(most: number, windowMs = 60_000): FleetAnalyzer {
  interface Window {
    readonly device: string;
    readonly startMs: number;
    readonly from: number;
    count: number;
  }
  const windows = new Map<string, Window>();
  let judgedMs = Number.NEGATIVE_INFINITY;
  const counts = { records: 0, events: 0, skipped: {} as Record<string, number> };

  function closeUntil(atMs: number): readonly Alert[] {
    judgedMs = Math.max(judgedMs, atMs);
    const due = [...windows].filter(([, window]) => window.startMs + windowMs <= atMs);
    for (const [key] of due) windows.delete(key);
    return due
      .map(([, window]) => window)
      .filter((window) => window.count > most)
      .sort((a, b) => (`${a.startMs} ${a.device}` < `${b.startMs} ${b.device}` ? -1 : 1))
      .map((window) => alertOf(window, windowMs, most));
  }

  return {
    accept(record) {
      counts.records += 1;
      const device = record.systemProperties["iothub-connection-device-id"];
      const alerts = closeUntil(record.enqueuedAtMs);
      if (record.body === undefined || typeof device !== "string") {
        counts.skipped["malformed"] = (counts.skipped["malformed"] ?? 0) + 1;
        return alerts;
      }
      const startMs = Math.floor(record.enqueuedAtMs / windowMs) * windowMs;
      const key = `${device} ${startMs}`;
      const window = windows.get(key);
      if (window === undefined) {
        windows.set(key, { device, startMs, from: record.sequenceNumber, count: 1 });
      } else window.count += 1;
      counts.events += 1;
      return alerts;
    },
    tick: closeUntil,
    oldestNeeded: () =>
      windows.size === 0 ? undefined : Math.min(...[...windows.values()].map((one) => one.from)),
    counts: () => counts,
    deviceCount: () => new Set([...windows.values()].map((one) => one.device)).size,
    snapshot: () => ({ judgedMs: Number.isFinite(judgedMs) ? judgedMs : null }),
    restore: () => true,
  };
}

function alertOf(
  { device, startMs, count }: { device: string; startMs: number; count: number },
  windowMs: number,
  most: number,
): Alert {
  return {
    id: `${device}@${startMs}`,
    alertType: "IoT_CA_Test",
    ruleType: "Test",
    severity: "Low",
    title: "too many",
    description: "",
    remediation: "",
    group: "default",
    subject: device,
    windowStartMs: startMs,
    windowEndMs: startMs + windowMs,
    count,
    evidence: {
      reason: "too-many",
      minThreshold: 0,
      maxThreshold: most,
      spreadCount: 0,
      isWatchComplete: true,
      samples: [],
    },
  };
}

/** The same without the judgement of silence: windows stay open until a later event closes them. */
export function withoutEnd(most = 2): FleetAnalyzer {
  return { ...countingAnalyzer(most), tick: () => [] };
}

/** The same, but the first judgement of silence closes nothing. */
export function afterTheFirst(most = 2): FleetAnalyzer {
  const analyzer = countingAnalyzer(most);
  let ticks = 0;
  return {
    ...analyzer,
    tick(atMs) {
      ticks += 1;
      return ticks === 1 ? [] : analyzer.tick(atMs);
    },
  };
}
