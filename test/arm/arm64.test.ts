/** The arm64 package on an emulated 64-bit ARM machine: installed, set up, first messages. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { buildPackage, type Gateway, openGateway } from "../vm/gateway.ts";
import { whyNoMachines } from "../vm/images.ts";

/** An emulated Cortex-A53 is some twenty times slower than a real one. */
const LIMIT_MS = 300_000;
const skip = whyNoMachines(["qemu-system-aarch64", "qemu-aarch64-static"]);

describe("the package on 64-bit ARM", { skip }, () => {
  let gateway: Gateway;
  let isDone = false;

  before(async () => {
    gateway = await openGateway("bookworm-arm64");
  });
  after(async () => {
    if (skip !== false) return;
    if (!isDone) await gateway.keepEvidence();
    await gateway.close();
  });

  it("is installed and set up, and sends its first messages", async () => {
    assert.equal(await gateway.machine.must("uname -m"), "aarch64");
    const startedAtMs = Date.now();
    await gateway.install(buildPackage(undefined, "arm64"));
    const said = await gateway.setUp();
    await gateway.until("the first message", () => gateway.messages.length > 0, LIMIT_MS);
    gateway.say(
      `first message ${Math.round((Date.now() - startedAtMs) / 1_000)} s after apt began`,
    );
    assert.match(said, /connected|acknowledged|first message/);
  });

  it("reads the kernel there: sockets over netlink, rules of the firewall", async () => {
    await gateway.machine.must(
      "iptables -A INPUT -p tcp --dport 7001 -m comment --comment on-arm -j DROP",
    );
    gateway.desire({ highPriorityMessageFrequency: "PT2S", lowPriorityMessageFrequency: "PT3S" });
    await gateway.until(
      "the rule",
      () => gateway.items("FirewallConfiguration", "on-arm").length > 0,
      LIMIT_MS,
    );
    const ports = gateway.items("ListeningPorts", '"sock_diag"');
    assert.ok(ports.some((item) => JSON.stringify(item).includes('"sshd"')));
    isDone = true;
  });
});
