import { readCustomRules } from "../../src/baseline/custom-rules.ts";
import { createDevice, type Device, type DeviceExtras } from "../../src/baseline/device.ts";
import { unreadableFact, valueFact } from "../../src/baseline/fact.ts";
import { createPacer, type Pacer } from "../../src/baseline/pacer.ts";
import type { Rule } from "../../src/baseline/rule.ts";
import { RULES } from "../../src/baseline/rules/index.ts";
import {
  type RuleResult,
  type ScanReport,
  scanDevice,
  standingOf,
} from "../../src/baseline/scan.ts";
import { parseWaivers } from "../../src/baseline/waivers.ts";
import {
  abandonedSnapshot,
  type CollectorContext,
  type Snapshot,
} from "../../src/contract/collector.ts";
import type { PayloadItem } from "../../src/contract/event.ts";
import type { Firewall } from "../../src/contract/firewall.ts";
import type { Problem } from "../../src/contract/result.ts";
import { firewallOf } from "../../src/parse/firewall/firewall-of.ts";
import { itemOf, summaryItem, systemName } from "./items.ts";
import type { OsBaselineSettings } from "./schema.ts";
import { type BaselineState, letterOf, readState, stateJson } from "./state.ts";

type Context = CollectorContext<OsBaselineSettings>;

const SUBJECT = "OS baseline";
/** Every result goes out once in that time, whatever changed. */
const FULL_SET_MS = 86_400_000;
/** A snapshot has thirty seconds, and on a busy machine work looks longer than it is. */
const MOST_REST_MS = 10_000;

/** Judges the checks and reports what the settings ask for, with one summary. */
export async function collectOsBaseline(context: Context): Promise<Snapshot> {
  return collectWith(context, RULES);
}

/** The same with other built-in rules, for tests. */
export async function collectWith(context: Context, builtIn: readonly Rule[]): Promise<Snapshot> {
  const { probe, settings, signal, clock } = context;
  if (signal.aborted) return abandonedSnapshot(SUBJECT);
  const etc = probe.facts("/etc");
  // Without it there is no system to judge: every answer would be about nothing.
  if (!etc.ok) return { events: [], problems: [etc.problem] };
  const state = readState(context.cursor.read());
  const { rules, problems } = rulesOf(context, builtIn);
  const waivers = parseWaivers(settings.waivers, "waivers");
  const firewall = await firewallFact(context);
  if (signal.aborted) return abandonedSnapshot(SUBJECT);
  const report = await scanDevice({
    rules,
    device: deviceOf(context, clock.nowMs(), state, firewall),
    selection: {
      groupsDisabled: namesIn(settings.groupsDisabled),
      checksDisabled: namesIn(settings.checksDisabled),
      waivers: waivers.ok ? waivers.value : [],
      isWalkOn: settings.isWalkEnabled && state.walk !== undefined,
    },
    pacer: pacerOf(context),
    signal,
  });
  if (!report.isComplete) return abandonedSnapshot(SUBJECT);
  return {
    events: [{ name: "OSBaseline", payload: payloadOf(context, report, state) }],
    problems: [
      ...problems,
      ...(waivers.ok ? [] : [waivers.problem]),
      ...unknownNames(report.unknownNames),
    ],
  };
}

/** Built-in rules, then those of the file that the settings name and vouch for. */
function rulesOf(
  { probe, settings }: Context,
  builtIn: readonly Rule[],
): { readonly rules: readonly Rule[]; readonly problems: readonly Problem[] } {
  const own = settings.builtInChecks ? builtIn : [];
  const { customChecksEnabled, customChecksFilePath, customChecksFileHash } = settings;
  if (!customChecksEnabled) return { rules: own, problems: [] };
  if (customChecksFilePath === "" || customChecksFileHash === "") {
    const detail = "custom checks are on, and their file or its SHA-256 is not given";
    return { rules: own, problems: [{ code: "not-found", subject: "custom checks", detail }] };
  }
  const custom = readCustomRules(probe, customChecksFilePath, customChecksFileHash);
  return custom.ok
    ? { rules: [...own, ...custom.value], problems: [] }
    : { rules: own, problems: [custom.problem] };
}

function namesIn(text: string): readonly string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/**
 * The rule sets as the collector of the firewall last read them: reading them here would run its tools a
 * second time. A captured root has them in files.
 */
async function firewallFact({ probe, signal }: Context): Promise<Firewall | undefined> {
  const source = probe.firewall();
  const reading = probe.isLive ? source.last?.() : await source.read(signal);
  if (reading === undefined) return undefined;
  const isNothingKnown = reading.texts.length === 0 && reading.unknown.length > 0;
  return isNothingKnown ? undefined : firewallOf(reading).firewall;
}

function deviceOf(
  { probe }: Context,
  nowMs: number,
  { walk }: BaselineState,
  firewall: Firewall | undefined,
): Device {
  const extras: DeviceExtras = {
    ...(walk === undefined
      ? {}
      : { walk: typeof walk === "string" ? unreadableFact(walk) : valueFact(walk) }),
    ...(firewall === undefined ? {} : { firewall: valueFact(firewall) }),
  };
  return createDevice(probe, nowMs, extras);
}

/** A pacer for the share of the processor that the settings allow. */
export function pacerOf(context: Context, itemsPerSecond?: number): Pacer {
  const { clock, signal, settings } = context;
  return createPacer({
    clock,
    signal,
    pause: () => context.pause(),
    budget: {
      cpuShare: settings.cpuSharePercent / 100,
      ...(itemsPerSecond === undefined ? {} : { itemsPerSecond }),
    },
    // A rule may parse a file of megabytes: after a few of them others have their turn.
    ...(itemsPerSecond === undefined ? { portionItems: 16, maxRestedMs: MOST_REST_MS } : {}),
  });
}

function unknownNames(names: readonly string[]): readonly Problem[] {
  if (names.length === 0) return [];
  const detail = `no group and no check is called ${names.slice(0, 8).join(", ")}`;
  return [{ code: "not-found", subject: "OS baseline settings", detail: detail.slice(0, 300) }];
}

/**
 * What is sent of a run, summary first; keeps what the next run is compared with. It is kept before the
 * event is on disk: after a crash in between, one change is told with the next full set only.
 */
function payloadOf(
  context: Context,
  report: ScanReport,
  state: BaselineState,
): readonly PayloadItem[] {
  const { settings, probe, mask, clock } = context;
  const nowMs = clock.nowMs();
  const { fullAtMs, standings: before } = state;
  const isDue = fullAtMs === undefined || nowMs - fullAtMs >= FULL_SET_MS || nowMs < fullAtMs;
  const isAll = settings.report === "All";
  const isFull = isAll || isDue;
  const letters = report.results.map(
    (result) => [result.rule.id, letterOf(standingOf(result))] as const,
  );
  const isNews = (result: RuleResult): boolean =>
    result.outcome.verdict === "fail" ||
    result.outcome.verdict === "error" ||
    before.get(result.rule.id) !== letterOf(standingOf(result));
  const options = { system: systemName(probe), mask, isDetailed: isAll };
  const items = report.results
    .filter((result) => isFull || isNews(result))
    .map((result) => itemOf(result, options))
    .filter((item) => item !== undefined);
  // The walk may have ended while this was running.
  const { walk, walkEndedAtMs } = readState(context.cursor.read());
  context.cursor.write(
    stateJson({
      fullAtMs: isFull ? nowMs : fullAtMs,
      standings: new Map(letters),
      walk,
      walkEndedAtMs,
    }),
  );
  const known = settings.isWalkEnabled && typeof state.walk === "object" ? state.walk : undefined;
  return [summaryItem(report, isFull, known), ...items];
}
