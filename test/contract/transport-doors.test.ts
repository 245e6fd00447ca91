/** The hub transports through what stands in front of a hub: WebSockets and proxies. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { startProxy, startWebSocketFront } from "../support/doors.ts";
import { mosquittoMissing } from "../support/mosquitto.ts";
import { mosquittoBench, testCertificates } from "./mosquitto-bench.ts";
import { HUB_KINDS, Subject, until } from "./transport-bench.ts";

describe("a hub behind doors", { skip: mosquittoMissing ?? false, concurrency: 4 }, () => {
  for (const kind of HUB_KINDS) {
    it(`${kind} works over WebSockets through a proxy that asks for a password`, async () => {
      const { good } = await testCertificates();
      const bench = await mosquittoBench();
      const front = await startWebSocketFront(good, bench.plainPort);
      const proxy = await startProxy("user:secret word");
      const folder = mkdtempSync(join(tmpdir(), "doors-"));
      const credentialsFile = join(folder, "proxy");
      writeFileSync(credentialsFile, "user:secret word\n");
      const network = {
        ...bench.options.network,
        protocol: "websockets" as const,
        port: front.port,
        proxy: { url: `http://127.0.0.1:${proxy.port}`, credentialsFile },
      };
      const subject = await Subject.start({ kind, ...bench.options, network });
      try {
        await subject.ready();
        assert.equal((await subject.send()).status, "acknowledged");
        await until("it is there", () => bench.telemetry().length === 1);
        bench.patchDesired({ over: "websocket" });
        await subject.agrees(bench);
        assert.deepEqual(front.asked, ["/$iothub/websocket mqtt"]);
        assert.deepEqual(proxy.asked, [`localhost:${front.port}`]);
        assert.ok(!JSON.stringify(subject.log.lines).includes("secret word"));
      } finally {
        await subject.stop();
        await proxy.close();
        await front.close();
        await bench.stop();
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
