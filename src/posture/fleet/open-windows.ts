import { countedWindow, emptyWindow } from "../alerts/count.ts";
import type { Occurrence } from "../alerts/occurrence.ts";
import type { ReadyRule } from "../alerts/ruleset.ts";
import type { OpenWindow } from "../alerts/state.ts";

/** The windows of one rule that have something in them, by start and device. */
export interface OpenWindows {
  /** False when the window has as many devices as it may have. `sequence`: the record to replay from. */
  add(startMs: number, deviceId: string, hits: WindowHits, sequence: number): boolean;
  /** Takes a window out: what each of its devices did. */
  take(startMs: number): ReadonlyMap<string, OpenWindow>;
  starts(): readonly number[];
  oldestStartMs(): number | undefined;
  /** The first record that any of them needs. */
  oldestSequence(): number | undefined;
  devices(): Iterable<string>;
}

/** Hits of an occurrence that fall into one window. */
export interface WindowHits {
  readonly occurrence: Occurrence;
  readonly value: string;
  readonly hits: number;
}

interface Opened {
  readonly firstSequence: number;
  readonly devices: Map<string, OpenWindow>;
}

const NOTHING: ReadonlyMap<string, OpenWindow> = new Map();

export function createOpenWindows(rule: ReadyRule, maxDevices: number): OpenWindows {
  const opened = new Map<number, Opened>();
  return {
    add(startMs, deviceId, { occurrence, value, hits }, sequence) {
      let at = opened.get(startMs);
      if (at === undefined) {
        at = { firstSequence: sequence, devices: new Map() };
        opened.set(startMs, at);
      }
      const window = at.devices.get(deviceId);
      if (window === undefined && at.devices.size >= maxDevices) return false;
      const before = window ?? emptyWindow(startMs);
      at.devices.set(deviceId, countedWindow(before, rule, occurrence, value, hits));
      return true;
    },
    take(startMs) {
      const devices = opened.get(startMs)?.devices ?? NOTHING;
      opened.delete(startMs);
      return devices;
    },
    starts: () => [...opened.keys()],
    oldestStartMs: () => least(opened.keys()),
    oldestSequence: () => least([...opened.values()].map((one) => one.firstSequence)),
    *devices() {
      for (const { devices } of opened.values()) yield* devices.keys();
    },
  };
}

function least(values: Iterable<number>): number | undefined {
  let found: number | undefined;
  for (const value of values) if (found === undefined || value < found) found = value;
  return found;
}
