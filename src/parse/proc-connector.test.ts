import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { connectorRequest, parseProcessNotice, processNoticeFilter } from "./proc-connector.ts";

/** Laid out by hand after linux/cn_proc.h, little endian: an execution by 4242, and its end with status 3. */
const EXEC =
  "4c000000030000000000000000000000010000000100000007000000000000002800000002000000010000005f1a2b3c00000000921000009210000000000000000000000000000000000000";
const EXIT =
  "4c0000000300000000000000000000000100000001000000070000000000000028000000000000800000000060ea000000000000921000009210000000030000110000009010000090100000";

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

describe("a notice of the proc connector", () => {
  it("tells which process executed a program, and when", () => {
    assert.deepEqual(parseProcessNotice(bytesOf(EXEC), "LE"), {
      kind: "exec",
      processId: 4242,
      monotonicMs: 0x3c2b1a5f / 1e6,
    });
  });

  it("tells the status and the parent of a process that ended", () => {
    assert.deepEqual(parseProcessNotice(bytesOf(EXIT), "LE"), {
      kind: "exit",
      processId: 4242,
      parentProcessId: 4240,
      waitStatus: 0x300,
      monotonicMs: 0.06,
    });
  });

  it("of an older kernel lacks the parent", () => {
    const short = bytesOf(EXIT).subarray(0, 68);
    const notice = parseProcessNotice(short, "LE");
    assert.equal(notice?.kind === "exit" && notice.parentProcessId, undefined);
  });

  it("of a thread that ended is none", () => {
    const thread = bytesOf(EXIT);
    thread[52] = 0x93;
    assert.equal(parseProcessNotice(thread, "LE"), undefined);
  });

  it("is read from any bytes without failing, and never from those of another connector", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        const notice = parseProcessNotice(bytes, "LE");
        assert.ok(notice === undefined || notice.kind.length > 0);
      }),
    );
    const other = bytesOf(EXEC);
    other[16] = 9;
    assert.equal(parseProcessNotice(other, "LE"), undefined);
  });

  it("is asked for with a request whose length says what it holds", () => {
    const request = connectorRequest(true, "LE");
    assert.equal(new DataView(request.buffer).getUint32(0, true), request.length);
    assert.equal(request.at(-4), 1);
    assert.equal(connectorRequest(false, "LE").at(-4), 2);
  });
});

/** What the kernel's interpreter does with the instructions that our filters use. Source: bpf(4). */
function runFilter(program: Uint8Array, datagram: Uint8Array): number {
  const view = new DataView(program.buffer);
  const data = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  let accumulator = 0;
  let index = 0;
  for (let at = 0; ; at += 1) {
    const code = view.getUint16(at * 8, true);
    const value = view.getUint32(at * 8 + 4, true);
    const jump = (isTrue: boolean): number => view.getUint8(at * 8 + (isTrue ? 2 : 3));
    if (code === 0x20) accumulator = data.getUint32(value, false);
    else if (code === 0x07) index = accumulator;
    else if (code === 0x15) at += jump(accumulator === value);
    else if (code === 0x1d) at += jump(accumulator === index);
    else return value;
  }
}

describe("the filter in the kernel", () => {
  const others = [0x1, 0x4, 0x40, 0x80, 0x100, 0x200, 0x40000000];
  const withWhat = (what: number): Uint8Array => {
    const datagram = bytesOf(EXIT);
    new DataView(datagram.buffer).setUint32(36, what, true);
    return datagram;
  };

  it("lets in executions only, or ends of processes only, and answers", () => {
    const exec = processNoticeFilter("exec", "LE");
    const exit = processNoticeFilter("exit", "LE");
    const verdicts = (filter: Uint8Array, kinds: readonly number[]): readonly boolean[] =>
      kinds.map((what) => runFilter(filter, withWhat(what)) > 0);
    assert.deepEqual(verdicts(exec, [0, 2, 0x80000000]), [true, true, false]);
    assert.deepEqual(verdicts(exit, [0, 2, 0x80000000]), [true, false, true]);
    for (const filter of [exec, exit]) assert.ok(!verdicts(filter, others).includes(true));
  });

  it("keeps ends of threads away", () => {
    const thread = withWhat(0x80000000);
    thread[52] = 0x93;
    assert.equal(runFilter(processNoticeFilter("exit", "LE"), thread), 0);
  });
});
