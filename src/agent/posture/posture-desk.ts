import type { ConfigurationFinding } from "../../contract/agent-facts.ts";
import type { Clock, Timer } from "../../contract/clock.ts";
import type { Snapshot } from "../../contract/collector.ts";
import type { EventDraft, EventName } from "../../contract/event.ts";
import type { ExtensionDraft, RecommendationItem } from "../../contract/extension.ts";
import type { JsonObject, JsonValue } from "../../contract/json.ts";
import type { Log } from "../../contract/log.ts";
import type { Probe } from "../../contract/probe.ts";
import type { Settings } from "../../contract/settings.ts";
import {
  type ConfigurationRemark,
  judgeTwinConflict,
  judgeTwinNotOptimal,
} from "../../posture/recommendations/twin-configuration.ts";
import type { Verdict } from "../../posture/recommendations/verdict.ts";
import type { StateFolder } from "../state-folder.ts";
import { createAlertDesk } from "./alert-desk.ts";
import { alertDraft, recommendationDraft } from "./extension-drafts.ts";
import { allowedPortFaults, createFactBook } from "./fact-book.ts";
import { createRuleSource, type RuleSourceOptions } from "./rule-source.ts";
import { createVerdictDesk } from "./verdict-desk.ts";

/** What the desk is made of. */
export interface PostureDeskOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly probe: Probe;
  readonly state: Pick<StateFolder, "readJson" | "writeJson">;
  readonly settings: Settings;
  /** Events that some collector reports. */
  readonly collected: readonly EventName[];
  /** Whom alerts are about. */
  readonly subject: string;
  /** The owner's device security groups on this device. */
  readonly securityGroups: Pick<RuleSourceOptions, "file" | "inConfiguration">;
  /** All remarks on the settings in force. */
  readonly remarks: () => readonly ConfigurationRemark[];
  readonly submit: (drafts: readonly ExtensionDraft[]) => void;
  readonly onFinding: (finding: ConfigurationFinding) => void;
  /** `summary` is another than before. */
  readonly onSummary: () => void;
}

/**
 * Judges the device: recommendations after snapshots, custom alerts from events. Tells changes, and
 * everything now and then; keeps its state on disk, where a disk that refuses costs the state alone.
 */
export interface PostureDesk {
  start(): void;
  applySettings(settings: Settings, securityGroupsInTwin: JsonValue | undefined): void;
  /** The snapshot of the collector of these events. */
  take(name: EventName, snapshot: Snapshot): void;
  /** Events before any are folded. */
  count(drafts: readonly EventDraft[]): void;
  /** A security message of that size was sent. */
  messageSent(meteredBytes: number): void;
  /** Judges at once what a snapshot left to be judged. */
  judgeNow(): void;
  /** For reported properties, at most 3 KiB: states by type, how many are unhealthy, the rules in force. */
  summary(): JsonObject;
  /** Every verdict with its evidence. */
  verdicts(): JsonObject;
  /** Keeps the state. Safe to call twice. */
  stop(): void;
}

/** Snapshots of a round come one after the other: they are judged together. */
const SETTLE_MS = 500;
/** Windows are judged and counts are kept so often: what a crash may take. */
const TICK_MS = 30_000;
/** Without rules nothing waits for the tick but the daily summary. */
const SLOW_TICK_MS = 300_000;

const BOOK_FILE = "posture.json";
const ALERTS_FILE = "alerts.json";
const GROUPS_FILE = "security-groups.json";

/** The item without what is absent. */
function itemJson(item: RecommendationItem): JsonObject {
  const fields: [string, JsonValue][] = [];
  for (const [name, value] of Object.entries(item)) {
    if (value !== undefined) fields.push([name, value]);
  }
  return Object.fromEntries(fields);
}

/** Takes up the state that was kept; does nothing before `start`. */
export function createPostureDesk(options: PostureDeskOptions): PostureDesk {
  const { clock, log, probe, state, securityGroups, onFinding } = options;
  let { settings } = options;
  let inTwin: JsonValue | undefined;
  let hasRules = false;
  let judgeTimer: Timer | undefined;
  let tickTimer: Timer | undefined;
  let isRunning = false;
  let toldPorts = "";
  let tickedAtMs = clock.monotonicMs();

  const facts = createFactBook({ probe, settings, collected: options.collected });
  const verdictDesk = createVerdictDesk({
    clock,
    stored: state.readJson(BOOK_FILE),
    onItems: (items) => options.submit(items.map((item) => recommendationDraft(item, settings))),
  });
  const alertDesk = createAlertDesk({
    clock,
    log,
    subject: options.subject,
    stored: state.readJson(ALERTS_FILE),
    onAlerts(alerts) {
      // Kept first: an alert that comes again after a crash has the same id, one that is lost has none.
      options.submit(alerts.map((alert) => alertDraft(alert, settings)));
      state.writeJson(ALERTS_FILE, alertDesk.toJson());
    },
  });
  const source = createRuleSource({
    probe,
    ...securityGroups,
    stored: state.readJson(GROUPS_FILE),
    onFinding(finding) {
      log.warn({ property: finding.configurationName, detail: finding.message }, "rules refused");
      onFinding(finding);
    },
  });

  function applyRules(): void {
    const rules = source.rules(settings);
    hasRules = rules !== undefined && rules.rules.length > 0;
    alertDesk.setRules(rules);
  }

  function refreshRules(): void {
    const before = JSON.stringify(source.describe(settings));
    const isNew = source.refresh(inTwin);
    if (isNew) {
      applyRules();
      state.writeJson(GROUPS_FILE, source.toJson());
      log.info({ isActive: hasRules }, "device security groups changed");
    }
    if (JSON.stringify(source.describe(settings)) !== before) options.onSummary();
  }

  function judge(): void {
    judgeTimer?.cancel();
    judgeTimer = undefined;
    const remarks = options.remarks();
    const verdicts: readonly Verdict[] = [
      ...facts.judge(),
      verdictDesk.judgeMessages(settings.posture.smallMessagesPercent),
      judgeTwinNotOptimal(remarks),
      judgeTwinConflict(remarks),
    ];
    if (verdictDesk.note(verdicts)) options.onSummary();
  }

  function judgeSoon(): void {
    if (isRunning) judgeTimer ??= clock.after(SETTLE_MS, judge);
  }

  function tick(): void {
    tickedAtMs = clock.monotonicMs();
    alertDesk.tick();
    refreshRules();
    judge();
    verdictDesk.summariseWhenDue(settings.posture.summaryIntervalMs);
    save();
    arm();
  }

  function arm(): void {
    tickTimer?.cancel();
    if (!isRunning) return;
    const longestMs = hasRules ? TICK_MS : SLOW_TICK_MS;
    const intervalMs = Math.min(longestMs, settings.posture.summaryIntervalMs);
    // Settings that keep coming put no tick off.
    const sinceMs = clock.monotonicMs() - tickedAtMs;
    tickTimer = clock.after(Math.max(intervalMs - sinceMs, 0), tick);
  }

  function save(): void {
    if (verdictDesk.isChanged) state.writeJson(BOOK_FILE, verdictDesk.toJson());
    if (alertDesk.isChanged) state.writeJson(ALERTS_FILE, alertDesk.toJson());
  }

  /** Entries of the list of allowed ports that have the form and mean nothing. */
  function reportPorts(): void {
    if (settings.posture.allowedPorts === toldPorts) return;
    toldPorts = settings.posture.allowedPorts;
    for (const message of allowedPortFaults(settings)) {
      onFinding({
        configurationName: "postureAllowedPorts",
        errorType: "TypeMismatch",
        usedConfiguration: "the other entries",
        message,
      });
    }
  }

  function alertRules(): JsonObject {
    const described = source.describe(settings);
    return described === undefined ? {} : { alertRules: described };
  }

  return {
    start() {
      isRunning = true;
      tickedAtMs = clock.monotonicMs();
      refreshRules();
      applyRules();
      reportPorts();
      judgeSoon();
      arm();
    },
    applySettings(next, securityGroupsInTwin) {
      settings = next;
      inTwin = securityGroupsInTwin;
      facts.applySettings(next);
      if (!isRunning) return;
      refreshRules();
      applyRules();
      reportPorts();
      judgeSoon();
      arm();
    },
    take(name, snapshot) {
      if (facts.take(name, snapshot)) judgeSoon();
    },
    count: (drafts) => alertDesk.count(drafts),
    messageSent: (meteredBytes) => verdictDesk.messageSent(meteredBytes),
    judgeNow: judge,
    summary() {
      const summary = verdictDesk.summary();
      const unhealthy = Object.values(summary).filter((one) => one.state === "unhealthy").length;
      return {
        unhealthy,
        ...Object.fromEntries(Object.entries(summary).map(([type, one]) => [type, { ...one }])),
        ...alertRules(),
      };
    },
    verdicts() {
      const items = verdictDesk.items();
      const unhealthy = items.filter(({ State }) => State === "unhealthy").length;
      const uncountedEvents = alertDesk.uncounted();
      return { unhealthy, recommendations: items.map(itemJson), ...alertRules(), uncountedEvents };
    },
    stop() {
      isRunning = false;
      judgeTimer?.cancel();
      tickTimer?.cancel();
      save();
    },
  };
}
