/** The spool on a disk that refuses, lies or loses: nothing is silent and nothing throws. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Queue } from "../../src/pipeline/spool/spool-contract.ts";
import { entry, idsIn, type SpoolRig, spoolRig } from "./spool-rig.ts";

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** A folder where a file belongs: open(2) fails with EISDIR, for root too. */
function block(folder: string, queue: Queue, sequence: number): string {
  const path = join(folder, `${queue}-${String(sequence).padStart(16, "0")}.seg`);
  mkdirSync(path);
  return path;
}

describe("a disk that refuses", () => {
  it("costs nothing: entries wait in memory, in order, and are stored when it recovers", (test) => {
    const rig = spoolRig(test);
    const spool = rig.open();
    const blocked = block(rig.folder, "high", 1);
    assert.deepEqual(spool.append([entry("high", 1), entry("low", 2)]), {
      stored: 0,
      heldInMemory: 2,
    });
    assert.deepEqual(spool.append([entry("high", 3)]), { stored: 0, heldInMemory: 3 });
    assert.equal(rig.log.lines.filter((line) => line.level === "error").length, 1);
    rmdirSync(blocked);
    assert.equal(spool.retryHeld(), 0);
    assert.deepEqual([idsIn(spool, "high"), idsIn(spool, "low")], [[1, 3], [2]]);
    const again = rig.open();
    assert.deepEqual([idsIn(again, "high"), idsIn(again, "low")], [[1, 3], [2]]);
    assert.deepEqual(
      again.takeCounts().map((counts) => counts.collectedEvents),
      [2, 1],
    );
  });

  it("holds at most a mebibyte: low goes first, then operational, and each is counted", (test) => {
    const rig = spoolRig(test);
    const spool = rig.open(10_000_000);
    const blocked = block(rig.folder, "high", 1);
    spool.append(range(1, 20).map((id) => entry("high", id, 10_000)));
    spool.append(range(21, 60).map((id) => entry("operational", id, 10_000)));
    spool.append(range(61, 100).map((id) => entry("low", id, 10_000)));
    const { heldInMemory } = spool.append(range(101, 180).map((id) => entry("high", id, 10_000)));
    assert.ok(heldInMemory > 90 && heldInMemory <= 104, `${heldInMemory} are held`);
    rmdirSync(blocked);
    spool.retryHeld();
    assert.deepEqual(idsIn(spool, "low"), []);
    assert.deepEqual(idsIn(spool, "high"), [...range(1, 20), ...range(101, 180)]);
    const [high, low] = spool.takeCounts();
    assert.equal(high?.droppedEvents, 0);
    assert.equal(low?.collectedEvents, 80);
    assert.equal(low?.droppedEvents, 80 - idsIn(spool, "operational").length);
  });

  it("does not push the cache over its bound when it recovers", (test) => {
    const rig = spoolRig(test);
    const spool = rig.open(20_000);
    spool.append(range(1, 60).map((id) => entry("low", id, 200)));
    const blocked = block(rig.folder, "high", 1);
    for (const id of range(61, 100)) spool.append([entry("high", id, 400)]);
    rmdirSync(blocked);
    assert.equal(spool.retryHeld(), 0);
    const waiting = (["high", "low"] as const).reduce((sum, q) => sum + spool.state(q).bytes, 0);
    assert.ok(waiting <= 20_000, `${waiting} bytes wait`);
    assert.equal(idsIn(spool, "high").at(-1), 100);
  });

  it("counts and names what was still held when the spool closes", async (test) => {
    const rig = spoolRig(test);
    const spool = rig.open();
    const blocked = block(rig.folder, "high", 1);
    spool.append([entry("high", 1), entry("high", 2)]);
    await spool.close();
    rmdirSync(blocked);
    const [high] = rig.open().takeCounts();
    assert.deepEqual(
      [high?.collectedEvents, high?.droppedEvents, high?.droppedByName],
      [2, 2, { Login: 2 }],
    );
  });

  it("is asked again after a sync that failed", async (test) => {
    const rig = spoolRig(test);
    const spool = rig.open();
    spool.append([entry("high", 1)]);
    rmSync(rig.folder, { recursive: true });
    await assert.rejects(spool.sync(), "the folder is gone");
    mkdirSync(rig.folder, { recursive: true });
    await spool.sync();
  });
});

describe("a full disk", () => {
  const refused = "needs a small file system: run as root on Linux";
  it("loses nothing, tears nothing and takes events again when there is space", (test) => {
    const rig = spoolRig(test);
    if (!mountSmall(rig.folder)) {
      test.skip(refused);
      return;
    }
    try {
      fillAndFree(rig);
    } finally {
      spawnSync("umount", ["-l", rig.folder]);
    }
  });
});

function fillAndFree(rig: SpoolRig): void {
  const spool = rig.open(10_000_000);
  let held = 0;
  for (const id of range(1, 400)) {
    held = spool.append([entry("low", id, 1_000)]).heldInMemory;
    // The journal is written too, until it cannot be.
    spool.release("high", 0);
    spool.takeCounts();
  }
  assert.ok(held > 50, `${held} are held`);
  const stored = idsIn(spool, "low");
  assert.deepEqual(stored, range(1, 400 - held));
  const copy = spoolRig();
  try {
    cpSync(rig.folder, copy.folder, { recursive: true });
    assert.deepEqual(idsIn(copy.open(), "low"), stored, "a kill takes only what was held");
  } finally {
    copy.remove();
  }
  while (spool.state("low").events > 0) {
    spool.release("low", spool.peek("low", 1)[0]?.sequence ?? 0);
  }
  assert.ok(spool.retryHeld() < held);
  const after = rig.open(10_000_000);
  assert.equal(idsIn(after, "low")[0], 400 - held + 1);
  assert.equal(rig.log.lines.filter((line) => line.message.startsWith("spool was")).length, 0);
}

/** Puts a file system of 256 KiB on the folder; false where that is not allowed. */
function mountSmall(folder: string): boolean {
  if (process.getuid?.() !== 0) return false;
  const done = spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]);
  return done.status === 0;
}

describe("a spool whose files change under it", () => {
  it("goes on when a segment vanishes, and says what is lost", (test) => {
    const rig = spoolRig(test);
    const spool = rig.open(10_000_000);
    spool.append(range(1, 3).map((id) => entry("high", id)));
    for (const name of readdirSync(rig.folder)) {
      if (name.endsWith(".seg")) rmSync(join(rig.folder, name));
    }
    assert.deepEqual(spool.peek("high", 10_000), []);
    assert.equal(spool.state("high").events, 0);
    spool.append([entry("high", 4)]);
    assert.deepEqual(idsIn(spool, "high"), [4]);
    const [high] = spool.takeCounts();
    assert.deepEqual([high?.collectedEvents, high?.droppedEvents], [4, 3]);
  });

  it("opens although a segment cannot be read", (test) => {
    const rig = spoolRig(test);
    rig.open().append([entry("low", 1)]);
    block(rig.folder, "low", 77);
    const spool = rig.open();
    assert.deepEqual(idsIn(spool, "low"), [1]);
    spool.append([entry("low", 2)]);
    assert.deepEqual(idsIn(rig.open(), "low"), [1, 2]);
  });
});

describe("sequences", () => {
  it("are not taken back by a journal that is gone", (test) => {
    const rig = spoolRig(test);
    const first = rig.open();
    first.append(range(1, 5).map((id) => entry("high", id)));
    first.release("high", 5);
    first.append([entry("low", 6)]);
    rmSync(join(rig.folder, "journal"));
    const second = rig.open();
    second.release("high", 5);
    second.append([entry("high", 7)]);
    assert.ok((second.peek("high", 10_000).at(-1)?.sequence ?? 0) > 5);
  });

  it("beyond the newest are not released: what comes later must survive a restart", (test) => {
    const rig = spoolRig(test);
    const spool = rig.open();
    spool.append([entry("high", 1)]);
    spool.release("high", 1_000);
    spool.release("high", Number.NaN);
    spool.append([entry("high", 2)]);
    assert.deepEqual(idsIn(rig.open(), "high"), [2]);
  });

  it("of a journal that lags behind the files are not used twice", (test) => {
    const rig = spoolRig(test);
    const spool = rig.open(8_192);
    const journal = join(rig.folder, "journal");
    const before = readFileSync(journal);
    spool.append(range(1, 20).map((id) => entry("high", id, 100)));
    writeFileSync(journal, before);
    const next = rig.open(8_192);
    next.append([entry("high", 21)]);
    const sequences = next.peek("high", 1_000_000).map((event) => event.sequence);
    assert.equal(new Set(sequences).size, 21);
  });
});

describe("a large spool", () => {
  it("keeps few files open, and little of a hundred thousand events in memory", async (test) => {
    const rig = spoolRig(test);
    const spool = rig.open(200_000_000);
    const before = process.memoryUsage();
    for (let from = 1; from <= 100_000; from += 500) {
      spool.append(range(from, from + 499).map((id) => entry("low", id, 300)));
      if (from % 5_000 === 1) await spool.sync();
    }
    await spool.sync();
    const open = readdirSync("/proc/self/fd").filter((fd) => linkOf(fd).startsWith(rig.folder));
    assert.ok(open.length <= 4, `${open.length} files of the spool are open`);
    const next = rig.open(200_000_000);
    assert.equal(next.state("low").events, 100_000);
    collectGarbage();
    const after = process.memoryUsage();
    const grownBytes = after.heapUsed + after.external - before.heapUsed - before.external;
    assert.ok(grownBytes < 24_000_000, `${grownBytes} bytes more for 38 MB of events`);
    await next.close();
  });

  it("drops and counts an entry that no record can hold", (test) => {
    const rig = spoolRig(test);
    const spool = rig.open(20_000_000);
    spool.append([entry("low", 1), entry("low", 2, 4_300_000), entry("low", 3)]);
    assert.deepEqual(idsIn(spool, "low"), [1, 3]);
    assert.deepEqual(idsIn(rig.open(20_000_000), "low"), [1, 3]);
    assert.equal(spool.takeCounts()[1]?.droppedEvents, 1);
  });
});

/** Without the command line flag, so that the file runs like any other. */
function collectGarbage(): void {
  setFlagsFromString("--expose_gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
}

function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return "";
  }
}
