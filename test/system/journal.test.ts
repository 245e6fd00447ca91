/** Following real journal files, as systemd-journal-remote writes them. */
import assert from "node:assert/strict";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { JournalEntry, JournalQuery } from "../../src/contract/journal.ts";
import { ok, type Problem } from "../../src/contract/result.ts";
import { loadCLibrary } from "../../src/system/c-library.ts";
import { systemClock } from "../../src/system/clock.ts";
import { followJournal } from "../../src/system/journal.ts";
import { loadJournalLibrary } from "../../src/system/journal-library.ts";
import { createProbe } from "../../src/system/probe.ts";
import { createReadiness } from "../../src/system/readiness.ts";
import { FIRST_MS, noJournalWriter, numbered, writeJournal } from "./journal-writer.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const journal = loadJournalLibrary();
const library = loadCLibrary();
const readiness = library.ok ? ok(createReadiness(library.value)) : library;
const skip = journal.ok ? noJournalWriter : `no libsystemd here: ${journal.problem.detail}`;

interface Following {
  /** Messages so far. */
  readonly messages: string[];
  readonly entries: JournalEntry[];
  readonly portions: number[];
  readonly problems: Problem[];
  /** Waits until so many entries are there. */
  until(count: number): Promise<void>;
  stop(): void;
}

function query(wanted: Partial<JournalQuery> = {}): JournalQuery {
  return { matches: new Map(), fields: ["MESSAGE"], maxValueBytes: 1_000, ...wanted };
}

function followFolder(
  test: TestContext,
  folder: string,
  wanted: Partial<JournalQuery> = {},
): Following {
  const entries: JournalEntry[] = [];
  const messages: string[] = [];
  const portions: number[] = [];
  const problems: Problem[] = [];
  let check = (): void => undefined;
  const parts = { library: () => journal, readiness: () => readiness, clock: systemClock, folder };
  const following = followJournal(parts, query(wanted), {
    onEntries(portion) {
      entries.push(...portion);
      messages.push(...portion.map((entry) => entry.fields.get("MESSAGE") ?? ""));
      portions.push(portion.length);
      check();
    },
    onProblem: (problem) => problems.push(problem),
  });
  assert.ok(following.ok, following.ok ? "" : following.problem.detail);
  const stop = following.value;
  test.after(stop);
  const until = (count: number): Promise<void> =>
    new Promise((resolve) => {
      check = () => entries.length >= count && resolve();
      check();
    });
  return { entries, messages, portions, problems, until, stop };
}

function texts(from: number, to: number): readonly string[] {
  return numbered(from, to).map(({ number }) => `entry ${number}`);
}

/** Folder with `a.journal`, which has the entries 1 to `count`. */
function folderWith(test: TestContext, count: number): { folder: string; file: string } {
  const folder = temporaryFolder(test);
  const file = join(folder, "a.journal");
  writeJournal(file, numbered(1, count));
  return { folder, file };
}

async function cursorOf(test: TestContext, folder: string, number: number): Promise<string> {
  const all = followFolder(test, folder, { afterCursor: "none", afterRealtimeMs: 0 });
  await all.until(number);
  all.stop();
  const entry = all.entries[number - 1];
  assert.equal(entry?.fields.get("MESSAGE"), `entry ${number}`);
  return entry?.cursor ?? "";
}

describe("following the journal", { skip, timeout: 60_000 }, () => {
  it("begins with what comes now, in the same file and in new ones", async (test) => {
    const { folder, file } = folderWith(test, 5);
    const following = followFolder(test, folder);
    writeJournal(file, numbered(6, 7));
    await following.until(2);
    writeJournal(join(folder, "b.journal"), numbered(8, 9));
    await following.until(4);
    assert.deepEqual(following.messages, texts(6, 9));
    assert.equal(following.entries[0]?.realtimeMs, FIRST_MS + 6);
    assert.deepEqual(following.problems, []);
  });

  it("notices the first entry of a journal without any", async (test) => {
    const folder = temporaryFolder(test);
    const following = followFolder(test, folder);
    writeJournal(join(folder, "a.journal"), numbered(1, 2));
    await following.until(2);
    assert.deepEqual(following.messages, texts(1, 2));
  });

  it("notices the first entry that matches where none did", async (test) => {
    const { folder, file } = folderWith(test, 3);
    const following = followFolder(test, folder, { matches: new Map([["_COMM", ["sshd"]]]) });
    writeJournal(file, [...numbered(4, 4), ...numbered(5, 5, { _COMM: "sshd" })]);
    await following.until(1);
    assert.deepEqual(following.messages, texts(5, 5));
  });

  it("goes on behind a cursor without telling its entry again", async (test) => {
    const { folder, file } = folderWith(test, 5);
    const afterCursor = await cursorOf(test, folder, 3);
    const following = followFolder(test, folder, { afterCursor, afterRealtimeMs: 0 });
    await following.until(2);
    writeJournal(file, numbered(6, 6));
    await following.until(3);
    assert.deepEqual(following.messages, texts(4, 6));
  });

  it("goes on behind the cursor of the last entry", async (test) => {
    const { folder, file } = folderWith(test, 2);
    const following = followFolder(test, folder, { afterCursor: await cursorOf(test, folder, 2) });
    writeJournal(file, numbered(3, 3));
    await following.until(1);
    assert.deepEqual(following.messages, texts(3, 3));
  });

  it("goes by time where the entry of the cursor is gone", async (test) => {
    const { folder, file } = folderWith(test, 5);
    const afterCursor = await cursorOf(test, folder, 3);
    rmSync(file);
    writeJournal(join(folder, "b.journal"), numbered(10, 20));
    const afterRealtimeMs = FIRST_MS + 15;
    const following = followFolder(test, folder, { afterCursor, afterRealtimeMs });
    await following.until(6);
    assert.deepEqual(following.messages, texts(15, 20));
  });

  it("tells what comes although the clock was set back since", async (test) => {
    const { folder, file } = folderWith(test, 5);
    const afterRealtimeMs = FIRST_MS + 1_000_000;
    const following = followFolder(test, folder, { afterCursor: "none", afterRealtimeMs });
    writeJournal(file, numbered(6, 6));
    await following.until(1);
    assert.deepEqual(following.messages, texts(6, 6));
  });

  it("takes a text that is no cursor and no time for the present", async (test) => {
    const { folder, file } = folderWith(test, 2);
    const following = followFolder(test, folder, { afterCursor: "s=nonsense" });
    writeJournal(file, numbered(3, 3));
    await following.until(1);
    assert.deepEqual(following.messages, texts(3, 3));
  });

  it("takes any value of a field, and all fields at once", async (test) => {
    const folder = temporaryFolder(test);
    const following = followFolder(test, folder, {
      matches: new Map([
        ["_COMM", ["sshd", "sudo"]],
        ["SYSLOG_FACILITY", ["4", "10"]],
      ]),
    });
    writeJournal(join(folder, "a.journal"), [
      ...numbered(1, 1, { _COMM: "sshd", SYSLOG_FACILITY: "4" }),
      ...numbered(2, 2, { _COMM: "sudo", SYSLOG_FACILITY: "3" }),
      ...numbered(3, 3, { _COMM: "cron", SYSLOG_FACILITY: "10" }),
      ...numbered(4, 4, { _COMM: "sudo", SYSLOG_FACILITY: "10" }),
      ...numbered(5, 5, { SYSLOG_FACILITY: "10" }),
      ...numbered(6, 6, { _COMM: "sshd", SYSLOG_FACILITY: "10" }),
    ]);
    await following.until(3);
    assert.deepEqual(following.messages, ["entry 1", "entry 4", "entry 6"]);
  });
});

describe("an entry of the journal", { skip, timeout: 60_000 }, () => {
  it("has the fields asked for that it has, byte for byte", async (test) => {
    const folder = temporaryFolder(test);
    const fields = ["MESSAGE", "_PID", "_EXE"];
    const following = followFolder(test, folder, { fields });
    const MESSAGE = "Grüße=\n\u{1F512} of two lines";
    writeJournal(join(folder, "a.journal"), [
      { number: 1, fields: { MESSAGE, _PID: "12", _UID: "0" } },
      { number: 2, fields: { MESSAGE: Buffer.from([0x61, 0xff, 0x62]), _PID: "" } },
    ]);
    await following.until(2);
    assert.deepEqual(
      following.entries.map((entry) => [...entry.fields]),
      [
        [
          ["MESSAGE", MESSAGE],
          ["_PID", "12"],
        ],
        [
          ["MESSAGE", "a\u{FFFD}b"],
          ["_PID", ""],
        ],
      ],
    );
  });

  it("has values cut at the limit, stored compressed or not, never within a character", async (test) => {
    const folder = temporaryFolder(test);
    const following = followFolder(test, folder, { maxValueBytes: 10 });
    const values = [
      "1234567890",
      "12345678901",
      "123456789ü",
      "1234567\u{1F512}",
      "x".repeat(100_000),
    ];
    writeJournal(
      join(folder, "a.journal"),
      values.map((MESSAGE, at) => ({ number: at + 1, fields: { MESSAGE } })),
    );
    await following.until(values.length);
    assert.deepEqual(following.messages, [
      "1234567890",
      "1234567890",
      "123456789",
      "1234567",
      "x".repeat(10),
    ]);
  });
});

describe("files of the journal", { skip, timeout: 60_000 }, () => {
  it("may be rotated: renamed, begun anew and removed", async (test) => {
    const { folder, file } = folderWith(test, 3);
    const following = followFolder(test, folder);
    writeJournal(file, numbered(4, 5));
    await following.until(2);
    renameSync(file, join(folder, "a@0001.journal"));
    writeJournal(file, numbered(6, 7));
    await following.until(4);
    rmSync(join(folder, "a@0001.journal"));
    writeJournal(file, numbered(8, 8));
    await following.until(5);
    assert.deepEqual(following.messages, texts(4, 8));
    assert.deepEqual(following.problems, []);
  });

  it("that are garbage do not keep the good ones from being read", async (test) => {
    const { folder, file } = folderWith(test, 2);
    writeFileSync(join(folder, "garbage.journal"), Buffer.alloc(100_000, 0x5a));
    writeFileSync(join(folder, "empty.journal"), "");
    const following = followFolder(test, folder);
    writeFileSync(join(folder, "later.journal"), Buffer.alloc(4_096, 0xff));
    writeJournal(file, numbered(3, 4));
    await following.until(2);
    assert.deepEqual(following.messages, texts(3, 4));
  });

  it("with thousands of entries are told in portions, all of them in order", async (test) => {
    const { folder } = folderWith(test, 5_000);
    const all = followFolder(test, folder, { afterCursor: "none", afterRealtimeMs: 0 });
    await all.until(5_000);
    assert.deepEqual(all.messages, texts(1, 5_000));
    assert.equal(Math.max(...all.portions), 200);
    assert.equal(all.portions.length, 25);
  });
});

describe("the end of following", { skip, timeout: 60_000 }, () => {
  it("may come twice and from the listener, and nothing is told after it", async (test) => {
    const { folder } = folderWith(test, 500);
    const told: number[] = [];
    const parts = {
      library: () => journal,
      readiness: () => readiness,
      clock: systemClock,
      folder,
    };
    const wanted = query({ afterCursor: "none", afterRealtimeMs: 0 });
    await new Promise<void>((resolve) => {
      const following = followJournal(parts, wanted, {
        onEntries(entries) {
          told.push(entries.length);
          assert.ok(following.ok);
          following.value();
          following.value();
          resolve();
        },
        onProblem: (problem) => assert.fail(problem.detail),
      });
    });
    writeJournal(join(folder, "b.journal"), numbered(501, 600));
    const other = followFolder(test, folder, { afterCursor: "none", afterRealtimeMs: 0 });
    await other.until(600);
    assert.deepEqual(told, [200]);
  });
});

describe("a journal that cannot be followed", () => {
  const listener = { onEntries: () => undefined, onProblem: () => undefined };
  const neverAsked = { library: () => assert.fail(), readiness: () => assert.fail() };

  it("is not found without its folders, and loads no library", (test) => {
    const folder = join(temporaryFolder(test), "none");
    const parts = { ...neverAsked, clock: systemClock, folder };
    const following = followJournal(parts, query(), listener);
    assert.equal(following.ok ? "ok" : following.problem.code, "not-found");
  });

  it("is malformed with a name that is none, and with a field that no value fits", () => {
    const parts = { ...neverAsked, clock: systemClock };
    for (const wanted of [
      { fields: ["message"] },
      { fields: ["A=B"] },
      { fields: [""] },
      { matches: new Map([["_COMM", []]]) },
      { matches: new Map([["a", ["b"]]]) },
    ]) {
      const following = followJournal(parts, query(wanted), listener);
      assert.equal(following.ok ? "ok" : following.problem.code, "malformed");
    }
  });

  it("is unsupported on a captured root", (test) => {
    const probe = createProbe({ root: temporaryFolder(test) });
    const following = probe.followJournal(query(), listener);
    assert.equal(following.ok ? "ok" : following.problem.code, "unsupported");
  });
});
