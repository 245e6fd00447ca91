import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parseProcessStatus, quoted } from "./guest.ts";

describe("the status of a process", () => {
  it("is what the kernel says of this one", () => {
    const status = parseProcessStatus(readFileSync("/proc/self/status", "utf8"));
    assert.equal(status.pid, process.pid);
    assert.equal(status.userIds[1], process.geteuid?.());
    assert.equal(status.groupIds[1], process.getegid?.());
    assert.ok(status.residentKb > 1_000 && status.peakResidentKb >= status.residentKb / 2);
    assert.ok(status.threads >= 1);
  });

  it("reads masks as bits and refuses a status that lacks a line", () => {
    const text = `Name:\tnode
Pid:\t7
Uid:\t1\t2\t3\t4
Gid:\t5\t6\t7\t8
Groups:\t9 10 
VmHWM:\t  2048 kB
VmRSS:\t  1024 kB
Threads:\t3
CapInh:\t0000000000000000
CapPrm:\t0000000000003000
CapEff:\t0000000000001000
CapBnd:\t000001ffffffffff
CapAmb:\t0000000000003000
NoNewPrivs:\t1
Seccomp:\t2
`;
    const status = parseProcessStatus(text);
    assert.deepEqual(status.userIds, [1, 2, 3, 4]);
    assert.deepEqual(status.groups, [9, 10]);
    assert.equal(status.capabilities.effective, 1n << 12n);
    assert.equal(status.capabilities.bounding, (1n << 41n) - 1n);
    assert.equal(status.noNewPrivileges, true);
    assert.equal(status.residentKb, 1024);
    assert.throws(() => parseProcessStatus(text.replace(/CapEff.*\n/, "")), /no CapEff/);
  });
});

describe("a word of a command line", () => {
  it("reaches the program as it was, whatever it holds", () => {
    for (const word of ["plain", 'it\'s $HOME `id` \\ "x"', "two\nlines", "'", ""]) {
      const said = execFileSync("sh", ["-c", `printf %s ${quoted(word)}`], { encoding: "utf8" });
      assert.equal(said, word);
    }
  });
});
