import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import type { FirewallParts } from "./firewall-parts.ts";
import { watchFirewall } from "./firewall-watch.ts";
import type { NetlinkReceived, NetlinkSocket } from "./netlink.ts";

const DATAGRAM: Result<NetlinkReceived> = ok({ kind: "datagram", bytes: new Uint8Array(20) });
const ABSENT = fail("not-found", "names", "absent");

/** A machine whose kernel says what the test puts in. */
function machine(options: { readonly hasNetlink?: boolean } = {}): {
  readonly parts: FirewallParts;
  readonly clock: FakeClock;
  /** The content of ip_tables_names; undefined for no such file. */
  names: string | undefined;
  opened: { protocol: number; groups: number | undefined } | undefined;
  isClosed: boolean;
  reads: number;
  /** Announcements that nobody has taken yet. */
  waiting(): number;
  hear(...received: readonly Result<NetlinkReceived>[]): void;
} {
  const clock = new FakeClock();
  let queue: Result<NetlinkReceived>[] = [];
  let callback = (): void => undefined;
  const socket: NetlinkSocket = {
    send: () => ok(undefined),
    receive: () => queue.shift() ?? ok({ kind: "nothing" }),
    inode: () => undefined,
    onReadable(given) {
      callback = given;
      return () => undefined;
    },
    close() {
      state.isClosed = true;
    },
  };
  const state: ReturnType<typeof machine> = {
    clock,
    names: undefined,
    opened: undefined,
    isClosed: false,
    reads: 0,
    waiting: () => queue.length,
    hear(...received) {
      queue = [...received];
      callback();
    },
    parts: {
      clock,
      readText(path) {
        if (path !== "/proc/net/ip_tables_names") return ABSENT;
        state.reads += 1;
        return state.names === undefined ? ABSENT : ok(state.names);
      },
      library: () => fail("unsupported", "koffi", "none"),
      netlink: () =>
        options.hasNetlink === false
          ? fail("unsupported", "koffi", "none")
          : ok({
              open(protocol, options) {
                state.opened = { protocol, groups: options?.groups };
                return ok(socket);
              },
            }),
    },
  };
  return state;
}

function counted(parts: FirewallParts): { changes: number; stop: () => void } {
  const counter = { changes: 0, stop: (): void => undefined };
  counter.stop = watchFirewall(parts, () => {
    counter.changes += 1;
  });
  return counter;
}

describe("changes of nftables", () => {
  it("are heard in the group of nftables, and told within a second", async () => {
    const host = machine();
    const seen = counted(host.parts);
    assert.deepEqual(host.opened, { protocol: 12, groups: 64 });
    host.hear(DATAGRAM);
    await host.clock.advance(999);
    assert.equal(seen.changes, 0);
    await host.clock.advance(1);
    assert.equal(seen.changes, 1);
  });

  it("are told once for all of a second, and again after the last one", async () => {
    const host = machine();
    const seen = counted(host.parts);
    for (let count = 0; count < 35; count += 1) {
      host.hear(DATAGRAM, DATAGRAM);
      await host.clock.advance(100);
    }
    assert.equal(seen.changes, 3);
    await host.clock.advance(1_000);
    assert.equal(seen.changes, 4);
    await host.clock.advance(60_000);
    assert.equal(seen.changes, 4);
  });

  it("are told when the kernel dropped announcements, and when one is too large", async () => {
    for (const received of [ok({ kind: "overrun" } as const), fail("too-large", "netlink", "")]) {
      const host = machine();
      const seen = counted(host.parts);
      host.hear(received);
      await host.clock.advance(1_000);
      assert.deepEqual([seen.changes, host.isClosed], [1, false]);
    }
  });

  it("are none when the socket woke us for nothing", async () => {
    const host = machine();
    const seen = counted(host.parts);
    host.hear();
    await host.clock.advance(60_000);
    assert.equal(seen.changes, 0);
  });

  it("end when the socket fails for good, without calling back for ever", async () => {
    const host = machine();
    const seen = counted(host.parts);
    host.hear(fail("unsupported", "netlink", "recvfrom: ENOTCONN"));
    await host.clock.advance(1_000);
    assert.deepEqual([seen.changes, host.isClosed], [1, true]);
  });

  it("let others have their turn when they come without end", async () => {
    const host = machine();
    const seen = counted(host.parts);
    host.hear(...Array.from({ length: 5_000 }, () => DATAGRAM));
    assert.equal(host.waiting(), 4_000);
    await host.clock.advance(1_000);
    assert.equal(seen.changes, 1);
  });
});

describe("changes of legacy tables", () => {
  it("are looked for every 3 seconds, the first one too", async () => {
    const host = machine({ hasNetlink: false });
    const seen = counted(host.parts);
    await host.clock.advance(30_000);
    assert.deepEqual([host.reads, seen.changes], [11, 0]);
    host.names = "filter\n";
    await host.clock.advance(4_000);
    assert.equal(seen.changes, 1);
    const before = host.reads;
    await host.clock.advance(30_000);
    assert.deepEqual([host.reads - before, seen.changes], [10, 1]);
    host.names = "filter\nnat\n";
    await host.clock.advance(4_000);
    assert.equal(seen.changes, 2);
  });

  it("are none at the start", async () => {
    const host = machine({ hasNetlink: false });
    host.names = "filter\n";
    const seen = counted(host.parts);
    await host.clock.advance(60_000);
    assert.equal(seen.changes, 0);
  });
});

describe("a watch that was stopped", () => {
  it("tells nothing more, not even what it had heard, and leaves no timer", async () => {
    const host = machine();
    const seen = counted(host.parts);
    host.hear(DATAGRAM);
    seen.stop();
    seen.stop();
    const { reads } = host;
    await host.clock.advance(120_000);
    assert.deepEqual([seen.changes, host.isClosed, host.reads], [0, true, reads]);
  });
});
