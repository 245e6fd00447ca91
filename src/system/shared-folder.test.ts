import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { openSharedFolder } from "./shared-folder.ts";

describe("a shared folder", () => {
  const path = mkdtempSync(join(tmpdir(), "gatewarden-shared-"));
  after(() => rmSync(path, { recursive: true }));
  const folder = openSharedFolder(path);

  it("gives a name to the first who creates it and refuses the second", () => {
    assert.ok(folder.create("claim-1", "first").ok);
    const second = folder.create("claim-1", "second");
    assert.equal(!second.ok && second.problem.code, "conflict");
    assert.deepEqual(folder.read("claim-1", 100), { ok: true, value: "first" });
    assert.equal(statSync(join(path, "claim-1")).mode & 0o777, 0o600);
    assert.deepEqual(
      readdirSync(path).filter((name) => name.startsWith(".")),
      [],
    );
  });

  it("returns the size after an append", () => {
    assert.deepEqual(folder.append("lines", "one\n"), { ok: true, value: 4 });
    assert.deepEqual(folder.append("lines", "two\n"), { ok: true, value: 8 });
  });

  it("cuts a line that was never finished, and only that", () => {
    appendFileSync(join(path, "lines"), '{"torn":');
    assert.deepEqual(folder.readLastLines("lines", 1_000), { ok: true, value: "one\ntwo\n" });
    assert.equal(readFileSync(join(path, "lines"), "utf8"), "one\ntwo\n");
  });

  it("starts the last lines with a whole one", () => {
    assert.deepEqual(folder.readLastLines("lines", 6), { ok: true, value: "two\n" });
  });

  it("cuts all of a file that is one unfinished line", () => {
    appendFileSync(join(path, "torn"), "abc");
    assert.deepEqual(folder.readLastLines("torn", 1_000), { ok: true, value: "" });
    assert.equal(readFileSync(join(path, "torn"), "utf8"), "");
  });

  it("says that a file is not there", () => {
    const read = folder.readLastLines("none", 10);
    assert.equal(!read.ok && read.problem.code, "not-found");
  });

  it("holds a lock against itself until it is let go, and lists neither locks nor links", () => {
    const first = folder.lock("partition-0");
    assert.ok(first.ok);
    const second = folder.lock("partition-0");
    assert.equal(!second.ok && second.problem.code, "conflict");
    assert.ok(folder.lock("partition-1").ok);
    first.value();
    assert.ok(folder.lock("partition-0").ok);
    const names = folder.list();
    assert.deepEqual(names.ok && names.value, ["claim-1", "lines", "torn"]);
  });

  it("refuses names that lead out of it", () => {
    for (const name of ["../a", ".a", "a/b", ""]) assert.throws(() => folder.read(name, 1));
  });
});
