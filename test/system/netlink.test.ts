/** The netlink binding against the running kernel. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { endianness } from "node:os";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { inetDiagRequest, parseInetDiag, STATE_LISTEN } from "../../src/parse/inet-diag.ts";
import { NETLINK_PROTOCOLS, type NetlinkSocket } from "../../src/system/netlink.ts";
import { createProbe } from "../../src/system/probe.ts";
import { loadNetlink } from "./load-netlink.ts";
import { asOtherUser } from "./other-user.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const loaded = loadNetlink();
const skip = loaded.ok ? false : `koffi is not usable here: ${loaded.problem.detail}`;

function openSockDiag(): NetlinkSocket {
  assert.ok(loaded.ok);
  const opened = loaded.value.open(NETLINK_PROTOCOLS.sockDiag);
  assert.ok(opened.ok);
  return opened.value;
}

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

const request = inetDiagRequest({
  protocol: "tcp",
  family: "ipv4",
  states: [STATE_LISTEN],
  sequence: 5,
  endianness: endianness(),
});

describe("a netlink socket", { skip }, () => {
  it("carries a question and its answer", (test) => {
    const socket = openSockDiag();
    test.after(() => socket.close());
    assert.ok(socket.send(request).ok);
    let outcome = "more";
    while (outcome === "more") {
      const received = socket.receive(1000);
      assert.ok(received.ok && received.value.kind === "datagram");
      const context = { protocol: "tcp", sequence: 5, endianness: endianness() } as const;
      outcome = parseInetDiag(received.value.bytes, context).outcome;
    }
    assert.equal(outcome, "done");
  });

  it("has nothing to give when nothing was asked, and does not wait longer than told", (test) => {
    const socket = openSockDiag();
    test.after(() => socket.close());
    assert.deepEqual(socket.receive(0), { ok: true, value: { kind: "nothing" } });
    assert.deepEqual(socket.receive(20), { ok: true, value: { kind: "nothing" } });
  });

  it("says that the kernel dropped answers, and works on", (test) => {
    const socket = openSockDiag();
    test.after(() => socket.close());
    const refused = Uint8Array.from(request);
    // No such message type: each request is answered with an error, until the buffer is full.
    refused.fill(0xff, 4, 6);
    for (let count = 0; count < 3000; count += 1) socket.send(refused);
    const kinds = new Map<string, number>();
    for (let count = 0; count < 4000; count += 1) {
      const received = socket.receive(0);
      assert.ok(received.ok);
      const { kind } = received.value;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      if (kind === "nothing") break;
    }
    assert.equal(kinds.get("overrun"), 1);
    assert.ok((kinds.get("datagram") ?? 0) > 10);
    assert.ok(socket.send(request).ok);
    const received = socket.receive(1000);
    assert.ok(received.ok && received.value.kind === "datagram");
  });

  it("that is closed touches no descriptor any more", () => {
    const socket = openSockDiag();
    socket.close();
    socket.close();
    const sent = socket.send(request);
    assert.equal(!sent.ok && sent.problem.code, "unsupported");
    const received = socket.receive(0);
    assert.equal(!received.ok && received.problem.code, "unsupported");
  });

  it("of an unknown family is a problem and leaves no descriptor", () => {
    assert.ok(loaded.ok);
    const count = openDescriptors();
    const opened = loaded.value.open(31);
    assert.equal(!opened.ok && opened.problem.code, "unsupported");
    assert.match(opened.ok ? "" : opened.problem.detail, /^socket: EPROTONOSUPPORT/);
    assert.equal(openDescriptors(), count);
  });

  it("that may not be bound is a problem and leaves no descriptor", (test) => {
    const result = asOtherUser(test, temporaryFolder(test), {
      module: "test/system/load-netlink.ts",
      before: `
        // Packages are looked for from the started script, and --eval has none.
        process.argv[1] = ${JSON.stringify(fileURLToPath(import.meta.url))};
        const netlink = module.loadNetlink().value;
        const { readdirSync } = await import("node:fs");
        const descriptors = () => readdirSync("/proc/self/fd").length;
        const count = descriptors();
      `,
      // Group 1 of the audit family is given only to those with CAP_AUDIT_READ.
      body: `
        const opened = netlink.open(9, { groups: 1 });
        return [opened.ok ? "opened" : opened.problem.code, String(descriptors() - count)];
      `,
      prepare: () => undefined,
    });
    if (result !== undefined) assert.deepEqual(result, ["not-permitted", "0"]);
  });
});

describe("asking for listening sockets again and again", { skip }, () => {
  it("leaves no descriptor open", () => {
    const probe = createProbe({ root: "/" });
    assert.ok(probe.listeningSockets().ok);
    const count = openDescriptors();
    for (let round = 0; round < 50; round += 1) assert.ok(probe.listeningSockets().ok);
    assert.equal(openDescriptors(), count);
  });
});
