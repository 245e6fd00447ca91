import type { JsonValue } from "../../contract/json.ts";
import type { Alert } from "../alerts/finding.ts";
import { HUB_EVENTS } from "../alerts/hub-measures.ts";
import type { Occurrence } from "../alerts/occurrence.ts";
import { type PartitionAnalyzerOptions, REPEAT_MS, readyOptions } from "./analyzer-options.ts";
import { createDeviceMemory, type KnownDevice } from "./device-memory.ts";
import { AGENT_EVENTS, fleetRules } from "./fleet-rules.ts";
import type { Happening } from "./happening.ts";
import type { FleetRecord, RestorablePartitionAnalyzer } from "./partition-analyzer.ts";
import { createPositionMarks } from "./position-marks.ts";
import { readFleetRecord } from "./read-record.ts";
import { createRecentEvents } from "./recent-events.ts";
import { createRuleBook, type FleetRule, type RuleBook } from "./rule-book.ts";
import { createRuleShelf } from "./rule-shelf.ts";
import { type PartitionSnapshot, readSnapshot, snapshotJson } from "./snapshot.ts";

/** Events whose protocol is that of the device where they do not tell it. */
const WITHOUT_PROTOCOL: ReadonlySet<string> = new Set([
  HUB_EVENTS.deviceMessage,
  HUB_EVENTS.commandFeedback,
]);

/**
 * The analyzer of one partition: 14 rule types of the hub and those of the device, for all its devices.
 * See README.md for what is judged when and why a replay gives the same.
 */
export function createPartitionAnalyzer(
  options: PartitionAnalyzerOptions,
): RestorablePartitionAnalyzer {
  const ready = readyOptions(options);
  const memory = createDeviceMemory(ready);
  const recent = createRecentEvents(REPEAT_MS);
  const skipped = new Map<string, number>();
  let records = 0;
  let events = 0;

  function skip(reason: string, times = 1): void {
    skipped.set(reason, (skipped.get(reason) ?? 0) + times);
  }

  function isEligible(
    known: KnownDevice,
    rule: FleetRule,
    startMs: number,
    endMs: number,
  ): boolean {
    if (known.sinceMs > startMs || known.seenMs < endMs - ready.rememberMs) return false;
    if (known.groupSinceMs > startMs || shelf.groupOf(known.group) !== rule.group) return false;
    const { protocol, isOfAgents } = rule;
    if (isOfAgents) {
      const { agentSinceMs, agentSeenMs } = known;
      if (agentSinceMs === undefined || agentSinceMs > startMs) return false;
      return agentSeenMs >= endMs - ready.rememberMs;
    }
    if (protocol === undefined) return true;
    return known.protocol === protocol && known.protocolSinceMs <= startMs;
  }

  function silentDevices(rule: FleetRule, startMs: number, endMs: number): readonly string[] {
    const silent: string[] = [];
    for (const [deviceId, known] of memory.devices()) {
      if (isEligible(known, rule, startMs, endMs)) silent.push(deviceId);
    }
    return silent;
  }

  const shelf = createRuleShelf(
    fleetRules({ ...ready, repeatMs: REPEAT_MS }),
    (fleetRule): RuleBook =>
      createRuleBook({
        fleetRule,
        maxDevices: ready.maxDevices,
        subjectOf: (deviceId) => `${ready.hub}/${deviceId}`,
        onUncounted: (reason, hits) => {
          if (reason !== "again") skip(reason, hits);
        },
        silentDevices,
        silentUntilMs: () => memory.lastSeenMs() + ready.rememberMs,
      }),
  );
  const { books, horizonMs } = shelf;
  // A few thousand marks, however long the windows are.
  const marks = createPositionMarks(Math.max(1_000, Math.ceil(horizonMs / 4_096)));

  /** The partition's own time: how far it was read, or told that nothing else is there. */
  let watermarkMs = Number.NEGATIVE_INFINITY;
  let enqueuedMs = Number.NEGATIVE_INFINITY;
  let nextSequence: number | undefined;
  let watchedFromMs: number | undefined;
  let restored: PartitionSnapshot | undefined;
  let nextCloseMs = Number.POSITIVE_INFINITY;
  let sweptMs = Number.NEGATIVE_INFINITY;

  function watchFrom(atMs: number): void {
    watchedFromMs = atMs;
    for (const book of books) book.watchedFrom(atMs);
    nextCloseMs = earliest(books, (book) => book.nextCloseMs());
  }

  /** The first record tells where watching begins; after a restore, whether records are missing. */
  function begin(record: FleetRecord): void {
    const isGapless =
      restored !== undefined && record.sequenceNumber <= restored.replayFromSequence;
    if (!isGapless) watchFrom(record.enqueuedAtMs);
  }

  function advance(toMs: number): readonly Alert[] {
    if (toMs <= watermarkMs) return [];
    watermarkMs = toMs;
    if (toMs < nextCloseMs) return [];
    const alerts = books.flatMap((book) => (book.nextCloseMs() <= toMs ? book.close(toMs) : []));
    nextCloseMs = earliest(books, (book) => book.nextCloseMs());
    sweep();
    return alerts;
  }

  /** Forgets what no replay and no window can need. */
  function sweep(): void {
    const position = replayFrom();
    if (position !== undefined) {
      memory.settleBefore(position.sequenceNumber);
      marks.forgetBefore(Math.min(neededMs(), watermarkMs - REPEAT_MS));
    }
    if (watermarkMs - sweptMs < ready.rememberMs / 8) return;
    sweptMs = watermarkMs;
    memory.forgetUnseenSince(watermarkMs - ready.rememberMs - horizonMs);
    recent.forgetBefore(watermarkMs - REPEAT_MS - horizonMs);
  }

  /** The time from which records are needed; infinite when none are. */
  function neededMs(): number {
    const openMs = earliest(books, (book) => {
      const startMs = ready.keepsSnapshot ? book.oldestHeldMs() : book.oldestOpenMs();
      return startMs === undefined ? Number.POSITIVE_INFINITY : startMs - book.fleetRule.lookBackMs;
    });
    const isRecent = recent.lastMs > watermarkMs - REPEAT_MS;
    return Math.min(openMs, isRecent ? watermarkMs - REPEAT_MS : Number.POSITIVE_INFINITY);
  }

  function replayFrom(): { readonly sequenceNumber: number } | undefined {
    const fromMs = neededMs();
    return Number.isFinite(fromMs) ? marks.before(fromMs) : undefined;
  }

  function take(happening: Happening, atMs: number, sequenceNumber: number): void {
    const known = memory.learn(happening, atMs, sequenceNumber);
    if (known === "full") {
      skip("too-many-devices");
      return;
    }
    const { deviceId, occurrences } = happening;
    let isRepeated = false;
    let previousId = "";
    for (const occurrence of occurrences) {
      if (AGENT_EVENT_NAMES.has(occurrence.name) && occurrence.eventId !== "") {
        // The items of one event share its id.
        if (occurrence.eventId !== previousId) {
          previousId = occurrence.eventId;
          isRepeated = recent.isRepeated(deviceId, occurrence.eventId, atMs);
          if (isRepeated) skip("repeated-event");
        }
        if (isRepeated) continue;
      }
      events += 1;
      count(deviceId, known, occurrence, atMs);
    }
  }

  function count(
    deviceId: string,
    known: KnownDevice | undefined,
    told: Occurrence,
    atMs: number,
  ): void {
    const concerned = shelf.booksFor(known?.group ?? "", told.name);
    if (concerned.length === 0) return;
    const protocol = WITHOUT_PROTOCOL.has(told.name) ? known?.protocol : undefined;
    const occurrence =
      protocol === undefined ? told : { ...told, item: { Protocol: protocol, ...told.item } };
    let isUnclear = false;
    for (const book of concerned) {
      const { rule } = book.fleetRule;
      const bearing = rule.measure.bearing(occurrence);
      if (bearing.bears === "unknown") isUnclear = true;
      if (bearing.bears !== "yes" || rule.allows?.(bearing.value) === true) continue;
      book.count(deviceId, occurrence, bearing.value, atMs);
      nextCloseMs = Math.min(nextCloseMs, book.nextCloseMs());
    }
    if (!isUnclear) return;
    const lacksProtocol =
      WITHOUT_PROTOCOL.has(told.name) && occurrence.item["Protocol"] === undefined;
    skip(lacksProtocol ? "unknown-protocol" : "unclear-event");
  }

  return {
    accept(record) {
      records += 1;
      if (
        !Number.isSafeInteger(record.sequenceNumber) ||
        !Number.isSafeInteger(record.enqueuedAtMs)
      ) {
        skip("malformed-record");
        return [];
      }
      if (nextSequence === undefined) begin(record);
      const { sequenceNumber } = record;
      nextSequence = sequenceNumber + 1;
      enqueuedMs = Math.max(enqueuedMs, record.enqueuedAtMs);
      const alerts = advance(enqueuedMs);
      marks.note({ enqueuedAtMs: enqueuedMs, sequenceNumber });
      const reading = readFleetRecord(record, shelf.reading(ready));
      for (const reason of reading.skipped) skip(reason);
      for (const happening of reading.happenings) take(happening, enqueuedMs, sequenceNumber);
      return alerts;
    },
    tick: (atMs) => (Number.isSafeInteger(atMs) ? advance(atMs - ready.tickSlackMs) : []),
    oldestNeeded: () => replayFrom()?.sequenceNumber,
    counts: () => ({ records, events, skipped: Object.fromEntries(skipped) }),
    deviceCount() {
      const devices = new Set<string>();
      for (const book of books) for (const deviceId of book.openDevices()) devices.add(deviceId);
      return devices.size;
    },
    snapshot(): JsonValue {
      const from =
        replayFrom()?.sequenceNumber ?? nextSequence ?? restored?.replayFromSequence ?? 0;
      return snapshotJson({
        replayFromSequence: from,
        watermarkMs,
        watchedFromMs,
        devices: memory.storedBefore(from),
      });
    },
    restore(stored) {
      const read = readSnapshot(stored);
      if (read === undefined || records > 0) return false;
      restored = read;
      memory.restore(read.devices);
      watermarkMs = read.watermarkMs;
      for (const book of books) book.judgedThrough(read.watermarkMs);
      if (read.watchedFromMs !== undefined) watchFrom(read.watchedFromMs);
      return true;
    },
  };
}

const AGENT_EVENT_NAMES: ReadonlySet<string> = new Set(AGENT_EVENTS);

function earliest(books: readonly RuleBook[], timeOf: (book: RuleBook) => number): number {
  return books.reduce((sofar, book) => Math.min(sofar, timeOf(book)), Number.POSITIVE_INFINITY);
}
