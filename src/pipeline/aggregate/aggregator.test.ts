import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import type { EventDraft, PayloadItem } from "../../contract/event.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../contract/settings.ts";
import { type Aggregator, createAggregator } from "./aggregator.ts";

const HOUR_MS = 3_600_000;

interface Rig {
  readonly clock: FakeClock;
  readonly emitted: EventDraft[];
  open(options?: { settings?: Settings["aggregation"]; maxWindows?: number }): Aggregator;
  readonly journalPath: string;
}

function rig(test?: TestContext): Rig & { remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-aggregate-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  test?.after(remove);
  const clock = new FakeClock();
  const emitted: EventDraft[] = [];
  const journalPath = join(folder, "aggregation");
  return {
    clock,
    emitted,
    journalPath,
    remove,
    open: (options = {}) =>
      createAggregator({
        journalPath,
        settings: options.settings ?? DEFAULT_SETTINGS.aggregation,
        clock,
        log: new RecordingLog(),
        emit: (drafts) => emitted.push(...drafts),
        ...(options.maxWindows === undefined ? {} : { maxWindows: options.maxWindows }),
      }),
  };
}

function run(command: string, pid = 1): EventDraft {
  const item = { Executable: "/usr/bin/x", CommandLine: command, UserId: "0" };
  return { name: "ProcessCreate", payload: [{ ...item, ProcessId: pid, ParentProcessId: 7 }] };
}

function detailOf(draft: EventDraft | undefined, key: string): string {
  const details: PayloadItem[string] = draft?.payload[0]?.["ExtraDetails"];
  return typeof details === "object" ? (details[key] ?? "") : "";
}

describe("aggregation", () => {
  it("tells what happened once as it was, over a restart too", async (test) => {
    const { open, emitted, clock, journalPath } = rig(test);
    const once = run("date", 41);
    open().add([once]);
    const before = readFileSync(journalPath);
    // The process died: what was open comes back from the journal.
    const again = open();
    assert.equal(emitted[0]?.payload[0]?.["ProcessId"], 41);
    // The note that it was emitted is lost with the power: it comes again under the same key.
    rmSync(journalPath);
    writeFileSync(journalPath, before);
    open().stop();
    const [first, second] = emitted.filter(({ payload }) => payload[0]?.["ProcessId"] === 41);
    assert.equal(second?.key, first?.key);
    again.add([run("df", 42)]);
    await clock.advance(HOUR_MS);
    const later = emitted.find(({ payload }) => payload[0]?.["CommandLine"] === "df");
    assert.equal(later?.payload[0]?.["ProcessId"], 42);
    assert.equal(detailOf(later, "HitCount"), "1");
    again.stop();
  });

  it("knows an inbound connection by the port it came to, not by the one it came from", async (test) => {
    const { open, emitted } = rig(test);
    const aggregator = open();
    const inbound = (remotePort: string, localPort: string): EventDraft => ({
      name: "ConnectionCreate",
      payload: [
        {
          RemoteAddress: "192.0.2.1",
          RemotePort: remotePort,
          LocalAddress: "192.0.2.2",
          LocalPort: localPort,
          Direction: "In",
          Protocol: "tcp",
          ProcessId: 3,
          Executable: "/usr/sbin/sshd",
        },
      ],
    });
    aggregator.add([inbound("50001", "22"), inbound("50002", "22"), inbound("50003", "443")]);
    aggregator.flush();
    assert.deepEqual(
      emitted.map(({ payload: [item] }) => [item?.["LocalPort"], item?.["RemotePort"]]),
      [
        ["22", "0"],
        ["443", "50003"],
      ],
    );
    aggregator.stop();
  });

  it("folds repeats into one event with count, first and last time", async (test) => {
    const { clock, emitted, open } = rig(test);
    const aggregator = open();
    aggregator.add([run("date", 10)]);
    await clock.advance(600_000);
    aggregator.add([run("date", 11), run("df", 12)]);
    await clock.advance(HOUR_MS - 600_000);
    assert.equal(emitted.length, 1, "the window of date has ended, that of df has not");
    assert.deepEqual(
      ["HitCount", "StartTimeUtc", "EndTimeUtc"].map((key) => detailOf(emitted[0], key)),
      ["2", "2026-01-15T12:00:00.000Z", "2026-01-15T12:10:00.000Z"],
    );
    assert.match(detailOf(emitted[0], "EndTimeLocal"), /^2026-01-15T13:10:00.000\+01:00$/);
    const item = emitted[0]?.payload[0];
    assert.deepEqual([item?.["ProcessId"], item?.["ParentProcessId"]], [0, 0]);
    await clock.advance(600_000);
    assert.equal(emitted.length, 2);
    aggregator.stop();
  });

  it("lets other events and switched-off names pass at once, as they are", (test) => {
    const { emitted, open } = rig(test);
    const settings = {
      ...DEFAULT_SETTINGS.aggregation,
      ProcessCreate: { isEnabled: false, intervalMs: HOUR_MS },
    };
    const aggregator = open({ settings });
    const login: EventDraft = { name: "Login", payload: [{ ProcessId: 1 }] };
    aggregator.add([login, run("date", 9)]);
    assert.deepEqual(emitted, [login, run("date", 9)]);
    aggregator.stop();
  });

  it("keeps apart what differs in identity", (test) => {
    const { emitted, open } = rig(test);
    const aggregator = open();
    const connection = (port: string, user: string): EventDraft => ({
      name: "ConnectionCreate",
      payload: [
        {
          RemoteAddress: "192.0.2.1",
          RemotePort: port,
          LocalPort: "50000",
          Direction: "Out",
          Protocol: "tcp",
          ProcessId: 3,
          UserId: user,
          Executable: "/usr/bin/curl",
        },
      ],
    });
    aggregator.add([connection("443", "0"), connection("443", "0"), connection("80", "0")]);
    aggregator.add([connection("443", "1000")]);
    aggregator.flush();
    assert.deepEqual(
      emitted.map((draft) => detailOf(draft, "HitCount")),
      ["2", "1", "1"],
    );
    assert.equal(
      emitted[0]?.payload[0]?.["LocalPort"],
      undefined,
      "the own port differs each time",
    );
    aggregator.stop();
  });

  it("emits what is open as soon as it is switched off, or its shorter interval is over", async (test) => {
    const { clock, emitted, open } = rig(test);
    const aggregator = open();
    aggregator.add([run("date")]);
    await clock.advance(60_000);
    const shorter = { isEnabled: true, intervalMs: 30_000 };
    aggregator.configure({ ...DEFAULT_SETTINGS.aggregation, ProcessCreate: shorter });
    assert.equal(emitted.length, 1);
    aggregator.add([run("df")]);
    const off = { isEnabled: false, intervalMs: 30_000 };
    aggregator.configure({ ...DEFAULT_SETTINGS.aggregation, ProcessCreate: off });
    assert.equal(emitted.length, 2);
    aggregator.stop();
    assert.equal(clock.armed, 0);
  });

  it("ends the oldest window early when too many are open", (test) => {
    const { emitted, open } = rig(test);
    const aggregator = open({ maxWindows: 3 });
    aggregator.add(["a", "b", "c", "d", "e"].map((command) => run(command)));
    assert.equal(aggregator.openWindows, 3);
    assert.equal(aggregator.endedEarly, 2);
    assert.deepEqual(
      emitted.map((draft) => draft.payload[0]?.["CommandLine"]),
      ["a", "b"],
    );
    aggregator.stop();
    assert.equal(emitted.length, 5);
  });

  it("loses no window to a kill, and counts up to the last checkpoint", async (test) => {
    const { clock, emitted, open } = rig(test);
    const killed = open();
    killed.add([run("date"), run("date"), run("df")]);
    await clock.advance(10_000);
    killed.add([run("date"), run("ls")]);
    const next = open();
    assert.deepEqual(
      emitted.map((draft) => [draft.payload[0]?.["CommandLine"], detailOf(draft, "HitCount")]),
      [
        ["date", "2"],
        ["df", "1"],
        ["ls", "1"],
      ],
    );
    next.stop();
    const count = emitted.length;
    open().stop();
    assert.equal(emitted.length, count, "what was emitted is not emitted again");
  });

  it("starts over a journal of garbage", (test) => {
    const { emitted, journalPath, open } = rig(test);
    writeFileSync(journalPath, "GWR1 not a journal ".repeat(50));
    const aggregator = open();
    aggregator.add([run("date")]);
    aggregator.stop();
    assert.equal(emitted.length, 1);
  });

  it("accounts for every occurrence, whatever the order of adding, waiting and flushing", async () => {
    const action = fc.oneof(
      fc.record({ add: fc.constantFrom("a", "b", "c", "d") }),
      fc.record({ waitMs: fc.integer({ min: 1, max: 2 * HOUR_MS }) }),
      fc.constant({ flush: true }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        const { clock, emitted, open, remove } = rig();
        try {
          const aggregator = open({ maxWindows: 3 });
          let added = 0;
          for (const step of actions) {
            if ("add" in step) {
              added += 1;
              aggregator.add([run(step.add)]);
            } else if ("waitMs" in step) await clock.advance(step.waitMs);
            else aggregator.flush();
          }
          aggregator.stop();
          const hits = emitted.reduce((sum, draft) => sum + Number(detailOf(draft, "HitCount")), 0);
          assert.equal(hits, added);
        } finally {
          remove();
        }
      }),
      { numRuns: 60 },
    );
  });
});
