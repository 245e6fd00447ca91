import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { entry, idsIn, spoolRig } from "./spool-rig.ts";

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

describe("the spool", () => {
  it("gives events back in order and forgets what was released", (test) => {
    const spool = spoolRig(test).open();
    spool.append(range(1, 5).map((id) => entry("high", id)));
    spool.append([entry("low", 6)]);
    assert.deepEqual(idsIn(spool, "high"), [1, 2, 3, 4, 5]);
    const third = spool.peek("high", 10_000)[2];
    spool.release("high", third?.sequence ?? 0);
    assert.deepEqual(idsIn(spool, "high"), [4, 5]);
    assert.deepEqual(idsIn(spool, "low"), [6]);
    assert.equal(spool.state("high").events, 2);
  });

  it("has everything that was appended, and nothing that was released, after a kill", (test) => {
    const rig = spoolRig(test);
    const first = rig.open();
    first.append(range(1, 100).map((id) => entry("low", id)));
    first.release("low", first.peek("low", 1_000_000)[29]?.sequence ?? 0);
    const second = rig.open();
    assert.deepEqual(idsIn(second, "low"), range(31, 100));
    second.append([entry("low", 101)]);
    assert.deepEqual(idsIn(rig.open(), "low"), range(31, 101));
  });

  it("never uses a sequence twice, even when everything was released", (test) => {
    const rig = spoolRig(test);
    const first = rig.open();
    first.append([entry("high", 1), entry("high", 2)]);
    const last = first.peek("high", 10_000)[1]?.sequence ?? 0;
    first.release("high", last);
    const second = rig.open();
    second.append([entry("high", 3)]);
    assert.ok((second.peek("high", 1)[0]?.sequence ?? 0) > last);
  });

  it("drops the oldest low first, then operational, then high, and counts each", (test) => {
    const spool = spoolRig(test).open(10_000);
    spool.append(range(1, 10).map((id) => entry("low", id, 200)));
    spool.append(range(11, 20).map((id) => entry("operational", id, 200)));
    spool.append(range(21, 60).map((id) => entry("high", id, 200)));
    assert.deepEqual(idsIn(spool, "low"), []);
    assert.deepEqual(idsIn(spool, "operational"), []);
    const high = idsIn(spool, "high");
    assert.deepEqual(high, range(60 - high.length + 1, 60), "the newest high ones stay");
    const [highCounts, lowCounts] = spool.takeCounts();
    assert.deepEqual(lowCounts, {
      queue: "Low",
      collectedEvents: 20,
      droppedEvents: 20,
      droppedByName: { ProcessCreate: 10, Diagnostic: 10 },
    });
    assert.equal(highCounts?.droppedEvents, 40 - high.length);
  });

  it("lets a low event that finds no room drop itself rather than a high one", (test) => {
    const spool = spoolRig(test).open(8_192);
    spool.append(range(1, 100).map((id) => entry("high", id, 200)));
    const before = idsIn(spool, "high");
    spool.takeCounts();
    spool.append([entry("low", 101, 400)]);
    assert.deepEqual(idsIn(spool, "high"), before);
    assert.equal(spool.takeCounts()[1]?.droppedEvents, 1);
  });

  it("keeps its counts over a kill and takes them once", (test) => {
    const rig = spoolRig(test);
    const first = rig.open(8_192);
    first.append(range(1, 60).map((id) => entry("low", id, 200)));
    const second = rig.open(8_192);
    const [, low] = second.takeCounts();
    assert.equal(low?.collectedEvents, 60);
    assert.equal((low?.droppedEvents ?? 0) + idsIn(second, "low").length, 60);
    assert.deepEqual(
      rig
        .open(8_192)
        .takeCounts()
        .map((counts) => counts.collectedEvents + counts.droppedEvents),
      [0, 0],
    );
  });

  it("does not evict what is held on its way to the hub", (test) => {
    const spool = spoolRig(test).open(8_192);
    spool.append(range(1, 20).map((id) => entry("low", id, 200)));
    const held = spool.peek("low", 1_000).at(-1);
    spool.hold({ low: held?.sequence ?? 0 });
    const before = idsIn(spool, "low").slice(0, 3);
    spool.append(range(21, 80).map((id) => entry("low", id, 200)));
    assert.deepEqual(idsIn(spool, "low").slice(0, 3), before);
    spool.release("low", held?.sequence ?? 0);
    spool.hold({});
    assert.equal(spool.takeCounts()[1]?.collectedEvents, 80);
  });

  it("shrinks at once when the bound is lowered", (test) => {
    const spool = spoolRig(test).open(100_000);
    spool.append(range(1, 200).map((id) => entry("low", id, 200)));
    spool.resize(10_000);
    const left = idsIn(spool, "low");
    assert.ok(left.length > 10 && left.length < 50);
    assert.equal(left.at(-1), 200);
  });

  it("measures waiting by the monotonic clock, whatever the wall clock does", async (test) => {
    const rig = spoolRig(test);
    const spool = rig.open();
    spool.append([entry("high", 1)]);
    rig.clock.jumpWall(-86_400_000);
    await rig.clock.advance(5_000);
    assert.equal(spool.state("high").oldestAgeMs, 5_000);
    rig.clock.jumpWall(10 * 86_400_000);
    assert.equal(spool.state("high").oldestAgeMs, 5_000);
  });

  it("deletes segments that are used up", (test) => {
    const rig = spoolRig(test);
    const spool = rig.open(10_000_000);
    for (const id of range(1, 3_000)) spool.append([entry("low", id, 400)]);
    const before = readdirSync(rig.folder).length;
    for (;;) {
      const last = spool.peek("low", 200_000).at(-1);
      if (last === undefined) break;
      spool.release("low", last.sequence);
    }
    assert.ok(before > 4);
    assert.ok(readdirSync(rig.folder).length <= 2);
  });
});

describe("a damaged spool", () => {
  it("loses only the torn record at its end", (test) => {
    const rig = spoolRig(test);
    rig.open().append(range(1, 20).map((id) => entry("high", id)));
    const segment = segmentsIn(rig.folder, "high")[0] ?? "";
    truncateSync(segment, statSync(segment).size - 3);
    const spool = rig.open();
    assert.deepEqual(idsIn(spool, "high"), range(1, 19));
    spool.append([entry("high", 21)]);
    assert.deepEqual(idsIn(rig.open(), "high"), [...range(1, 19), 21]);
    assert.ok(rig.log.lines.some((line) => line.message.startsWith("spool was damaged")));
  });

  it("skips a damaged record in the middle", (test) => {
    const rig = spoolRig(test);
    rig.open().append(range(1, 20).map((id) => entry("high", id)));
    const segment = segmentsIn(rig.folder, "high")[0] ?? "";
    const bytes = readFileSync(segment);
    const middle = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 0xff, middle);
    writeFileSync(segment, bytes);
    const left = idsIn(rig.open(), "high");
    assert.equal(left.length, 19);
    assert.deepEqual([left[0], left.at(-1)], [1, 20]);
  });

  it("starts whatever lies in its folder", (test) => {
    const rig = spoolRig(test);
    rig.open().append([entry("low", 1)]);
    writeFileSync(join(rig.folder, "journal"), "garbage ".repeat(100));
    writeFileSync(join(rig.folder, "high-0000000000000001.seg"), "");
    writeFileSync(join(rig.folder, "low-9999999999999999.seg"), Buffer.alloc(5_000, 7));
    writeFileSync(join(rig.folder, "operational-0000000000000007.seg"), "GWR1");
    writeFileSync(join(rig.folder, "notes.txt"), "hello");
    const spool = rig.open();
    assert.deepEqual(idsIn(spool, "low"), [1]);
    spool.append([entry("high", 2), entry("operational", 3), entry("low", 4)]);
    const again = rig.open();
    assert.deepEqual(
      [idsIn(again, "high"), idsIn(again, "operational"), idsIn(again, "low")],
      [[2], [3], [1, 4]],
    );
  });
});

function segmentsIn(folder: string, queue: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${queue}-`))
    .sort()
    .map((name) => join(folder, name));
}
