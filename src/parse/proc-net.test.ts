import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { addressBytes } from "./addresses.ts";
import { parseProcNet } from "./proc-net.ts";

const HEADER =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const tcp = {
  protocol: "tcp",
  family: "ipv4",
  endianness: "LE",
  subject: "/proc/net/tcp",
} as const;
const tcp6 = { ...tcp, family: "ipv6", subject: "/proc/net/tcp6" } as const;

function line(local: string, state = "0A", inode = "1060", remote?: string): string {
  const zero = local.replace(/[0-9A-F]/g, "0");
  return `   0: ${local} ${remote ?? zero} ${state} 00000000:00000000 00:00000000 00000000   101        0 ${inode} 1 00000000e7c3733a 100 0 0 10 0`;
}

describe("a table of /proc/net", () => {
  it("gives addresses in the byte order of the host", () => {
    const parsed = parseProcNet(`${HEADER}\n${line("0101007F:0035")}\n`, tcp);
    assert.deepEqual(parsed.sockets, [
      {
        protocol: "tcp",
        family: "ipv4",
        state: 10,
        localAddress: "127.0.1.1",
        localPort: 53,
        remoteAddress: "0.0.0.0",
        remotePort: 0,
        userId: 101,
        inode: 1060,
        interfaceIndex: 0,
      },
    ]);
    assert.deepEqual(parsed.problems, []);
  });

  it("of a big-endian machine gives the same address from its own text", () => {
    const parsed = parseProcNet(line("7F000101:0035"), { ...tcp, endianness: "BE" });
    assert.equal(parsed.sockets[0]?.localAddress, "127.0.1.1");
    assert.equal(parsed.sockets[0]?.localPort, 53);
  });

  it("gives IPv6 addresses word by word", () => {
    const cases: readonly (readonly [string, string])[] = [
      ["00000000000000000000000001000000:0016", "::1"],
      ["B80D0120000000000000000001000000:0016", "2001:db8::1"],
      ["0000000000000000FFFF00000100007F:0016", "::ffff:127.0.0.1"],
      ["000080FE00000000FF565A02D3C1FEFF:0016", "fe80::25a:56ff:fffe:c1d3"],
    ];
    for (const [hex, address] of cases) {
      const parsed = parseProcNet(`${HEADER}\n${line(hex)}\n`, tcp6);
      assert.equal(parsed.sockets[0]?.localAddress, address, hex);
    }
  });

  it("reads a line of udp as the kernel prints it", () => {
    const text =
      "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops             \n" +
      "  421: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 18213 2 00000000d3b6a3f1 0         \n";
    const parsed = parseProcNet(text, { ...tcp, protocol: "udp" });
    assert.equal(parsed.sockets.length, 1);
    assert.equal(parsed.sockets[0]?.state, 7);
    assert.equal(parsed.sockets[0]?.localAddress, "127.0.0.53");
  });

  it("reports a malformed line by number and text and keeps the others", () => {
    const text = [
      HEADER,
      line("0100007F:0016"),
      "   1: 0100",
      line("0100007F:0017"),
      "garbage",
    ].join("\n");
    const parsed = parseProcNet(text, tcp);
    assert.deepEqual(
      parsed.sockets.map((socket) => socket.localPort),
      [22, 23],
    );
    assert.equal(parsed.malformedLines, 2);
    assert.deepEqual(
      parsed.problems.map((problem) => problem.detail),
      ["line 3 is no socket: 1: 0100", "line 5 is no socket: garbage"],
    );
    assert.equal(parsed.problems[0]?.subject, "/proc/net/tcp");
  });

  it("of the other family is all malformed lines, not wrong addresses", () => {
    const parsed = parseProcNet(line("00000000000000000000000001000000:0016"), tcp);
    assert.deepEqual([parsed.sockets.length, parsed.malformedLines], [0, 1]);
  });

  it("counts every malformed line but quotes ten", () => {
    const parsed = parseProcNet("x\n".repeat(5000), tcp);
    assert.equal(parsed.malformedLines, 5000);
    assert.equal(parsed.problems.length, 10);
  });

  it("says when it was cut", () => {
    const parsed = parseProcNet(`${line("0100007F:0016")}\n`.repeat(100_001), tcp);
    assert.equal(parsed.sockets.length, 100_000);
    assert.equal(parsed.problems[0]?.code, "too-large");
  });

  it("without sockets is empty and right", () => {
    assert.deepEqual(parseProcNet(`${HEADER}\n`, tcp), {
      sockets: [],
      problems: [],
      malformedLines: 0,
    });
  });

  it("keeps any address and port through print and parse, in both byte orders", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.ipV4(), fc.ipV6()),
        fc.integer({ min: 0, max: 65535 }),
        fc.constantFrom("LE", "BE"),
        (address, port, endianness) => {
          const bytes = addressBytes(address) ?? new Uint8Array(0);
          const view = new DataView(bytes.buffer);
          let hex = "";
          for (let at = 0; at < bytes.length; at += 4) {
            hex += view
              .getUint32(at, endianness === "LE")
              .toString(16)
              .padStart(8, "0")
              .toUpperCase();
          }
          const family = bytes.length === 4 ? "ipv4" : "ipv6";
          const end = `${hex}:${port.toString(16).padStart(4, "0").toUpperCase()}`;
          const [socket] = parseProcNet(line(end), { ...tcp, family, endianness }).sockets;
          assert.deepEqual(addressBytes(socket?.localAddress ?? ""), bytes);
          assert.equal(socket?.localPort, port);
        },
      ),
    );
  });

  it("never throws on garbage, and accounts for every line", () => {
    const anyLine = fc.oneof(
      fc.string(),
      fc.constant(line("0100007F:0016")),
      fc
        .array(fc.constantFrom("0:", "0100007F:0016", "0A", "-1", "99999999999999999999", "zz"), {
          maxLength: 12,
        })
        .map((columns) => columns.join(" ")),
    );
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 30 }), (lines) => {
        const text = lines.join("\n");
        const parsed = parseProcNet(text, tcp);
        const filled = text
          .split("\n")
          .filter(
            (each, at) => each.trim() !== "" && !(at === 0 && each.trimStart().startsWith("sl")),
          );
        assert.equal(parsed.sockets.length + parsed.malformedLines, filled.length);
        for (const socket of parsed.sockets) assert.ok(Number.isSafeInteger(socket.inode));
      }),
      { numRuns: 500 },
    );
  });
});
