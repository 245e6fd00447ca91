import { createHash } from "node:crypto";
import type { Clock } from "../../contract/clock.ts";
import type { EventDraft } from "../../contract/event.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import type { Log } from "../../contract/log.ts";
import type { Alert } from "../../posture/alerts/finding.ts";
import type { Ruleset } from "../../posture/alerts/ruleset.ts";
import { type AlertState, newAlertState, readAlertState } from "../../posture/alerts/state.ts";
import { type AlertInput, stepAlerts } from "../../posture/alerts/step.ts";

/** What the desk is made of. */
export interface AlertDeskOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Whom alerts are about; part of their ids. */
  readonly subject: string;
  /** What `toJson` gave before, of any content. */
  readonly stored: JsonValue | undefined;
  readonly onAlerts: (alerts: readonly Alert[]) => void;
}

/** The custom alerts of this device: counts events, judges windows. Time comes by `tick`. */
export interface AlertDesk {
  /** Rules in force from now on; undefined: none. What was counted for rules that stay is kept. */
  setRules(rules: Ruleset | undefined): void;
  /** Events as collectors hand them over, before any are folded. */
  count(drafts: readonly EventDraft[]): void;
  tick(): void;
  /** Events that no window could take, since counting began: came late, ahead of time, without what decides. */
  uncounted(): { readonly late: number; readonly early: number; readonly unclear: number };
  /** True when `toJson` would say something new since the last call of it. */
  readonly isChanged: boolean;
  toJson(): JsonObject;
}

/** Keys of events that may be handed over again after a crash: the latest ones. */
const MOST_KEYS = 512;

/** Takes up what was kept; counts nothing before there are rules. */
export function createAlertDesk(options: AlertDeskOptions): AlertDesk {
  const { clock, log, subject } = options;
  const kept = isJsonObject(options.stored) ? options.stored : {};
  let state = restoredState(kept["state"]);
  const keys = new Set(restoredKeys(kept["keys"]));
  let rules: Ruleset | undefined;
  let names: ReadonlySet<string> = new Set();
  let isAwake = false;
  let isChanged = false;

  function restoredState(stored: JsonValue | undefined): AlertState {
    const fresh = newAlertState(subject, nowMs());
    if (stored === undefined) return fresh;
    const read = readAlertState(stored);
    if (read.ok && read.value.subject === fresh.subject) return read.value;
    const reason = read.ok ? "it is about another device" : read.problem.detail;
    log.warn({ reason }, "state of custom alerts unusable, counting starts over");
    return fresh;
  }

  function nowMs(): number {
    return Math.round(clock.nowMs());
  }

  function step(input: AlertInput): void {
    if (rules === undefined) return;
    const after = stepAlerts(rules, state, input);
    isChanged ||= after.state !== state;
    state = after.state;
    if (after.alerts.length > 0) options.onAlerts(after.alerts);
  }

  /** True for an event that was counted before, as after a crash. */
  function isRepeated({ name, key }: EventDraft): boolean {
    if (key === undefined) return false;
    const digest = createHash("sha256").update(`${name} ${key}`).digest("hex").slice(0, 16);
    if (keys.has(digest)) return true;
    keys.add(digest);
    for (const oldest of keys) {
      if (keys.size <= MOST_KEYS) break;
      keys.delete(oldest);
    }
    return false;
  }

  return {
    setRules(next) {
      rules = next;
      names = new Set(next?.rules.flatMap(({ measure }) => measure.eventNames));
      if (next === undefined) return;
      step(isAwake ? { kind: "tick", atMs: nowMs() } : { kind: "wake", atMs: nowMs() });
      isAwake = true;
    },
    count(drafts) {
      for (const draft of drafts) {
        const { name, payload, occurredAtMs } = draft;
        if (!names.has(name) || isRepeated(draft)) continue;
        const atMs = Math.round(occurredAtMs ?? clock.nowMs());
        step({ kind: "event", event: { id: "", name, atMs, items: payload } });
      }
    },
    tick: () => step({ kind: "tick", atMs: nowMs() }),
    uncounted: () => ({
      late: state.lateCount,
      early: state.earlyCount,
      unclear: state.unknownCount,
    }),
    get isChanged() {
      return isChanged;
    },
    toJson() {
      isChanged = false;
      return { state, keys: [...keys] };
    },
  };
}

function restoredKeys(stored: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(stored)) return [];
  const items: readonly unknown[] = stored;
  return items
    .filter((item) => typeof item === "string" && /^[0-9a-f]{16}$/.test(item))
    .map(String)
    .slice(-MOST_KEYS);
}
