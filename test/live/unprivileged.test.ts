/** Collectors of live events as a user without rights: less, said plainly, and never nothing. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { release } from "node:os";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { linesOf } from "./child-lines.ts";

const NOBODY = 65_534;
const skip = process.getuid?.() === 0 ? false : "only root can become somebody else";
const WORKER = fileURLToPath(new URL("watch-worker.ts", import.meta.url));

function watchAsNobody(collector: string, settings: object): ChildProcess {
  const args = ["--import", "tsx", WORKER, collector, JSON.stringify(settings)];
  const child = spawn(process.execPath, args, {
    uid: NOBODY,
    gid: NOBODY,
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdout?.setEncoding("utf8");
  return child;
}

/** Source: the change "connector/cn_proc: Allow non-root users access", Linux 6.6. */
function isToldToAll(): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  return major > 6 || (major === 6 && minor >= 6);
}

describe("without rights", { skip }, () => {
  it("processes are seen: told by the kernel from 6.6 on, and before found by looking", async (test) => {
    const child = watchAsNobody("processes", { pollSeconds: 1 });
    test.after(() => child.kill("SIGKILL"));
    const lines = linesOf(child);
    const { problems } = JSON.parse(await lines.next());
    const codes = problems.map((problem: { code: string }) => problem.code);
    assert.deepEqual(codes, isToldToAll() ? [] : ["not-permitted"]);
    if (!isToldToAll()) assert.match(problems[0].detail, /polled/);
    const seen = spawn("sleep", ["4.321"], { stdio: "ignore" });
    test.after(() => seen.kill());
    for (;;) {
      const item = JSON.parse(await lines.next());
      if (item.ProcessId !== seen.pid) continue;
      assert.equal(item.CommandLine, "sleep 4.321");
      assert.equal(item.ExtraDetails.Source, isToldToAll() ? "proc_connector" : "proc_polling");
      break;
    }
  });

  it("connections are seen, and it is said what is missing", async (test) => {
    const child = watchAsNobody("connections", { includeLoopback: true });
    test.after(() => child.kill("SIGKILL"));
    const { problems } = JSON.parse(await linesOf(child).next());
    assert.deepEqual(
      problems.map((problem: { code: string }) => problem.code),
      ["not-permitted"],
    );
    assert.match(problems[0].detail, /UDP flows/);
  });
});
