import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { openQueueFiles } from "./queue-files.ts";

it("a used-up segment stays until the journal may say so, or a kill takes its sequences", (test) => {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-queue-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  const files = openQueueFiles({
    folder,
    queue: "low",
    segmentBytes: 100,
    onLost: () => assert.fail("nothing is lost"),
  });
  files.recover(0, 1);
  for (let sequence = 1; sequence <= 4; sequence += 1) {
    const facts = { sequence, appendedAtMs: 0, priority: "Low", name: "Login" } as const;
    files.append([{ facts, json: "x".repeat(80) }]);
  }
  for (let sequence = 1; sequence <= 3; sequence += 1) {
    assert.equal(files.removeOldest()?.sequence, sequence);
  }
  assert.equal(files.oldest()?.sequence, 4);
  assert.equal(readdirSync(folder).length, 4);
  files.deleteSpent();
  assert.equal(readdirSync(folder).length, 1);
  files.close();
});
