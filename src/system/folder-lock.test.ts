import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../../test/system/temporary-folder.ts";
import { AgentError } from "../contract/errors.ts";
import { lockFolder } from "./folder-lock.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

function isLockedBy(processId: number | undefined): (error: unknown) => boolean {
  return (error) =>
    error instanceof AgentError &&
    error.code === "AGENT_STATE_LOCKED" &&
    error.message.endsWith(`process id ${processId}`) &&
    error.remedy.includes(String(processId));
}

/** A process that takes the lock, says so, and stays. */
async function holder(test: TestContext, folder: string): Promise<ChildProcess> {
  const script = `
    import { lockFolder } from ${JSON.stringify(`${REPOSITORY}src/system/folder-lock.ts`)};
    try { lockFolder(${JSON.stringify(folder)}); process.stdout.write("locked"); }
    catch (error) { process.stdout.write(error.code); }
    setInterval(() => {}, 1000);
  `;
  const child = spawn(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "--eval", script],
    { cwd: REPOSITORY, stdio: ["ignore", "pipe", "inherit"] },
  );
  test.after(() => child.kill("SIGKILL"));
  const [said] = await once(child.stdout, "data");
  assert.equal(String(said), "locked");
  return child;
}

function bootDigits(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").replace(/[^0-9a-f]/g, "");
}

function startTicks(processId: number): string | undefined {
  const stat = readFileSync(`/proc/${processId}/stat`, "utf8");
  return stat.split(") ").at(-1)?.split(" ")[19];
}

describe("a locked state folder", () => {
  it("is refused a second time, in this process too, until it is released", (test) => {
    const folder = join(temporaryFolder(test), "state");
    const release = lockFolder(folder);
    assert.throws(() => lockFolder(folder), isLockedBy(process.pid));
    release();
    release();
    assert.deepEqual(readdirSync(folder), []);
    lockFolder(folder)();
  });

  it("is refused while another process holds it, and taken over once that was killed", async (test) => {
    const folder = join(temporaryFolder(test), "state");
    const child = await holder(test, folder);
    assert.throws(() => lockFolder(folder), isLockedBy(child.pid));
    assert.equal(readdirSync(folder).length, 1, "the loser must leave nothing");
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.equal(readdirSync(folder).length, 1, "a killed process cleans nothing");
    const release = lockFolder(folder);
    assert.equal(readdirSync(folder).length, 1);
    release();
  });

  it("is free when the pid is another process now, or the machine was started anew", (test) => {
    const folder = join(temporaryFolder(test), "state");
    lockFolder(folder)();
    const boot = bootDigits();
    const stale = [
      // This very pid, started at another time: the holder is gone and its number is in use again.
      `.lock-${process.pid}-1-${boot}`,
      `.lock-1-0-${"0".repeat(32)}`,
      `.lock-4999999-5-${boot}`,
    ];
    for (const name of stale) writeFileSync(join(folder, name), "");
    writeFileSync(join(folder, ".lock-file-of-somebody"), "");
    const release = lockFolder(folder);
    for (const name of stale) assert.equal(existsSync(join(folder, name)), false, name);
    assert.equal(existsSync(join(folder, ".lock-file-of-somebody")), true);
    release();
  });

  it("is refused for a live process that is not us", (test) => {
    const folder = join(temporaryFolder(test), "state");
    lockFolder(folder)();
    const marker = `.lock-1-${startTicks(1)}-${bootDigits()}`;
    writeFileSync(join(folder, marker), "");
    assert.throws(() => lockFolder(folder), isLockedBy(1));
    assert.deepEqual(readdirSync(folder), [marker]);
  });

  it("is free when the same pid and start time are of an earlier boot", (test) => {
    const folder = join(temporaryFolder(test), "state");
    lockFolder(folder)();
    writeFileSync(join(folder, `.lock-1-${startTicks(1)}-${"0".repeat(32)}`), "");
    lockFolder(folder)();
    assert.deepEqual(readdirSync(folder), []);
  });

  it("is free when its holder has ended and only its parent has not noticed", async (test) => {
    const folder = join(temporaryFolder(test), "state");
    lockFolder(folder)();
    // The shell is a sleep by the time its child ends, and sleep waits for nobody: a zombie stays.
    const parent = spawn("/bin/sh", ["-c", "sleep 0.3 & echo $!; exec sleep 60"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    test.after(() => parent.kill("SIGKILL"));
    const [said] = await once(parent.stdout, "data");
    const zombie = Number(String(said));
    while (!/\) Z /.test(readFileSync(`/proc/${zombie}/stat`, "utf8"))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    writeFileSync(join(folder, `.lock-${zombie}-${startTicks(zombie)}-${bootDigits()}`), "");
    lockFolder(folder)();
    assert.deepEqual(readdirSync(folder), []);
  });
});
