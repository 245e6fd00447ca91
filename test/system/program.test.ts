/** Real programs: what ends, what does not, and what cannot be run. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { systemClock } from "../../src/system/clock.ts";
import { type ProgramCall, type ProgramEnd, runProgram } from "../../src/system/program.ts";
import { asOtherUser } from "./other-user.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const CALL: ProgramCall = { names: [], args: [], deadlineMs: 20_000, maxOutputBytes: 65_536 };

/** Long enough to be the wrong answer, short enough for a failed test. */
const LONG_SECONDS = "30";

async function run(call: Partial<ProgramCall>): Promise<ProgramEnd> {
  const end = await runProgram({ ...CALL, ...call }, systemClock);
  assert.ok(end.ok, end.ok ? "" : end.problem.detail);
  return end.value;
}

/** A script of the test's own, to be called by its name. */
function script(test: TestContext, lines: string): { names: string[]; folders: string[] } {
  const folder = temporaryFolder(test);
  writeFileSync(join(folder, "own-program"), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  return { names: ["own-program"], folders: [folder] };
}

/** A signal that was sent takes effect a little later. */
async function hasEnded(pid: string): Promise<boolean> {
  for (let tries = 0; tries < 100 && isRunning(pid); tries += 1) await systemClock.sleep(20);
  return !isRunning(pid);
}

function isRunning(pid: string): boolean {
  const file = `/proc/${pid}/stat`;
  // A zombie has ended: only nobody has asked for its exit code.
  return existsSync(file) && !/\) Z /.test(readFileSync(file, "utf8"));
}

describe("a program that ends by itself", () => {
  it("hands over what it said on both outputs, and its exit code", async (test) => {
    const own = script(test, "echo out; echo err >&2; exit 3");
    const end = await run(own);
    assert.deepEqual(end, {
      path: `${own.folders[0]}/own-program`,
      output: "out\n",
      errorOutput: "err\n",
      exitCode: 3,
      cut: undefined,
    });
  });

  it("sees a fixed environment and nothing to read", async (test) => {
    process.env["GATEWARDEN_TEST_SECRET"] = "not to be passed on";
    test.after(() => delete process.env["GATEWARDEN_TEST_SECRET"]);
    const { output } = await run({ names: ["env"] });
    const names = output.trimEnd().split("\n").sort();
    assert.deepEqual(names, ["LC_ALL=C", "PATH=/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin"]);
    assert.equal((await run({ names: ["cat"] })).output, "");
    assert.equal((await run({ names: ["pwd"] })).output, "/\n");
  });

  it("speaks the same language whatever that of the agent is", async (test) => {
    const before = process.env["LC_ALL"];
    process.env["LC_ALL"] = "de_DE.UTF-8";
    test.after(() => {
      if (before === undefined) delete process.env["LC_ALL"];
      else process.env["LC_ALL"] = before;
    });
    const { errorOutput } = await run({ names: ["ls"], args: ["/absent-folder"] });
    assert.match(errorOutput, /No such file or directory/);
  });

  it("takes its arguments as they are, since no shell reads them", async () => {
    const { output } = await run({ names: ["printf"], args: ["%s|", "$(id)", "a b", ";ls"] });
    assert.equal(output, "$(id)|a b|;ls|");
  });

  it("may say bytes that are no text", async () => {
    const { output } = await run({ names: ["printf"], args: ["a\\377\\200\\000b"] });
    assert.equal(output, "a\uFFFD\uFFFD\0b");
  });

  it("and was killed by somebody has no exit code", async (test) => {
    const end = await run(script(test, "kill -9 $$"));
    assert.deepEqual([end.exitCode, end.cut], [undefined, undefined]);
  });
});

describe("a program that does not end", () => {
  it("is ended at the deadline", async () => {
    const end = await run({ names: ["sleep"], args: [LONG_SECONDS], deadlineMs: 100 });
    assert.deepEqual([end.output, end.exitCode, end.cut], ["", undefined, "timed-out"]);
  });

  it("keeps what it had said", async (test) => {
    const own = script(test, `echo early; exec sleep ${LONG_SECONDS}`);
    const end = await run({ ...own, deadlineMs: 400 });
    assert.deepEqual([end.output, end.cut], ["early\n", "timed-out"]);
  });

  it("is killed when it ignores being asked", async (test) => {
    const own = script(test, `trap "" TERM; echo $$; while :; do sleep ${LONG_SECONDS}; done`);
    const end = await run({ ...own, deadlineMs: 400 });
    assert.equal(end.cut, "timed-out");
    assert.match(end.output, /^\d+\n$/);
    assert.ok(await hasEnded(end.output.trim()));
  });

  it("takes along what it has started", async (test) => {
    const own = script(test, `sleep ${LONG_SECONDS} & echo $!; wait`);
    const end = await run({ ...own, deadlineMs: 400 });
    assert.match(end.output, /^\d+\n$/);
    assert.ok(await hasEnded(end.output.trim()));
  });

  it("is not waited for when it ended and left its output to another", async (test) => {
    const own = script(test, "sleep 3 & echo early; exit 0");
    const end = await run({ ...own, deadlineMs: 500 });
    assert.deepEqual([end.output, end.exitCode, end.cut], ["early\n", 0, "timed-out"]);
  });

  it("is ended when it has said too much, and its beginning kept", async () => {
    const end = await run({ names: ["yes"], maxOutputBytes: 10_001 });
    assert.deepEqual([end.output.length, end.cut], [10_001, "too-large"]);
    assert.ok(end.output.startsWith("y\ny\n"));
  });

  it("may complain without end, of which 4 KiB are kept", async (test) => {
    const own = script(test, "yes >&2");
    const end = await run({ ...own, deadlineMs: 400 });
    assert.deepEqual([end.errorOutput.length, end.cut], [4_096, "timed-out"]);
  });

  it("is ended when the caller gives up", async () => {
    const controller = new AbortController();
    const running = run({
      names: ["sleep"],
      args: [LONG_SECONDS],
      signal: controller.signal,
    });
    controller.abort();
    assert.equal((await running).cut, "aborted");
  });

  it("is not started when the caller has given up before", async (test) => {
    const mark = join(temporaryFolder(test), "mark");
    const own = script(test, `touch ${mark}`);
    const signal = AbortSignal.abort();
    const end = await runProgram({ ...CALL, ...own, signal }, systemClock);
    assert.equal(!end.ok && end.problem.code, "timed-out");
    assert.equal(existsSync(mark), false);
  });
});

describe("a program that cannot be run", () => {
  it("is missing under all of its names", async () => {
    const end = await runProgram({ ...CALL, names: ["no-such-a", "no-such-b"] }, systemClock);
    const problem = {
      code: "not-found",
      subject: "no-such-a",
      detail: "not installed: no-such-a, no-such-b",
    };
    assert.deepEqual(end, { ok: false, problem });
  });

  it("has another name that can", async () => {
    const end = await run({ names: ["no-such-a", "true"] });
    assert.deepEqual([end.path, end.exitCode], ["/usr/bin/true", 0]);
  });

  it("may not be executed", async (test) => {
    const own = script(test, "exit 0");
    chmodSync(join(own.folders[0] ?? "", "own-program"), 0o644);
    const end = await runProgram({ ...CALL, ...own }, systemClock);
    assert.equal(!end.ok && end.problem.code, "not-permitted");
  });

  it("may be executed by its owner only", (test) => {
    const result = asOtherUser(test, temporaryFolder(test), {
      module: "src/system/program.ts",
      before: `
        const { writeFileSync } = await import("node:fs");
        writeFileSync(folder + "/own-program", "#!/bin/sh", { mode: 0o700 });
      `,
      body: `
        const found = module.findProgram(["own-program"], [folder]);
        return [found.ok ? "found" : found.problem.code];
      `,
      prepare: () => undefined,
    });
    if (result !== undefined) assert.deepEqual(result, ["not-permitted"]);
  });

  it("is a folder, or a script of an interpreter that is missing", async (test) => {
    const own = script(test, "exit 0");
    const file = join(own.folders[0] ?? "", "own-program");
    writeFileSync(file, "#!/no/such/interpreter\n");
    const orphan = await runProgram({ ...CALL, ...own }, systemClock);
    assert.equal(!orphan.ok && orphan.problem.code, "not-found");
    mkdirSync(join(own.folders[0] ?? "", "folder"));
    const folder = await runProgram({ ...CALL, ...own, names: ["folder"] }, systemClock);
    assert.equal(!folder.ok && folder.problem.code, "not-permitted");
  });
});
