import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { temporaryFolder } from "../../test/system/temporary-folder.ts";
import { AgentError, type AgentErrorCode } from "../contract/errors.ts";
import type { JsonValue } from "../contract/json.ts";
import { createCursorStore } from "./cursor-store.ts";

function throwsCode(code: AgentErrorCode, action: () => void): void {
  assert.throws(action, (error) => error instanceof AgentError && error.code === code);
}

describe("a cursor store", () => {
  it("gives back what was written, to the next process too", (test) => {
    const folder = join(temporaryFolder(test), "cursors");
    const store = createCursorStore(folder, "logins");
    assert.equal(store.read(), undefined);
    store.write({ inode: 7, offset: 1024, boot: "a" });
    const next = createCursorStore(folder, "logins");
    assert.deepEqual(next.read(), { inode: 7, offset: 1024, boot: "a" });
    assert.equal(createCursorStore(folder, "processes").read(), undefined);
    assert.equal(next.corruptReads(), 0);
    assert.equal(statSync(join(folder, "logins.json")).mode & 0o7777, 0o600);
    assert.equal(statSync(folder).mode & 0o7777, 0o700);
  });

  it("keeps any value that JSON can carry", (test) => {
    const store = createCursorStore(join(temporaryFolder(test), "cursors"), "any");
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes("__proto__"));
        const cursor: JsonValue = JSON.parse(text);
        store.write(cursor);
        assert.deepEqual(store.read(), cursor);
      }),
      { numRuns: 30 },
    );
    assert.equal(store.corruptReads(), 0);
  });

  for (const [what, content] of [
    ["torn", '{"cursor":{"inode'],
    ["empty", ""],
    ["of another shape", "[1]"],
    ["without a cursor", "{}"],
    ["too long", `{"cursor":"${"x".repeat(70_000)}"}`],
  ] as const) {
    it(`reads a file that is ${what} as undefined, counted and logged`, (test) => {
      const folder = temporaryFolder(test);
      const log = new RecordingLog();
      writeFileSync(join(folder, "logins.json"), content);
      const store = createCursorStore(folder, "logins", log);
      assert.equal(store.read(), undefined);
      assert.equal(store.corruptReads(), 1);
      assert.deepEqual(
        log.lines.map((line) => [line.level, line.fields["collector"]]),
        [["warn", "logins"]],
      );
      // The first write puts it right.
      store.write(1);
      assert.equal(store.read(), 1);
    });
  }

  it("clears away what a killed write left, and nothing else", (test) => {
    const folder = temporaryFolder(test);
    for (const name of [".logins.json.1.tmp", ".other.json.1.tmp", "notes.tmp"]) {
      writeFileSync(join(folder, name), "");
    }
    createCursorStore(folder, "logins").write(1);
    assert.deepEqual(readdirSync(folder).sort(), [".other.json.1.tmp", "logins.json", "notes.tmp"]);
  });

  it("refuses a value it could not read back, and keeps the old one", (test) => {
    const store = createCursorStore(temporaryFolder(test), "logins");
    store.write("old");
    let deep: JsonValue = 1;
    for (let depth = 0; depth < 40; depth += 1) deep = [deep];
    throwsCode("AGENT_INTERNAL", () => store.write("x".repeat(65_536)));
    throwsCode("AGENT_INTERNAL", () => store.write(deep));
    assert.equal(store.read(), "old");
  });

  it("goes on when the disk refuses, says so once, and writes when it accepts again", (test) => {
    const folder = temporaryFolder(test);
    const log = new RecordingLog();
    const inTheWay = join(folder, "logins.json");
    mkdirSync(join(inTheWay, "x"), { recursive: true });
    const store = createCursorStore(folder, "logins", log);
    const warnings = (): number => log.lines.filter(({ level }) => level === "warn").length;
    store.write(1);
    store.write(2);
    assert.deepEqual(readdirSync(folder), ["logins.json"]);
    assert.equal(store.refusedWrites(), 2);
    assert.equal(warnings(), 1);
    rmSync(inTheWay, { recursive: true });
    store.write(3);
    assert.equal(store.read(), 3);
    assert.equal(warnings(), 1);
  });

  it("goes on when its folder cannot be made", (test) => {
    const folder = temporaryFolder(test);
    writeFileSync(join(folder, "file"), "");
    const store = createCursorStore(join(folder, "file"), "logins");
    store.write(1);
    assert.equal(store.refusedWrites(), 1);
  });

  it("takes only the name of a collector", () => {
    for (const name of ["", "../x", "a/b", "A", "."]) {
      throwsCode("AGENT_INTERNAL", () => createCursorStore("unused", name));
    }
  });
});
