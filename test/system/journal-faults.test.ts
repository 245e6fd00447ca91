/** What following does when libsystemd reports errors: a journal of its own, on a clock that is moved. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { JournalQuery } from "../../src/contract/journal.ts";
import { fail, ok, type Result } from "../../src/contract/result.ts";
import { followJournal } from "../../src/system/journal.ts";
import type { JournalHandle } from "../../src/system/journal-library.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const DAMAGED = fail("malformed", "journal", "damaged data");

/** Entries are texts; "damaged" has a value that cannot be read. Cursors are positions. */
class ToyJournal {
  readonly entries: string[] = [];
  readonly opened: string[] = [];
  closed = 0;
  /** Answer of `process`, `step` and `open` while set. */
  failing: "process" | "next" | "open" | undefined;
  changed: () => void = () => undefined;

  open(): Result<JournalHandle> {
    if (this.failing === "open") return fail("too-large", "journal", "no descriptors left");
    let at = -1;
    const place = (position: number, how: string): Result<void> => {
      at = position;
      this.opened.push(how);
      return ok(undefined);
    };
    return ok({
      addMatch: () => ok(undefined),
      limitData: () => ok(undefined),
      seekHead: () => place(-1, "head"),
      seekTail: () => place(this.entries.length, "tail"),
      seekCursor: (cursor) => place(Number(cursor) - 1, `cursor ${cursor}`),
      seekRealtime: (realtimeMs) => place(realtimeMs - 1, `time ${realtimeMs}`),
      step: (direction) => {
        if (this.failing === direction) return DAMAGED;
        const to = direction === "next" ? at + 1 : at - 1;
        if (to < 0 || to >= this.entries.length) return ok(false);
        at = to;
        return ok(true);
      },
      isAt: (cursor) => ok(Number(cursor) === at),
      value: () => {
        const text = this.entries[at] ?? "";
        return text === "damaged" ? DAMAGED : ok(new TextEncoder().encode(text));
      },
      cursor: () => ok(String(at)),
      realtimeMs: () => ok(at),
      descriptor: () => ok(7),
      process: () => (this.failing === "process" ? DAMAGED : ok(undefined)),
      close: () => {
        this.closed += 1;
      },
    });
  }
}

function rig(test: TestContext, wanted: Partial<JournalQuery> = {}) {
  const journal = new ToyJournal();
  const clock = new FakeClock();
  const told: string[] = [];
  let watches = 0;
  const readiness = {
    watch: (_: number, onReadable: () => void): (() => void) => {
      journal.changed = onReadable;
      watches += 1;
      return () => {
        watches -= 1;
      };
    },
  };
  const start = (): Result<() => void> =>
    followJournal(
      {
        library: () => ok({ open: () => journal.open() }),
        readiness: () => ok(readiness),
        clock,
        folder: temporaryFolder(test),
      },
      { matches: new Map(), fields: ["MESSAGE"], maxValueBytes: 100, ...wanted },
      {
        onEntries: (entries) => told.push(...entries.map((e) => e.fields.get("MESSAGE") ?? "")),
        onProblem: (problem) => told.push(`! ${problem.detail}`),
      },
    );
  return { journal, clock, told, start, watches: () => watches };
}

describe("a journal with faults", () => {
  it("is read on behind an entry that cannot be read", async (test) => {
    const { journal, clock, told, start } = rig(test);
    const following = start();
    journal.entries.push("a", "damaged", "b");
    journal.changed();
    await clock.advance(0);
    assert.ok(following.ok);
    assert.deepEqual(told, ["a", "b", "! damaged data"]);
  });

  it("that fails as a whole is opened anew, behind what was told", async (test) => {
    for (const failing of ["process", "next"] as const) {
      const { journal, clock, told, start, watches } = rig(test);
      const following = start();
      journal.entries.push("a", "b");
      journal.changed();
      await clock.advance(0);
      journal.failing = failing;
      journal.changed();
      await clock.advance(0);
      assert.deepEqual([journal.closed, watches()], [1, 0]);
      journal.failing = "open";
      await clock.advance(10_000);
      journal.failing = undefined;
      journal.entries.push("c");
      await clock.advance(10_000);
      assert.deepEqual(told, ["a", "b", "! damaged data", "! no descriptors left", "c"]);
      assert.equal(journal.opened.at(-1), "cursor 1");
      assert.ok(following.ok);
      following.value();
      following.value();
      assert.deepEqual([journal.closed, watches(), clock.armed], [2, 0, 0]);
    }
  });

  it("is not opened anew after the end of following", async (test) => {
    const { journal, clock, told, start } = rig(test);
    const following = start();
    journal.failing = "process";
    journal.changed();
    assert.ok(following.ok);
    following.value();
    assert.equal(clock.armed, 0);
    assert.deepEqual(told, ["! damaged data"]);
  });

  it("that cannot be placed is a problem of the call, and is closed", (test) => {
    const { journal, start, watches } = rig(test, { afterCursor: "0" });
    journal.failing = "next";
    const following = start();
    assert.equal(following.ok ? "ok" : following.problem.code, "malformed");
    assert.deepEqual([journal.closed, watches()], [1, 0]);
  });

  it("gives others their turn after 200 entries", async (test) => {
    const { journal, clock, told, start } = rig(test);
    start();
    journal.entries.push(...Array.from({ length: 450 }, (_, at) => `entry ${at}`));
    let toldInBetween = 0;
    clock.after(0, () => {
      toldInBetween = told.length;
    });
    await clock.advance(0);
    assert.equal(toldInBetween, 200);
    assert.equal(told.length, 450);
  });
});
