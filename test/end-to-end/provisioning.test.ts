/** The built agent provisions itself: DPS, then its module's key from the registry, then the hub. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { startLocalHub } from "../../src/localhub/local-hub.ts";
import { systemClock } from "../../src/system/clock.ts";
import { systemRandom } from "../../src/system/random.ts";
import { startBundle, until } from "../support/bundle.ts";
import { RecordingLog } from "../support/recording-log.ts";

it("a device with a symmetric key finds its hub and its module, over WebSockets", async (test) => {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-dps-"));
  const hub = await startLocalHub({
    stateDirectory: join(folder, "hub"),
    clock: systemClock,
    random: systemRandom,
    log: new RecordingLog(),
    identities: [{ deviceId: "gateway" }, { deviceId: "gateway", moduleId: "azureiotsecurity" }],
  });
  const connections: string[] = [];
  hub.observe({
    onConnection: ({ identity, via }) => connections.push(`${identity.moduleId} ${via}`),
  });
  const key =
    /SharedAccessKey=([^;]+)/.exec(hub.connectionString({ deviceId: "gateway" }))?.[1] ?? "";
  const symmetricKeyFile = join(folder, "key");
  writeFileSync(symmetricKeyFile, key, { mode: 0o600 });
  const config = join(folder, "config.json");
  writeFileSync(
    config,
    JSON.stringify({
      stateDirectory: join(folder, "state"),
      iothub: {
        protocol: "mqtt-ws",
        caFile: hub.caFile,
        provisioning: {
          idScope: "0ne00000000",
          registrationId: "gateway",
          globalEndpoint: "localhost",
          port: hub.webSocketPort,
          moduleId: "azureiotsecurity",
          symmetricKeyFile,
        },
      },
    }),
  );
  const agent = startBundle(["run", "--config", config]);
  test.after(async () => {
    agent.child.kill("SIGKILL");
    await agent.exit;
    await hub.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await until(() => connections.length > 0, `a connection; the agent says ${agent.errors()}`);
  assert.deepEqual(connections, ["azureiotsecurity websocket"]);
  assert.equal(agent.errors().includes(key), false);
});
