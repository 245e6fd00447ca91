/** The whole way: setup writes the configuration, the agent runs with it, its message arrives. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { AssembledAgent } from "../../src/cli/assemble.ts";
import { assembleAgent } from "../../src/cli/assemble.ts";
import { credentialsBeside } from "../../src/cli/run.ts";
import { readConfig } from "../../src/config/read-config.ts";
import { fail, ok } from "../../src/contract/result.ts";
import { startLocalHub } from "../../src/localhub/local-hub.ts";
import { systemClock } from "../../src/system/clock.ts";
import { environment } from "../../src/system/environment.ts";
import { systemRandom } from "../../src/system/random.ts";
import type { ServiceControl } from "../../src/system/service-control.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { NO_SERVICE, setUp, type TestFolder, testFolder } from "./setup-rig.ts";

const OBJECT = "ms_iotn:urn_azureiot_Security_SecurityAgentConfiguration";

/** The agent in this process in the place of systemd's service. */
function agentAsService(folder: TestFolder): ServiceControl & { end(): Promise<void> } {
  let running: AssembledAgent | undefined;
  const log = new RecordingLog();
  async function end(): Promise<void> {
    await running?.agent.stop(5_000);
    running?.release();
    running = undefined;
  }
  return {
    ...NO_SERVICE,
    end,
    async stop() {
      await end();
      return ok(undefined);
    },
    async start() {
      const reading = readConfig(folder.read("etc/config.json"), {});
      running = await assembleAgent({
        reading,
        log,
        environment: { ...environment(), credentialsDirectory: undefined },
        credentialsSource: credentialsBeside(folder.file("etc/config.json")),
      });
      await running.agent.start();
      return ok(undefined);
    },
    lastLines: async () =>
      log.lines.map(({ fields, message }) => JSON.stringify({ ...fields, msg: message })),
  };
}

async function rig(test: { after(action: () => Promise<void>): void }, interval: string) {
  const folder = testFolder();
  const hub = await startLocalHub({
    stateDirectory: folder.file("hub"),
    clock: systemClock,
    random: systemRandom,
    log: new RecordingLog(),
    desired: { [OBJECT]: { highPriorityMessageFrequency: { value: interval } } },
  });
  mkdirSync(folder.file("etc"));
  const before = {
    stateDirectory: folder.file("state"),
    firstSnapshotDelaySeconds: 0,
    firstSnapshotJitterSeconds: 0,
  };
  writeFileSync(folder.file("etc/config.json"), JSON.stringify(before));
  writeFileSync(folder.file("cs"), hub.connectionString(), { mode: 0o600 });
  const service = agentAsService(folder);
  test.after(async () => {
    await service.end();
    await hub.stop();
    folder.remove();
  });
  const args = [
    ...["--config-dir", folder.file("etc"), "--no-start", "--yes", "--ca", hub.caFile],
    ...["--connection-string-file", folder.file("cs")],
  ];
  return { folder, hub, service, args };
}

describe("setup and the service", () => {
  it("ends when the hub acknowledged the service's first message", async (test) => {
    const { hub, service, args } = await rig(test, "PT1S");
    let messages = 0;
    hub.observe({ onMessage: () => (messages += 1) });
    const { code, output } = await setUp(args, { control: service, isRoot: true });
    assert.equal(code, 0, output);
    assert.match(output, /the hub acknowledged the first message/);
    assert.ok(messages > 0);
  });

  it("says that it is connected when nothing is due yet, and what then", async (test) => {
    const { folder, service, args } = await rig(test, "PT7M");
    // A device that has sent before keeps to its intervals; a new one sends at once.
    mkdirSync(folder.file("state"), { mode: 0o700 });
    writeFileSync(folder.file("state/ledger.json"), "{}", { mode: 0o600 });
    const wait = ["--wait", "2"];
    const { code, output } = await setUp([...args, ...wait], { control: service, isRoot: true });
    assert.equal(code, 0, output);
    assert.match(output, /runs and is connected/);
    assert.match(output, /highPriorityMessageFrequency/);
    assert.equal(output.includes("acknowledged"), false);
  });

  it("says that the service does not connect, with its own words", async (test) => {
    const { hub, service, args } = await rig(test, "PT1S");
    const start = async () => {
      hub.faults.rejectAuthentication(true);
      return service.start();
    };
    // Long enough for an attempt to be refused on a busy machine.
    const { code, output } = await setUp([...args, "--wait", "6"], {
      control: { ...service, start },
      isRoot: true,
    });
    assert.equal(code, 1, output);
    assert.match(output, /did not connect within 6 s/);
    assert.match(output, /not connected; the hub refused the credentials/);
    assert.match(output, /gatewarden doctor --config/);
  });

  it("asks nothing where there is no systemd or no unit", async (test) => {
    const { folder, args } = await rig(test, "PT1S");
    const without = {
      ...NO_SERVICE,
      status: async () => fail("unsupported", "systemd", "systemd does not run on this machine"),
    };
    const first = await setUp(args, { control: without, isRoot: true });
    assert.equal(first.code, 2);
    assert.match(first.output, /systemd does not run[\s\S]*--no-start/);
    const absent = { isInstalled: false, activeState: "", result: "", exitCode: 0, restarts: 0 };
    const control = { ...NO_SERVICE, status: async () => ok(absent) };
    const second = await setUp(args, { control, isRoot: true });
    assert.equal(second.code, 2);
    assert.match(second.output, /no unit gatewarden\.service/);
    assert.equal(folder.modes("etc").length, 1, "something was written");
  });
});
