import { createHash } from "node:crypto";
import { type CatalogueEntry, catalogueEntry } from "./catalogue.ts";
import { DEVICE_MEASURES } from "./device-measures.ts";
import type { Measure } from "./measure.ts";
import type { SecurityGroup } from "./security-group.ts";

/** What differs from the rules of a device; times in milliseconds. */
export interface RulesetOptions {
  /** How rule types are measured; default those of the device. Rules without a measure are left out. */
  readonly measures?: readonly Measure[];
  /** How long after its end a window waits for events that come late; default 2 minutes. */
  readonly latenessMs?: number;
  /** How far ahead of the last tick an event may be; default 5 minutes. */
  readonly aheadMs?: number;
  /** Ticks further apart mean that nobody watched in between; default 5 minutes, at most a day. */
  readonly maxTickGapMs?: number;
  /** Window in which list rules count; default 5 minutes. */
  readonly listWindowMs?: number;
  /** Names of events that nobody collects at present: their silence means nothing. */
  readonly unwatched?: readonly string[];
}

/** A rule ready to be applied. */
export interface ReadyRule {
  readonly ruleType: string;
  readonly entry: CatalogueEntry;
  readonly measure: Measure;
  readonly windowMs: number;
  /** Changes when what has been counted is worth nothing under the new rule. */
  readonly fingerprint: string;
  /** Of range rules. */
  readonly range?: { readonly min: number; readonly max: number };
  /** Of list rules: whether a value is on the list. */
  readonly allows?: (value: string) => boolean;
  /** False where a silent window may only mean that nobody looked. */
  readonly judgesSilence: boolean;
}

/** The rules of one group that are enabled and can be judged here. */
export interface Ruleset {
  readonly group: string;
  readonly rules: readonly ReadyRule[];
  readonly latenessMs: number;
  readonly aheadMs: number;
  readonly maxTickGapMs: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Makes the rules of a group ready. One ruleset serves any number of subjects. */
export function prepareRules(group: SecurityGroup, options: RulesetOptions = {}): Ruleset {
  const measures = new Map(
    (options.measures ?? DEVICE_MEASURES).map((measure) => [measure.ruleType, measure]),
  );
  const listWindowMs = options.listWindowMs ?? 5 * MINUTE_MS;
  const unwatched = options.unwatched ?? [];
  function ready(
    ruleType: string,
    windowMs: number,
    counted: readonly string[],
    own: Pick<ReadyRule, "range"> | ((measure: Measure) => Pick<ReadyRule, "allows">),
  ): readonly ReadyRule[] {
    const measure = measures.get(ruleType);
    const entry = catalogueEntry(ruleType);
    if (measure === undefined || entry === undefined) return [];
    const judgesSilence = !measure.eventNames.some((name) => unwatched.includes(name));
    // What was counted while nobody looked is no silence, so that belongs to it too.
    const identity = [group.name, ruleType, windowMs, judgesSilence, ...counted];
    const fingerprint = createHash("sha256").update(JSON.stringify(identity)).digest("hex");
    const rest = typeof own === "function" ? own(measure) : own;
    const base = { ruleType, entry, measure, windowMs, judgesSilence };
    return [{ ...base, fingerprint: fingerprint.slice(0, 16), ...rest }];
  }
  const ranges = group.timeWindowRules.filter((rule) => rule.isEnabled);
  const lists = group.allowlistRules.filter((rule) => rule.isEnabled);
  return {
    group: group.name,
    rules: [
      ...ranges.flatMap((rule) => {
        const range = { min: rule.minThreshold, max: rule.maxThreshold };
        return ready(rule.ruleType, rule.timeWindowMs, [], { range });
      }),
      ...lists.flatMap((rule) => {
        const values = [...rule.allowlistValues].sort();
        return ready(rule.ruleType, listWindowMs, values, ({ matcher }) =>
          matcher === undefined ? {} : { allows: matcher(values) },
        );
      }),
    ],
    latenessMs: bounded(options.latenessMs ?? 2 * MINUTE_MS, DAY_MS),
    aheadMs: bounded(options.aheadMs ?? 5 * MINUTE_MS, DAY_MS),
    maxTickGapMs: bounded(options.maxTickGapMs ?? 5 * MINUTE_MS, DAY_MS),
  };
}

function bounded(value: number, max: number): number {
  return Math.min(Math.max(value, 0), max);
}
