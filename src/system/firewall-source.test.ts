/** What a kernel's refusal means. The tools are asked in test/system/firewall-source.test.ts. */
import assert from "node:assert/strict";
import { endianness } from "node:os";
import { describe, it } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import type { FirewallReading } from "../contract/firewall-source.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { netlinkRequest } from "../parse/netlink-message.ts";
import { createFirewallSource } from "./firewall-source.ts";
import type { Netlink, NetlinkSocket } from "./netlink.ts";
import { problemOfErrno } from "./system-problem.ts";

const EPERM = 1;
const EBUSY = 16;
const EINVAL = 22;
const EPROTONOSUPPORT = 93;
const EAFNOSUPPORT = 97;

/** A kernel that answers each question with this errno. */
function refusing(errno: number): Netlink {
  const socket: NetlinkSocket = {
    send: () => ok(undefined),
    receive() {
      const body = new Uint8Array(20);
      new DataView(body.buffer).setInt32(0, -errno, endianness() === "LE");
      const request = { type: 2, flags: 0, sequence: 1, body, endianness: endianness() };
      return ok({ kind: "datagram", bytes: netlinkRequest(request) });
    },
    onReadable: () => () => undefined,
    inode: () => undefined,
    close: () => undefined,
  };
  return { open: () => ok(socket) };
}

function withoutSocket(errno: number): Netlink {
  return { open: () => problemOfErrno(errno, "netlink", "socket") };
}

function read(
  netlink: Netlink,
  names: Result<string> = fail("not-found", "names", "absent"),
): Promise<FirewallReading> {
  const source = createFirewallSource({
    readText: () => names,
    library: () => fail("unsupported", "koffi", "none"),
    netlink: () => ok(netlink),
    clock: new FakeClock(),
  });
  return source.read(new AbortController().signal);
}

describe("a kernel without nf_tables", () => {
  it("has no rules there, which is certain", async () => {
    const none = { texts: [], unknown: [], problems: [] };
    assert.deepEqual(await read(refusing(EINVAL)), none);
    assert.deepEqual(await read(withoutSocket(EPROTONOSUPPORT)), none);
  });
});

describe("a kernel that does not answer", () => {
  const refusals = [
    ["without the right", refusing(EPERM), "not-permitted"],
    ["for another reason", refusing(EBUSY), "unsupported"],
    ["in a sandbox without netlink", withoutSocket(EAFNOSUPPORT), "unsupported"],
  ] as const;
  for (const [why, netlink, code] of refusals) {
    it(`${why} leaves nftables unknown`, async () => {
      const { texts, unknown } = await read(netlink);
      assert.deepEqual(texts, []);
      assert.deepEqual(
        unknown.map(({ backend, family, problem }) => [backend, family, problem.code]),
        [["nftables", "all", code]],
      );
    });
  }
});

describe("the list of legacy tables", () => {
  it("that may not be read leaves both families unknown", async () => {
    const { unknown } = await read(refusing(EINVAL), fail("not-permitted", "names", "EACCES"));
    assert.deepEqual(
      unknown.map(({ backend, family, problem }) => `${backend} ${family} ${problem.detail}`),
      [
        "iptables-legacy ip EACCES; CAP_DAC_READ_SEARCH allows it",
        "iptables-legacy ip6 EACCES; CAP_DAC_READ_SEARCH allows it",
      ],
    );
  });

  it("that is empty means that no table is in force", async () => {
    const reading = await read(refusing(EINVAL), ok(""));
    assert.deepEqual(reading, { texts: [], unknown: [], problems: [] });
  });
});
