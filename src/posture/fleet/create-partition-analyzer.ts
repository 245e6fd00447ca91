import type { JsonValue } from "../../contract/json.ts";
import type { Alert } from "../alerts/finding.ts";
import { type PartitionAnalyzerOptions, REPEAT_MS, readyOptions } from "./analyzer-options.ts";
import type { DeviceFacts } from "./device-facts.ts";
import { createDeviceMemory } from "./device-memory.ts";
import { createEventCounter } from "./event-counter.ts";
import { fleetRules } from "./fleet-rules.ts";
import type { FleetRecord, RestorablePartitionAnalyzer } from "./partition-analyzer.ts";
import { readFleetRecord } from "./read-record.ts";
import { createRecentEvents } from "./recent-events.ts";
import { createReplayPosition } from "./replay-position.ts";
import { createRuleBook, type RuleBook } from "./rule-book.ts";
import { createRuleShelf } from "./rule-shelf.ts";
import { silentDevices } from "./silence.ts";
import { type PartitionSnapshot, readSnapshot, snapshotJson } from "./snapshot.ts";

/**
 * The analyzer of one partition: 14 rule types of the hub and those of the device, for all its devices.
 * See README.md for what is judged when and why a replay gives the same.
 * Cost: of a record, the rules that its events concern; when a window closes, the devices in it, and for
 * a rule with a minimum all devices that are known.
 */
export function createPartitionAnalyzer(
  given: PartitionAnalyzerOptions,
): RestorablePartitionAnalyzer {
  const options = readyOptions(given);
  const { rememberMs, keepsSnapshot } = options;
  const skipped = new Map<string, number>();
  const skip = (reason: string, times = 1): void => {
    skipped.set(reason, (skipped.get(reason) ?? 0) + times);
  };
  const memory = createDeviceMemory(options);
  const factsOf = (deviceId: string): DeviceFacts => options.devices.get(deviceId) ?? NO_FACTS;
  const recent = createRecentEvents(REPEAT_MS);
  const shelf = createRuleShelf(
    fleetRules({ ...options, repeatMs: REPEAT_MS }),
    options,
    (fleetRule) =>
      createRuleBook({
        fleetRule,
        maxDevices: options.maxDevices,
        subjectOf: (deviceId) => `${options.hub}/${deviceId}`,
        // What a replay repeats is no loss.
        onUncounted: (reason, hits) => (reason === "again" ? undefined : skip(reason, hits)),
        silentDevices: (rule, startMs, endMs) =>
          silentDevices(
            { memory, rememberMs, factsOf, groupOf: shelf.groupOf },
            rule,
            startMs,
            endMs,
          ),
        silentUntilMs: () => memory.lastSeenMs() + rememberMs,
      }),
  );
  const { books, horizonMs } = shelf;
  const position = createReplayPosition({
    books,
    keepsSnapshot,
    recent,
    horizonMs,
  });
  const counter = createEventCounter({ shelf, memory, factsOf, recent, skip });

  /** The partition's own time: how far it was read, or told that nothing else is there. */
  let watermarkMs = Number.NEGATIVE_INFINITY;
  let enqueuedMs = Number.NEGATIVE_INFINITY;
  let sweptMs = Number.NEGATIVE_INFINITY;
  let nextCloseMs = Number.POSITIVE_INFINITY;
  let records = 0;
  let nextSequence: number | undefined;
  let watchedFromMs: number | undefined;
  let restored: PartitionSnapshot | undefined;

  function watchFrom(atMs: number): void {
    watchedFromMs = atMs;
    for (const book of books) book.watchedFrom(atMs);
    nextCloseMs = earliestClose(books);
  }

  /** The first record tells where watching begins; after a restore, whether records are missing. */
  function begin({ sequenceNumber, enqueuedAtMs }: FleetRecord): void {
    const isGapless = restored !== undefined && sequenceNumber <= restored.replayFromSequence;
    if (!isGapless || watchedFromMs === undefined) watchFrom(enqueuedAtMs);
  }

  function advance(toMs: number): readonly Alert[] {
    if (toMs <= watermarkMs) return [];
    watermarkMs = toMs;
    if (toMs < nextCloseMs) return [];
    const due = books.filter((book) => book.nextCloseMs() <= toMs);
    const alerts = due.flatMap((book) => book.close(toMs));
    nextCloseMs = earliestClose(books);
    sweep();
    return alerts;
  }

  /** Forgets what no replay and no window can need. */
  function sweep(): void {
    const settled = position.neededAt(watermarkMs, enqueuedMs) ?? nextSequence;
    if (settled !== undefined) memory.settleBefore(settled);
    position.forgetBefore(watermarkMs);
    if (watermarkMs - sweptMs < rememberMs / 8) return;
    sweptMs = watermarkMs;
    memory.forgetUnseenSince(watermarkMs - rememberMs - horizonMs);
    recent.forgetBefore(enqueuedMs - REPEAT_MS);
  }

  function accept(record: FleetRecord): readonly Alert[] {
    records += 1;
    const { sequenceNumber, enqueuedAtMs } = record;
    if (!Number.isSafeInteger(sequenceNumber) || !Number.isSafeInteger(enqueuedAtMs)) {
      skip("malformed-record");
      return [];
    }
    if (nextSequence === undefined) begin(record);
    enqueuedMs = Math.max(enqueuedMs, enqueuedAtMs);
    const alerts = advance(enqueuedMs);
    nextSequence = sequenceNumber + 1;
    position.note(enqueuedMs, sequenceNumber);
    const reading = readFleetRecord(record, shelf.reading);
    for (const reason of reading.skipped) skip(reason);
    for (const happening of reading.happenings) {
      counter.take(happening, { enqueuedAtMs: enqueuedMs, sequenceNumber });
    }
    nextCloseMs = Math.min(nextCloseMs, counter.takeNextCloseMs());
    return alerts;
  }

  return {
    accept,
    tick: (atMs) => (Number.isSafeInteger(atMs) ? advance(atMs - options.tickSlackMs) : []),
    oldestNeeded: () => position.neededAt(watermarkMs, enqueuedMs),
    counts: () => ({ records, events: counter.events(), skipped: Object.fromEntries(skipped) }),
    deviceCount: () => new Set(books.flatMap((book) => [...book.openDevices()])).size,
    snapshot(): JsonValue {
      const replayFromSequence =
        position.neededAt(watermarkMs, enqueuedMs) ??
        nextSequence ??
        restored?.replayFromSequence ??
        0;
      const devices = memory.storedBefore(replayFromSequence);
      return snapshotJson({ replayFromSequence, watermarkMs, watchedFromMs, devices });
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

const NO_FACTS: DeviceFacts = {};

function earliestClose(books: readonly RuleBook[]): number {
  return books.reduce((sofar, book) => Math.min(sofar, book.nextCloseMs()), Infinity);
}
