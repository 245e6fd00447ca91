import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import type { EventDraft } from "../../contract/event.ts";
import { DEFAULT_SETTINGS } from "../../contract/settings.ts";
import { encodeFrame } from "../spool/frame.ts";
import { type OpenWindow, openAggregationJournal } from "./aggregation-journal.ts";
import { createAggregator } from "./aggregator.ts";

function folderOf(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-aggregation-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function windowOf(key: string, padding = 0): OpenWindow {
  const item = { Executable: "/usr/bin/x", CommandLine: "y".repeat(padding) };
  return { name: "ProcessCreate", key, item, firstMs: 1_000, lastMs: 2_000, hits: 1 };
}

function keysLeft(path: string): readonly string[] {
  const journal = openAggregationJournal(path, () => []);
  journal.close();
  return journal.leftOpen.map((window) => window.key);
}

describe("the aggregation journal", () => {
  it("stays small while counts are written for hours, and keeps the newest", (test) => {
    const path = join(folderOf(test), "journal");
    const windows = Array.from({ length: 200 }, (_, index) => windowOf(`key-${index}`, 200));
    const journal = openAggregationJournal(path, () => windows);
    for (const window of windows) journal.opened(window);
    for (let turn = 0; turn < 200; turn += 1) {
      for (const window of windows) window.hits += 1;
      journal.counted(windows);
    }
    journal.close();
    assert.ok(statSync(path).size < 600_000, `${statSync(path).size} bytes`);
    const again = openAggregationJournal(path, () => []);
    again.close();
    assert.deepEqual([again.leftOpen.length, again.leftOpen[0]?.hits], [200, 201]);
  });

  it("is not written anew at every end while much is open", (test) => {
    const path = join(folderOf(test), "journal");
    let open = Array.from({ length: 600 }, (_, index) => windowOf(`key-${index}`, 1_000));
    let written = 0;
    const journal = openAggregationJournal(path, () => {
      written += 1;
      return open;
    });
    for (const window of open) journal.opened(window);
    for (let ended = 0; ended < 100; ended += 1) {
      const [first] = open;
      open = open.slice(1);
      journal.closed([first?.key ?? ""]);
    }
    journal.close();
    assert.equal(written, 1);
    assert.equal(keysLeft(path).length, 500);
  });

  it("ignores records whose checksum holds and whose content makes no sense", (test) => {
    const path = join(folderOf(test), "journal");
    const journal = openAggregationJournal(path, () => []);
    journal.opened(windowOf("good"));
    journal.close();
    const base = { name: "ProcessCreate", firstMs: 1, lastMs: 1, item: "{}" };
    for (const record of [
      { key: "good", hits: -5, lastMs: 1 },
      { key: "good", hits: 1.5, lastMs: 1 },
      { ...base, key: "none", hits: 0 },
      { ...base, key: "login", name: "Login", hits: 1 },
      { ...base, key: "item", item: "[", hits: 1 },
      [],
    ]) {
      appendFileSync(path, encodeFrame(Buffer.from(JSON.stringify(record))));
    }
    const again = openAggregationJournal(path, () => []);
    again.close();
    assert.deepEqual(
      again.leftOpen.map(({ key, hits }) => [key, hits]),
      [["good", 1]],
    );
  });

  it("does not bring back what was emitted while the disk was full", (test) => {
    const folder = folderOf(test);
    const isSmall =
      process.getuid?.() === 0 &&
      spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]).status === 0;
    if (!isSmall) {
      test.skip("needs a small file system: run as root on Linux");
      return;
    }
    try {
      const path = join(folder, "journal");
      const journal = openAggregationJournal(path, () => []);
      journal.opened(windowOf("emitted"));
      assert.throws(() => writeFileSync(join(folder, "filler"), Buffer.alloc(100_000)));
      assert.throws(() => {
        for (let n = 0; n < 100; n += 1) journal.opened(windowOf(`more-${n}`, 1_000));
      });
      const stored = keysLeft(path);
      const keys = Array.from({ length: 300 }, () => "emitted");
      assert.throws(() => journal.closed(keys));
      assert.deepEqual(keysLeft(path), stored, "a write that failed leaves nothing half written");
      rmSync(join(folder, "filler"));
      journal.opened(windowOf("later"));
      assert.deepEqual(keysLeft(path), [...stored.filter((key) => key !== "emitted"), "later"]);
      journal.close();
    } finally {
      spawnSync("umount", ["-l", folder]);
    }
  });
});

it("emits a window once although its receiver flushes at once", (test) => {
  const emitted: EventDraft[] = [];
  const aggregator = createAggregator({
    journalPath: join(folderOf(test), "journal"),
    settings: DEFAULT_SETTINGS.aggregation,
    clock: new FakeClock(),
    log: new RecordingLog(),
    emit: (drafts) => {
      emitted.push(...drafts);
      assert.ok(emitted.length < 10, "windows are emitted again and again");
      aggregator.flush();
    },
  });
  aggregator.add([{ name: "ProcessCreate", payload: [{ Executable: "/bin/date" }] }]);
  aggregator.flush();
  assert.equal(emitted.length, 1);
  aggregator.stop();
});
