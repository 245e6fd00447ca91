import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { AgentError } from "../../src/contract/errors.ts";
import { FileTransport } from "../../src/transport/file/file-transport.ts";
import type { FileOptions } from "../../src/transport/transport-options.ts";
import { outgoing } from "../contract/transport-bench.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function inFolder(
  options: Partial<FileOptions>,
  body: (transport: FileTransport, path: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "file-transport-"));
  const path = join(folder, "out.jsonl");
  const transport = new FileTransport({ path, ...options });
  try {
    await body(transport, path);
  } finally {
    await transport.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const linesOf = (path: string): readonly unknown[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line));

describe("the file transport", () => {
  it("writes one envelope per line, also when messages come at once", () =>
    inFolder({}, async (transport, path) => {
      const body = bytes('{\n  "Events": ["a\\nb"]\n}');
      const first = outgoing({ messageId: "m-1", body });
      const outcomes = await Promise.all([transport.send(first), transport.send(outgoing())]);
      assert.deepEqual(outcomes, [{ status: "acknowledged" }, { status: "acknowledged" }]);
      assert.deepEqual(linesOf(path)[0], {
        properties: { messageId: "m-1", kind: "security", schema: "1.0" },
        body: { Events: ["a\nb"] },
      });
      assert.equal(linesOf(path).length, 2);
      assert.equal(statSync(path).mode & 0o777, 0o600);
    }));

  it("rotates by size and keeps the number of files it was told", () =>
    inFolder({ maxBytes: 400, maxFiles: 2 }, async (transport, path) => {
      for (let number = 1; number <= 12; number += 1) {
        await transport.send(outgoing({ messageId: `m-${number}` }));
      }
      const files = [path, `${path}.1`, `${path}.2`, `${path}.3`];
      assert.deepEqual(files.map(existsSync), [true, true, true, false]);
      for (const file of files.slice(0, 3)) assert.ok(statSync(file).size <= 400);
      const kept = [`${path}.2`, `${path}.1`, path].flatMap((file) => linesOf(file));
      const last = kept.at(-1) as { properties: { messageId: string } };
      assert.equal(last.properties.messageId, "m-12");
    }));

  it("goes on where an earlier run ended", () =>
    inFolder({}, async (transport, path) => {
      await transport.send(outgoing());
      await transport.stop();
      const next = new FileTransport({ path });
      await next.send(outgoing());
      await next.stop();
      assert.equal(linesOf(path).length, 2);
    }));

  it("asks for a retry, later, when the disk is full", async () => {
    await inFolder({}, async (_unused, path) => {
      // Every write to /dev/full fails with ENOSPC. Source: full(4).
      symlinkSync("/dev/full", `${path}-full`);
      const transport = new FileTransport({ path: `${path}-full`, fsync: "never" });
      const outcome = await transport.send(outgoing());
      assert.deepEqual(outcome, {
        status: "retry",
        reason: "the disk is full (ENOSPC)",
        afterMs: 60_000,
      });
      await transport.stop();
    });
  });

  it("asks for a retry when the folder is not there, and recovers", () =>
    inFolder({}, async (_unused, path) => {
      const transport = new FileTransport({ path: join(path, "deeper.jsonl") });
      assert.equal((await transport.send(outgoing())).status, "retry");
      await transport.stop();
      assert.equal((await transport.send(outgoing())).status, "retry");
    }));

  it("has no twin, and says when it is up and stopped", () =>
    inFolder({}, async (transport) => {
      const states: string[] = [];
      transport.start({
        onStatus: (status) => states.push(status.state),
        onDesired: () => undefined,
        onMethod: () => Promise.reject(new Error("no methods")),
        onAnomaly: () => undefined,
      });
      assert.equal((await transport.report()).status, "refused");
      await transport.stop();
      await transport.stop();
      assert.deepEqual(states, ["connecting", "connected", "stopped"]);
      assert.equal(transport.hasTwin, false);
    }));

  it("refuses a relative path", () => {
    assert.throws(
      () => new FileTransport({ path: "out.jsonl" }),
      (error) => error instanceof AgentError && error.code === "AGENT_CONFIG_INVALID",
    );
  });
});
