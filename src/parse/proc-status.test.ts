import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseNetlinkDrops } from "./proc-netlink.ts";
import { parseCommandLine, parseProcessStatus } from "./proc-status.ts";

describe("/proc/[pid]/status", () => {
  it("gives name, parent and real user", () => {
    const text =
      "Name:\tsu do\nUmask:\t0022\nState:\tS (sleeping)\nPid:\t9\nPPid:\t7\nUid:\t1000\t0\t0\t0\n";
    assert.deepEqual(parseProcessStatus(text), {
      name: "su do",
      parentProcessId: 7,
      userId: 1000,
    });
  });

  it("gives what it has of anything", () => {
    const nothing = { name: undefined, parentProcessId: undefined, userId: undefined };
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.deepEqual(Object.keys(parseProcessStatus(text)), Object.keys(nothing));
      }),
    );
    assert.deepEqual(parseProcessStatus(""), nothing);
  });
});

describe("/proc/[pid]/cmdline", () => {
  it("is a list of arguments, empty ones in the middle included", () => {
    assert.deepEqual(parseCommandLine("sh\0-c\0\0echo a b\0"), ["sh", "-c", "", "echo a b"]);
    assert.deepEqual(parseCommandLine(""), []);
  });

  it("of a process that rewrote its title is that title", () => {
    assert.deepEqual(parseCommandLine("nginx: worker process\0\0\0\0"), ["nginx: worker process"]);
  });
});

/** In the form that net/netlink/af_netlink.c prints; the second socket had overflowed. */
const NETLINK_TABLE = `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
00000000a1b2c3d4 0   1          00000551 0        0        0     2        0        13041
00000000a1b2c3d5 11  733        00000001 0        0        0     2        412      20177
`;

describe("/proc/net/netlink", () => {
  it("tells how many datagrams were dropped on a socket", () => {
    assert.equal(parseNetlinkDrops(NETLINK_TABLE, 20177), 412);
    assert.equal(parseNetlinkDrops(NETLINK_TABLE, 13041), 0);
  });

  it("tells nothing of a socket that is not in it, or in something else", () => {
    assert.equal(parseNetlinkDrops(NETLINK_TABLE, 1), undefined);
    fc.assert(
      fc.property(fc.string(), (text) => {
        const drops = parseNetlinkDrops(text, 5);
        assert.ok(drops === undefined || drops >= 0);
      }),
    );
  });
});
