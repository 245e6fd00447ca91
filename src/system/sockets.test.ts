import assert from "node:assert/strict";
import { endianness } from "node:os";
import { describe, it } from "node:test";
import type { Clock } from "../contract/clock.ts";
import { fail, ok, type ProblemCode, type Result } from "../contract/result.ts";
import { systemClock } from "./clock.ts";
import type { Netlink, NetlinkReceived } from "./netlink.ts";
import { socketsFromKernel, socketsFromTables } from "./sockets.ts";

const isLittle = endianness() === "LE";
const DUMP = 20;
const DONE = 3;
const INTERRUPTED = 0x12;

function datagram(
  type: number,
  sequence: number,
  body: Uint8Array,
  flags = 2,
): Result<NetlinkReceived> {
  const bytes = new Uint8Array(16 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, isLittle);
  view.setUint16(4, type, isLittle);
  view.setUint16(6, flags, isLittle);
  view.setUint32(8, sequence, isLittle);
  bytes.set(body, 16);
  return ok({ kind: "datagram", bytes });
}

function done(sequence: number, errno = 0, flags = 2): Result<NetlinkReceived> {
  return datagram(DONE, sequence, new Uint8Array(Int32Array.of(0 - errno).buffer), flags);
}

function socket(sequence: number, port: number): Result<NetlinkReceived> {
  const body = new Uint8Array(72);
  body[0] = 2;
  body[1] = 10;
  body[5] = port;
  return datagram(DUMP, sequence, body);
}

/** A kernel that answers each request, by its sequence number, with one datagram per receive. */
class ScriptedKernel implements Netlink {
  readonly asked: number[] = [];
  closed = 0;
  private nowMs = 0;
  private waiting: Result<NetlinkReceived>[] = [];
  private readonly answer: (sequence: number) => readonly Result<NetlinkReceived>[];

  constructor(answer: (sequence: number) => readonly Result<NetlinkReceived>[]) {
    this.answer = answer;
  }

  /** Time that passes only while the kernel says nothing. */
  readonly clock: Clock = { ...systemClock, monotonicMs: () => this.nowMs };

  open(): ReturnType<Netlink["open"]> {
    return ok({
      send: (message) => {
        const sequence = new DataView(message.buffer).getUint32(8, isLittle);
        this.asked.push(sequence);
        this.waiting = [...this.answer(sequence)];
        return ok(undefined);
      },
      receive: (waitMs) => {
        const next = this.waiting.shift();
        if (next !== undefined) return next;
        this.nowMs += waitMs;
        return ok({ kind: "nothing" });
      },
      onReadable: () => () => undefined,
      inode: () => undefined,
      close: () => {
        this.closed += 1;
      },
    });
  }
}

function codeOf(result: Result<unknown>): ProblemCode | "none" {
  return result.ok ? "none" : result.problem.code;
}

describe("asking the kernel for listening sockets", () => {
  it("gathers dumps of several datagrams and closes the socket", () => {
    const kernel = new ScriptedKernel((sequence) => [
      socket(sequence, 1),
      socket(sequence, 2),
      done(sequence),
    ]);
    const list = socketsFromKernel(kernel, kernel.clock, "listening");
    assert.ok(list.ok);
    assert.equal(list.value.source, "sock_diag");
    assert.deepEqual(
      list.value.sockets.map((found) => `${found.protocol} ${found.localPort}`),
      ["tcp 1", "tcp 2", "tcp 1", "tcp 2", "udp 1", "udp 2", "udp 1", "udp 2"],
    );
    assert.equal(kernel.closed, 1);
  });

  it("asks again when the table changed during the dump, and takes only the last answer", () => {
    const kernel = new ScriptedKernel((sequence) =>
      sequence === 1
        ? [socket(sequence, 1), done(sequence, 0, INTERRUPTED)]
        : [socket(sequence, 2), done(sequence)],
    );
    const list = socketsFromKernel(kernel, kernel.clock, "listening");
    assert.ok(list.ok);
    assert.deepEqual(
      list.value.sockets.map((found) => found.localPort),
      [2, 2, 2, 2],
    );
    assert.equal(kernel.asked.length, 5);
    assert.equal(new Set(kernel.asked).size, 5);
  });

  it("stops asking a table that never holds still", () => {
    const kernel = new ScriptedKernel((sequence) => [
      socket(sequence, 1),
      done(sequence, 0, INTERRUPTED),
    ]);
    const list = socketsFromKernel(kernel, kernel.clock, "listening");
    assert.ok(list.ok);
    assert.equal(list.value.sockets.length, 4);
    assert.equal(kernel.asked.length, 12);
  });

  it("takes no answer to an earlier question", () => {
    const kernel = new ScriptedKernel((sequence) => [
      socket(sequence + 100, 9),
      done(sequence + 100),
      socket(sequence, 1),
      done(sequence),
    ]);
    const list = socketsFromKernel(kernel, kernel.clock, "listening");
    assert.ok(list.ok);
    assert.deepEqual(
      list.value.sockets.map((found) => found.localPort),
      [1, 1, 1, 1],
    );
  });

  const failures: readonly (readonly [string, ProblemCode, Result<NetlinkReceived>[]])[] = [
    ["a kernel that never ends", "timed-out", [socket(1, 1)]],
    ["a kernel without the module", "not-found", [done(1, 2)]],
    ["a refusal", "not-permitted", [done(1, 1)]],
    ["lost replies", "too-large", [ok({ kind: "overrun" })]],
    [
      "bytes that are no netlink",
      "malformed",
      [ok({ kind: "datagram", bytes: new Uint8Array(5) })],
    ],
    ["a failed receive", "unsupported", [fail("unsupported", "netlink", "recvfrom: EBADF")]],
  ];
  for (const [what, code, answers] of failures) {
    it(`makes ${what} the problem ${code}, and closes the socket`, () => {
      const kernel = new ScriptedKernel(() => answers);
      assert.equal(codeOf(socketsFromKernel(kernel, kernel.clock, "listening")), code);
      assert.equal(kernel.closed, 1);
    });
  }
});

describe("reading the tables", () => {
  it("makes a table that may not be read the result, IPv6 or not", () => {
    const list = socketsFromTables(
      (file) => (file === "tcp6" ? fail("not-permitted", file, "EACCES") : ok("")),
      "listening",
    );
    assert.equal(codeOf(list), "not-permitted");
  });
});
