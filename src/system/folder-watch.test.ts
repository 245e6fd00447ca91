import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { watchFolder } from "./folder-watch.ts";

/** Time for the kernel's notices to come in. */
function notices(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

function watched(test: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-watch-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new FakeClock();
  let calls = 0;
  const watching = watchFolder(folder, new Set(["passwd", "shadow"]), () => calls++, clock);
  assert.ok(watching.ok);
  test.after(watching.value);
  return { folder, clock, stop: watching.value, calls: () => calls };
}

describe("a folder that is watched", () => {
  it("tells once of several files that were replaced, and again of the next change", async (test) => {
    const { folder, clock, calls } = watched(test);
    for (const name of ["passwd", "shadow"]) {
      writeFileSync(join(folder, `${name}+`), "x");
      renameSync(join(folder, `${name}+`), join(folder, name));
    }
    await notices();
    assert.equal(calls(), 0);
    await clock.advance(1_600);
    assert.equal(calls(), 1);
    writeFileSync(join(folder, "passwd"), "y");
    await notices();
    await clock.advance(1_600);
    assert.equal(calls(), 2);
  });

  it("keeps silent of other files, and when it has been stopped", async (test) => {
    const { folder, clock, stop, calls } = watched(test);
    writeFileSync(join(folder, "hostname"), "x");
    mkdirSync(join(folder, "ssh"));
    await notices();
    await clock.advance(1_600);
    writeFileSync(join(folder, "passwd"), "x");
    await notices();
    stop();
    stop();
    await clock.advance(1_600);
    assert.equal(calls(), 0);
  });

  it("that is not there is a problem", () => {
    const watching = watchFolder("/no/such/folder", new Set(), () => undefined, new FakeClock());
    assert.equal(watching.ok ? "" : watching.problem.code, "not-found");
  });
});
