import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EventDraft, PayloadItem } from "../../src/contract/event.ts";
import type { SocketFacts } from "../../src/contract/probe.ts";
import { contextOf, settingsOf } from "../../test/collectors/case-run.ts";
import { liveMachine, processFacts } from "../../test/collectors/live-probe.ts";
import { socketEnd, trackedFlow } from "../../test/collectors/network-notices.ts";
import { socket } from "../../test/collectors/tree-probe.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { connections as collector } from "./index.ts";

const OWN = "192.0.2.2";
const FAR = "192.0.2.20";
const FIB_TRIE = `  |-- ${OWN}\n     /32 host LOCAL\n`;

function connected(changes: Partial<SocketFacts>): SocketFacts {
  return socket({
    state: 1,
    localAddress: OWN,
    localPort: 50_000,
    remoteAddress: FAR,
    remotePort: 443,
    inode: 500,
    ...changes,
  });
}

function rig(settings: Readonly<Record<string, unknown>> = {}) {
  const machine = liveMachine();
  machine.tree.files.set("/proc/net/fib_trie", FIB_TRIE);
  const clock = new FakeClock();
  const items: PayloadItem[] = [];
  const losses: string[] = [];
  const base = contextOf(machine.probe, settingsOf(collector, settings));
  const countLoss = (name: string, reason: string, count: number): void => {
    losses.push(`${name}.${reason} ${count}`);
  };
  const agent = { ...base.agent, countLoss };
  const context = { ...base, clock, log: new RecordingLog(), agent };
  assert.ok(collector.mode === "watch");
  const { watch } = collector;
  const take = (drafts: readonly EventDraft[]): void => {
    items.push(...drafts.flatMap((draft) => draft.payload));
  };
  const hold = (processId: number, executable: string, inode: number): void => {
    machine.processes.set(processId, processFacts({ processId, executable, args: [executable] }));
    machine.tree.links.set(`/proc/${processId}/fd/5`, `socket:[${inode}]`);
  };
  return { machine, clock, items, losses, hold, start: () => watch(context, take) };
}

function details(item: PayloadItem | undefined): Readonly<Record<string, string>> {
  const found = item?.["ExtraDetails"];
  return typeof found === "object" ? found : {};
}

describe("connections", () => {
  it("that were there before the agent are told as such, and once", async () => {
    const { machine, clock, items, hold, start } = rig();
    hold(60, "/usr/bin/curl", 500);
    machine.connected = [connected({})];
    const watch = await start();
    await clock.advance(25_000);
    assert.equal(items.length, 1);
    assert.deepEqual(items[0], {
      RemoteAddress: FAR,
      RemotePort: "443",
      LocalAddress: OWN,
      LocalPort: "50000",
      Direction: "Out",
      Protocol: "tcp",
      ProcessId: 60,
      UserId: "0",
      Executable: "/usr/bin/curl",
      CommandLine: "/usr/bin/curl",
      ExtraDetails: { Source: "sock_diag", State: "existing" },
    });
    await watch.stop();
    assert.deepEqual(machine.listening(), []);
  });

  it("are looked at as soon as their first packet is tracked, while their process is there", async () => {
    const { machine, clock, items, hold, start } = rig();
    const watch = await start();
    await clock.advance(1_000);
    hold(61, "/usr/bin/wget", 501);
    machine.connected = [connected({ inode: 501, localPort: 50_001 })];
    machine.tell("conntrack", trackedFlow("tcp", [OWN, 50_001], [FAR, 443]));
    machine.connected = [];
    machine.tell("socket-ends", socketEnd([OWN, 50_001], [FAR, 443]));
    await clock.advance(150);
    assert.equal(items.length, 1);
    assert.deepEqual([items[0]?.["Executable"], items[0]?.["Direction"]], ["/usr/bin/wget", "Out"]);
    await watch.stop();
  });

  it("that ended before anybody looked are told at their end, inbound with the one who listens", async () => {
    const { machine, clock, items, losses, hold, start } = rig();
    machine.tree.files.set("/proc/sys/net/netfilter/nf_conntrack_count", "0\n");
    hold(70, "/usr/sbin/server", 600);
    const watch = await start();
    Object.assign(machine.probe, {
      listeningSockets: () => ({
        ok: true,
        value: { source: "sock_diag", sockets: [socket({ localPort: 8_080, inode: 600 })] },
      }),
    });
    await clock.advance(2_000);
    machine.tell("socket-ends", socketEnd([OWN, 8_080], [FAR, 40_000]));
    machine.tell("socket-ends", socketEnd([OWN, 50_002], [FAR, 443]));
    await clock.advance(150);
    const [inbound, outbound] = items;
    assert.deepEqual([inbound?.["Direction"], inbound?.["ProcessId"]], ["In", 70]);
    assert.equal(details(inbound)["OwnerOf"], "listener");
    assert.equal(details(inbound)["BytesSent"], "1234");
    assert.deepEqual([outbound?.["Direction"], outbound?.["ProcessId"]], ["Out", 0]);
    assert.deepEqual(losses, ["ConnectionCreate.process-unknown 1"]);
    await watch.stop();
  });

  it("that nobody answered are told as failed", async () => {
    const { machine, clock, items, start } = rig();
    const watch = await start();
    machine.tell("socket-ends", socketEnd([OWN, 50_003], [FAR, 443], { isFailed: true }));
    await clock.advance(150);
    assert.equal(details(items[0])["State"], "failed");
    await watch.stop();
  });

  it("over loopback are left out unless asked for, and what is only forwarded always is", async () => {
    for (const includeLoopback of [false, true]) {
      const { machine, clock, items, start } = rig({ includeLoopback });
      const watch = await start();
      machine.tell("socket-ends", socketEnd(["127.0.0.1", 50_004], ["127.0.0.1", 5_432]));
      machine.tell("conntrack", trackedFlow("udp", ["10.0.0.9", 5_000], [FAR, 53]));
      await clock.advance(150);
      assert.equal(items.length, includeLoopback ? 1 : 0);
      await watch.stop();
    }
  });

  it("of UDP without a connection are told by the first packet", async () => {
    const { machine, clock, items, start } = rig();
    const watch = await start();
    machine.tell("conntrack", trackedFlow("udp", [OWN, 40_123], [FAR, 53]));
    machine.tell("conntrack", trackedFlow("udp", [FAR, 5_353], [OWN, 161]));
    await clock.advance(150);
    assert.deepEqual(
      items.map((item) => [item["Protocol"], item["Direction"], item["RemotePort"]]),
      [
        ["udp", "Out", "53"],
        ["udp", "In", "5353"],
      ],
    );
    await watch.stop();
  });

  it("that the kernel dropped are counted, and what is still there is found by looking", async () => {
    const { machine, clock, items, losses, start } = rig();
    const watch = await start();
    machine.connected = [connected({ inode: 0, localPort: 50_005 }), connected({ inode: 502 })];
    machine.overrun("socket-ends", 9);
    await clock.advance(3_000);
    assert.equal(losses[0], "ConnectionCreate.socket-ends-overrun 9");
    assert.deepEqual(
      items.map((item) => item["LocalPort"]),
      ["50000"],
    );
    machine.tell("socket-ends", Uint8Array.of(1));
    assert.equal(losses.at(-1), "ConnectionCreate.unreadable 1");
    await watch.stop();
  });
});

describe("connections without the notices of the kernel", () => {
  it("are found by looking, even those that nobody holds any more, and it is said what is missing", async () => {
    const { machine, clock, items, start } = rig({ pollSeconds: 5 });
    machine.refused.set("socket-ends", "unsupported");
    machine.refused.set("conntrack", "not-permitted");
    const watch = await start();
    assert.deepEqual(
      watch.problems?.map(({ code }) => code),
      ["unsupported", "not-permitted"],
    );
    machine.connected = [connected({ inode: 0, state: 4 })];
    await clock.advance(5_500);
    assert.equal(items.length, 1);
    await watch.stop();
  });
});
