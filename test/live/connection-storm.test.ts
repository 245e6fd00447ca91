/** The collector of connections between two network namespaces, on the real kernel. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runStorm, runUdp, skipReason } from "./connection-storm.ts";
import { judgeStorm } from "./storm-verdict.ts";

describe("connections of a few milliseconds", { skip: skipReason() }, () => {
  it("are reported once each, with direction and process, where the firewall tracks them", async (test) => {
    const storm = await runStorm({ count: 200, isTracked: true });
    const { connections, ownersFound } = judgeStorm(storm);
    test.diagnostic(
      `${connections} connections, ${ownersFound} of 200 outbound with their process`,
    );
    assert.equal(connections, 400);
  });
});

describe("UDP without a connection", { skip: skipReason() }, () => {
  it("is one flow each way, with the process that holds the socket", async () => {
    const { seen, processIds } = await runUdp();
    const udp = seen.map((one) => [
      one.Direction,
      one.Direction === "In" ? one.LocalPort : one.RemotePort,
      one.ProcessId,
    ]);
    assert.deepEqual(udp.sort(), [
      ["In", "5300", processIds.In],
      ["Out", "53", processIds.Out],
    ]);
  });
});
