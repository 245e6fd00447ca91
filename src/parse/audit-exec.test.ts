import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createExecAssembler } from "./audit-exec.ts";

/** In the words of a 6.1 kernel with a rule for execve. */
const SYSCALL =
  'audit(1763710000.123:77): arch=c000003e syscall=59 success=yes exit=0 a0=55d0c8 a1=55d0c9 items=2 ppid=900 pid=901 auid=1001 uid=1001 gid=1001 euid=1001 tty=pts0 ses=3 comm="ls" exe="/usr/bin/ls" key="k"';
const EXECVE = 'audit(1763710000.123:77): argc=3 a0="ls" a1="-l" a2=2F746D702F612062';
const END = "audit(1763710000.123:77): ";

describe("audit records of an execution", () => {
  it("are put together, though others come between", () => {
    const assembler = createExecAssembler();
    assert.equal(assembler.take(1_300, SYSCALL), undefined);
    assert.equal(assembler.take(1_300, SYSCALL.replace(":77", ":78")), undefined);
    assert.equal(assembler.take(1_309, EXECVE), undefined);
    assert.deepEqual(assembler.take(1_320, END), {
      timeMs: 1_763_710_000_123,
      processId: 901,
      parentProcessId: 900,
      userId: 1_001,
      executable: "/usr/bin/ls",
      args: ["ls", "-l", "/tmp/a b"],
    });
    assert.equal(assembler.take(1_320, END), undefined);
  });

  it("of an execution that failed, or of another call, tell none", () => {
    const failed = createExecAssembler();
    failed.take(1_300, SYSCALL.replace("success=yes", "success=no"));
    failed.take(1_309, EXECVE);
    assert.equal(failed.take(1_320, END), undefined);
    const other = createExecAssembler();
    other.take(1_300, SYSCALL);
    assert.equal(other.take(1_320, END), undefined);
  });

  it("have long arguments in parts", () => {
    const assembler = createExecAssembler();
    assembler.take(1_300, SYSCALL);
    assembler.take(1_309, 'audit(1.000:77): argc=2 a0="sh" a1_len=9 a1[0]="abc"');
    assembler.take(1_309, 'audit(1.000:77): a1[1]="def"');
    assert.deepEqual(assembler.take(1_320, END)?.args, ["sh", "abcdef"]);
  });

  it("may be anything", () => {
    const assembler = createExecAssembler();
    fc.assert(
      fc.property(fc.constantFrom(1_300, 1_309, 1_320), fc.string(), (type, text) => {
        assembler.take(type, text);
        assembler.take(type, `audit(1.000:1): ${text}`);
      }),
    );
  });
});
