import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { Snapshot } from "../../src/contract/collector.ts";
import type { Probe } from "../../src/contract/probe.ts";
import { fail } from "../../src/contract/result.ts";
import { contextOf } from "../../test/collectors/case-run.ts";
import {
  addProcess,
  emptyTree,
  removeProcess,
  socket,
  type Tree,
  treeProbe,
} from "../../test/collectors/tree-probe.ts";
import { collectListeningPorts } from "./collect.ts";
import { sharedByText } from "./owner-details.ts";

let tree: Tree;
let probe: Probe;

function look(settings = { includeOwners: true }, signal?: AbortSignal): Promise<Snapshot> {
  const context = contextOf(probe, settings, signal === undefined ? {} : { signal });
  return collectListeningPorts({ ...context, settings });
}

function itemsOf(snapshot: Snapshot) {
  return (snapshot.events[0]?.payload ?? []).map((item) => ({
    port: item["LocalPort"],
    address: item["LocalAddress"],
    details: (item["ExtraDetails"] ?? {}) as Readonly<Record<string, string>>,
  }));
}

function walks(): number {
  return tree.listed.filter((folder) => folder === "/proc").length;
}

beforeEach(() => {
  tree = emptyTree();
  probe = treeProbe(tree);
});

describe("what counts as listening", () => {
  it("leaves out established connections and connected UDP sockets", async () => {
    tree.sockets = [
      socket({ state: 1, localPort: 1 }),
      socket({ protocol: "udp", state: 1, localPort: 2, remotePort: 53 }),
      socket({ protocol: "udp", state: 7, localPort: 3 }),
    ];
    assert.deepEqual(
      itemsOf(await look()).map((item) => item.port),
      ["3"],
    );
  });

  it("leaves out UDP sockets that are bound to no port", async () => {
    tree.sockets = [socket({ protocol: "udp", state: 7, localPort: 0 })];
    assert.deepEqual(itemsOf(await look()), []);
  });

  it("reports nothing at all as an event without payload", async () => {
    assert.deepEqual(await look(), {
      events: [{ name: "ListeningPorts", payload: [] }],
      problems: [],
    });
  });

  it("never lets an address with a zone or a name through", async () => {
    tree.sockets = [
      socket({ localAddress: "fe80::1%eth0" }),
      socket({ localAddress: "localhost" }),
    ];
    assert.deepEqual(itemsOf(await look()), []);
  });

  it("sorts by protocol, then by the number of the port", async () => {
    tree.sockets = [
      socket({ localPort: 8080, inode: 3 }),
      socket({ localPort: 443, inode: 2 }),
      socket({ protocol: "udp", state: 7, localPort: 53, inode: 1 }),
    ];
    assert.deepEqual(
      itemsOf(await look()).map((item) => item.port),
      ["443", "8080", "53"],
    );
  });

  it("reports at most 2,000 items and says that there were more", async () => {
    tree.sockets = Array.from({ length: 2001 }, (_, at) =>
      socket({ localPort: at + 1, inode: at + 1 }),
    );
    const snapshot = await look();
    assert.equal(itemsOf(snapshot).length, 2000);
    assert.deepEqual(
      snapshot.problems.map((problem) => problem.code),
      ["too-large"],
    );
  });
});

describe("sockets that share a port", () => {
  it("become one item that names the oldest process and counts the sockets", async () => {
    tree.sockets = [socket({ inode: 12 }), socket({ inode: 11 })];
    addProcess(tree, 30, { startTicks: 9, sockets: { 3: 11 } });
    addProcess(tree, 40, { startTicks: 7, sockets: { 3: 12 } });
    const [item, ...others] = itemsOf(await look());
    assert.deepEqual(others, []);
    assert.equal(item?.details["Pid"], "40");
    assert.equal(item?.details["SharedBy"], "30");
    assert.equal(item?.details["Count"], "2");
    assert.equal(item?.details["Inode"], "11");
  });

  it("name process 1 only when nobody else holds them", async () => {
    tree.sockets = [socket({ inode: 11 }), socket({ inode: 12, localPort: 631 })];
    addProcess(tree, 1, { startTicks: 0, sockets: { 30: 11, 31: 12 } });
    addProcess(tree, 500, { startTicks: 900, sockets: { 3: 11 } });
    const [ssh, cups] = itemsOf(await look());
    assert.equal(ssh?.details["Pid"], "500");
    assert.equal(ssh?.details["SharedBy"], "1");
    assert.equal(cups?.details["Pid"], "1");
  });

  it("name at most 32 other processes and count the rest", () => {
    const others = Array.from({ length: 40 }, (_, at) => ({
      processId: at,
      descriptor: "3",
      startTicks: 1,
    }));
    assert.match(sharedByText(others) ?? "", /;31;\+8$/);
  });

  it("show an interface only when all of them are bound to one", async () => {
    tree.files.set("/sys/class/net/eth0/ifindex", "2\n");
    tree.sockets = [
      socket({ localPort: 68, inode: 1, interfaceIndex: 2 }),
      socket({ localPort: 69, inode: 2, interfaceIndex: 2 }),
      socket({ localPort: 69, inode: 3, interfaceIndex: 0 }),
      socket({ localPort: 70, inode: 4, interfaceIndex: 9 }),
    ];
    assert.deepEqual(
      itemsOf(await look()).map((item) => item.details["Interface"]),
      ["eth0", undefined, "index:9"],
    );
  });
});

describe("the walk over the processes", () => {
  beforeEach(() => {
    tree.sockets = [socket({ inode: 11 })];
    addProcess(tree, 30, { name: "sshd", sockets: { 3: 11 } });
  });

  it("does not happen again while the sockets and their owners stay", async () => {
    await look();
    const again = await look();
    assert.equal(walks(), 1);
    assert.equal(itemsOf(again)[0]?.details["Pid"], "30");
  });

  it("happens again when the set of sockets changed", async () => {
    await look();
    tree.sockets = [...tree.sockets, socket({ inode: 12, localPort: 80 })];
    addProcess(tree, 31, { name: "nginx", sockets: { 6: 12 } });
    assert.equal(itemsOf(await look())[1]?.details["Pid"], "31");
    assert.equal(walks(), 2);
  });

  it("happens again when an owner is gone", async () => {
    addProcess(tree, 31, { startTicks: 8, sockets: { 3: 11 } });
    await look();
    removeProcess(tree, 30);
    assert.equal(itemsOf(await look())[0]?.details["Pid"], "31");
    assert.equal(walks(), 2);
  });

  it("happens again when another process took the id of an owner", async () => {
    await look();
    removeProcess(tree, 30);
    addProcess(tree, 30, { name: "other", startTicks: 99, sockets: { 3: 11 } });
    assert.equal(itemsOf(await look())[0]?.details["ProcessName"], "other");
    assert.equal(walks(), 2);
  });

  it("does not happen when owners are not wanted", async () => {
    const [item] = itemsOf(await look({ includeOwners: false }));
    assert.equal(item?.details["Pid"], undefined);
    assert.equal(walks(), 0);
  });

  it("does not happen when nothing listens", async () => {
    tree.sockets = [];
    await look();
    assert.equal(walks(), 0);
  });

  it("leaves processes of other network namespaces alone while all owners are known", async () => {
    tree.links.set("/proc/self/ns/net", "net:[1]");
    addProcess(tree, 77, { sockets: { 3: 5000 } });
    tree.links.set("/proc/77/ns/net", "net:[2]");
    await look();
    assert.ok(!tree.listed.includes("/proc/77/fd"));
  });

  it("finds a socket that was handed to a process of another network namespace", async () => {
    tree.links.set("/proc/self/ns/net", "net:[1]");
    removeProcess(tree, 30);
    addProcess(tree, 77, { name: "socket-activated", sockets: { 3: 11 } });
    tree.links.set("/proc/77/ns/net", "net:[2]");
    assert.equal(itemsOf(await look())[0]?.details["ProcessName"], "socket-activated");
  });

  it("keeps two probes apart", async () => {
    await look();
    probe = treeProbe(tree);
    await look();
    assert.equal(walks(), 2);
  });

  it("lets the rest of the agent run between portions of many processes", async () => {
    for (let id = 1000; id < 1500; id += 1) addProcess(tree, id, { sockets: { 0: id } });
    let pauses = 0;
    const settings = { includeOwners: true };
    const context = contextOf(probe, settings, { onPause: () => (pauses += 1) });
    await collectListeningPorts({ ...context, settings });
    assert.equal(pauses, 2);
  });

  it("stops at the next portion when the signal aborts, without half an answer", async () => {
    for (let id = 1000; id < 1500; id += 1) addProcess(tree, id, { sockets: { 0: id } });
    const abort = new AbortController();
    const settings = { includeOwners: true };
    const context = contextOf(probe, settings, {
      signal: abort.signal,
      onPause: () => abort.abort(),
    });
    const snapshot = await collectListeningPorts({ ...context, settings });
    assert.deepEqual(snapshot.events, []);
    assert.equal(snapshot.problems[0]?.code, "timed-out");
    assert.ok(tree.listed.length < 300);
  });
});

describe("without privileges", () => {
  beforeEach(() => {
    tree.sockets = [socket({ inode: 11 }), socket({ inode: 12, localPort: 80 })];
    addProcess(tree, 30, { sockets: { 3: 11 } });
    addProcess(tree, 31, { sockets: { 3: 12 } });
    const open = treeProbe(tree);
    probe = {
      ...open,
      readLink: (path) =>
        path.startsWith("/proc/30/fd/")
          ? fail("not-permitted", path, "denied")
          : open.readLink(path),
    };
  });

  it("there is one problem that counts what is unknown and names the way out", async () => {
    const { problems } = await look();
    assert.equal(problems.length, 1);
    assert.equal(problems[0]?.code, "not-permitted");
    assert.match(
      problems[0]?.detail ?? "",
      /^sockets with unknown owner: 1; processes .*: 1; CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH/,
    );
  });

  it("the problem stays while the answer comes from the last walk", async () => {
    await look();
    assert.equal((await look()).problems.length, 1);
    assert.equal(walks(), 1);
  });

  it("a refusal that hides no owner is no problem", async () => {
    tree.sockets = [socket({ inode: 12, localPort: 80 })];
    assert.deepEqual((await look()).problems, []);
  });

  it("a socket that the kernel itself holds is no problem", async () => {
    probe = treeProbe(tree);
    tree.sockets = [socket({ protocol: "udp", state: 7, inode: 4000, localPort: 51820 })];
    assert.deepEqual((await look()).problems, []);
  });
});

describe("sockets that could not be read", () => {
  it("are a problem and no event", async () => {
    const open = probe;
    probe = { ...open, listeningSockets: () => fail("not-permitted", "/proc/net/tcp", "denied") };
    const snapshot = await look();
    assert.deepEqual(snapshot.events, []);
    assert.equal(snapshot.problems[0]?.code, "not-permitted");
  });
});
