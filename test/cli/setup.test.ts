/** The setup against a local hub: what it asks, checks, writes and says. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { readConfig } from "../../src/config/read-config.ts";
import type { LocalHub } from "../../src/localhub/hub-contract.ts";
import { startLocalHub } from "../../src/localhub/local-hub.ts";
import { systemClock } from "../../src/system/clock.ts";
import { systemRandom } from "../../src/system/random.ts";
import { groupIdOf } from "../../src/system/service-folder.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { setUp, type TestFolder, testFolder } from "./setup-rig.ts";

const MODULE = { deviceId: "gateway", moduleId: "azureiotsecurity" };

let hub: LocalHub;
let hubFolder: TestFolder;
let folder: TestFolder;
let connectionString: string;
let key: string;
let logins: string[];

before(async () => {
  hubFolder = testFolder();
  hub = await startLocalHub({
    stateDirectory: hubFolder.file("hub"),
    clock: systemClock,
    random: systemRandom,
    log: new RecordingLog(),
    identities: [MODULE, { deviceId: "gateway" }],
  });
  connectionString = hub.connectionString();
  key = /SharedAccessKey=([^;]+)/.exec(connectionString)?.[1] ?? "";
  assert.ok(key.length > 20);
  hub.observe({
    onConnection: ({ identity, via }) => logins.push(`${identity.moduleId ?? "device"} ${via}`),
  });
});

after(async () => {
  await hub.stop();
  hubFolder.remove();
});

beforeEach(() => {
  folder = testFolder();
  logins = [];
});

afterEach(() => folder.remove());

function given(name: string, text: string): string {
  writeFileSync(folder.file(name), text, { mode: 0o600 });
  return folder.file(name);
}

function target(): readonly string[] {
  return ["--config-dir", folder.file("etc"), "--no-start", "--ca", hub.caFile];
}

function writtenConfig() {
  return readConfig(folder.read("etc/config.json"), {});
}

const CONFIG_MODE =
  groupIdOf("gatewarden") !== undefined && process.geteuid?.() === 0 ? "0640" : "0600";

describe("setup with a connection string", () => {
  it("logs in, and writes a configuration and credentials that only root can read", async () => {
    const file = given("cs", `${connectionString}\n`);
    const { code, output } = await setUp([...target(), "--connection-string-file", file]);
    assert.equal(code, 0, output);
    assert.deepEqual(logins, ["azureiotsecurity mqtt"]);
    assert.match(output, /localhost:\d+ let in module azureiotsecurity of gateway/);
    assert.deepEqual(
      folder.modes("etc"),
      [
        "0600 credentials/iothub-ca",
        "0600 credentials/iothub-connection-string",
        `${CONFIG_MODE} config.json`,
        "0700 credentials/",
      ].sort(),
    );
    const reading = writtenConfig();
    assert.deepEqual(reading.faults, []);
    assert.equal(
      reading.config.iothub.connectionStringFile,
      "credential:gatewarden_iothub-connection-string",
    );
    assert.equal(folder.read("etc/credentials/iothub-connection-string"), `${connectionString}\n`);
    assert.equal(folder.read("etc/config.json").includes(key), false);
    assert.equal(output.includes(key), false);
  });

  it("takes a string in quotes, typed in, without repeating it", async () => {
    const answers = ["connection string of its module at the hub", `"${connectionString}"`];
    const { code, output, questions } = await setUp(target(), { answers });
    assert.equal(code, 0, output);
    assert.equal(questions.length, 2);
    assert.equal(folder.read("etc/credentials/iothub-connection-string"), `${connectionString}\n`);
    assert.equal(output.includes(key), false);
  });

  it("asks again when what was typed is that of a service policy", async () => {
    const policy = `HostName=h.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey=${key}`;
    const kind = "connection string of its module at the hub";
    const { code, output } = await setUp(target(), {
      answers: [kind, policy, kind, connectionString],
    });
    assert.equal(code, 0, output);
    assert.match(output, /service policy \(it has SharedAccessKeyName\)/);
    assert.equal(output.includes(key), false);
  });

  it("says that credentials are refused when the key is wrong, and writes nothing", async () => {
    const wrong = connectionString.replace(key, Buffer.alloc(32, 7).toString("base64"));
    const file = given("cs", wrong);
    const { code, output } = await setUp([...target(), "--connection-string-file", file]);
    assert.equal(code, 3, output);
    assert.match(output, /refused the credentials/);
    assert.match(output, /Nothing was written/);
    assert.throws(() => folder.read("etc/config.json"), /ENOENT/);
  });

  it("says that the certificate is not trusted when the CA is not given", async () => {
    const file = given("cs", connectionString);
    const { code, output } = await setUp([
      ...target().slice(0, 3),
      "--connection-string-file",
      file,
    ]);
    assert.equal(code, 1, output);
    assert.match(output, /not trusted/);
    assert.match(output, /--ca FILE/);
  });

  it("says that a host name is not found", async () => {
    const other = connectionString.replace(/GatewayHostName=[^;]+/, "GatewayHostName=no.invalid");
    const file = given("cs", other);
    const { code, output } = await setUp([...target(), "--connection-string-file", file]);
    assert.equal(code, 1, output);
    assert.match(output, /no\.invalid:8883: (?:host name not found|DNS does not answer)/);
    assert.match(output, /--protocol mqtt-ws/);
  });

  it("says that a port is closed", async () => {
    const port = await closedPort();
    const file = given("cs", connectionString.replace(/localhost:\d+/, `localhost:${port}`));
    const { code, output } = await setUp([...target(), "--connection-string-file", file]);
    assert.equal(code, 1, output);
    assert.match(output, /connection refused/);
  });

  it("offers WebSockets when the port is closed, and stops when told to", async () => {
    const port = await closedPort();
    const text = connectionString.replace(
      /GatewayHostName=[^;]+/,
      `GatewayHostName=localhost:${port}`,
    );
    const { code, output } = await setUp(target(), {
      answers: [
        "connection string of its module at the hub",
        text,
        "try WebSockets on port 443",
        "stop",
      ],
    });
    // The port of the connection string holds for both protocols, so both tries are refused.
    assert.equal(code, 1, output);
    assert.equal(output.match(/connection refused/g)?.length, 2);
  });

  it("lets a person name the CA, and keeps it for the identity that is given next", async () => {
    const kind = "connection string of its module at the hub";
    const wrong = connectionString.replace(key, Buffer.alloc(32, 7).toString("base64"));
    const { code, output } = await setUp(target().slice(0, 3), {
      answers: [
        ...[kind, wrong, "name a CA file that the hub's certificate is signed by"],
        ...["/nonexistent/ca.pem", hub.caFile, "give the identity again", kind, connectionString],
      ],
    });
    assert.equal(code, 0, output);
    assert.match(output, /not trusted[\s\S]*refused the credentials[\s\S]*let in module/);
    assert.equal(writtenConfig().config.iothub.caFile, "credential:gatewarden_iothub-ca");
  });

  it("connects over WebSockets", async () => {
    const file = given("cs", connectionString);
    const port = String(hub.webSocketPort);
    const args = [...target(), "--connection-string-file", file, "--protocol", "mqtt-ws"];
    const { code, output } = await setUp([...args, "--port", port]);
    assert.equal(code, 0, output);
    assert.deepEqual(logins, ["azureiotsecurity websocket"]);
    assert.equal(writtenConfig().config.iothub.protocol, "mqtt-ws");
  });

  it("explains a device identity and asks whether to go on", async () => {
    const device = hub.connectionString({ deviceId: "gateway" });
    const args = [...target(), "--connection-string-file", given("cs", device)];
    const stopped = await setUp(args, { answers: ["n"] });
    assert.equal(stopped.code, 2, stopped.output);
    assert.match(stopped.output, /the device itself, not a module/);
    const gone = await setUp(args);
    assert.equal(gone.code, 0, gone.output);
    assert.deepEqual(logins, ["device mqtt"]);
  });

  it("does not connect with --no-check", async () => {
    const file = given("cs", connectionString);
    const { code } = await setUp([...target(), "--no-check", "--connection-string-file", file]);
    assert.equal(code, 0);
    assert.deepEqual(logins, []);
  });
});

describe("setup with other identities", () => {
  it("logs in with a client certificate", async () => {
    const { certificatePem, keyPem } = await hub.issueCertificate(MODULE);
    const { code, output } = await setUp([
      ...target(),
      ...["--host", hub.hostName, "--gateway-host", `localhost:${hub.port}`],
      ...["--device", "gateway", "--module", "azureiotsecurity"],
      ...["--certificate", given("c.pem", certificatePem), "--key", given("k.pem", keyPem)],
    ]);
    assert.equal(code, 0, output);
    assert.deepEqual(logins, ["azureiotsecurity mqtt"]);
    assert.equal(folder.read("etc/credentials/iothub-key"), keyPem);
    assert.equal(output.includes("BEGIN"), false);
  });

  it("provisions a device and its module with the device's key", async () => {
    const device = hub.connectionString({ deviceId: "gateway" });
    const deviceKey = /SharedAccessKey=([^;]+)/.exec(device)?.[1] ?? "";
    const { code, output } = await setUp([
      ...target(),
      ...["--dps-scope", "0ne00000000", "--registration-id", "gateway"],
      ...["--dps-endpoint", `localhost:${hub.webSocketPort}`, "--protocol", "mqtt-ws"],
      ...["--module", "azureiotsecurity", "--dps-key-file", given("key", deviceKey)],
    ]);
    assert.equal(code, 0, output);
    assert.deepEqual(logins, ["azureiotsecurity websocket"]);
    assert.equal(writtenConfig().config.iothub.provisioning?.port, hub.webSocketPort);
    assert.equal(output.includes(deviceKey), false);
  });

  it("says that the provisioning service refuses a wrong key", async () => {
    const { code, output } = await setUp([
      ...target(),
      ...["--dps-scope", "0ne00000000", "--registration-id", "gateway"],
      ...["--dps-endpoint", `localhost:${hub.webSocketPort}`, "--protocol", "mqtt-ws"],
      ...["--dps-key-file", given("key", Buffer.alloc(32, 9).toString("base64"))],
    ]);
    assert.equal(code, 3, output);
    assert.match(output, /provisioning: the hub refused the credentials/);
  });
});

describe("setup over an existing configuration", () => {
  beforeEach(() => {
    mkdirSync(folder.file("etc"));
    const before = {
      stateDirectory: "/srv/gatewarden",
      log: { level: "debug" },
      iothub: {
        keepAliveSeconds: 60,
        provisioning: { idScope: "0ne1", registrationId: "old", symmetricKeyFile: "/old" },
        proxyPasswordFile: "credential:gatewarden_old-password",
      },
      settings: { snapshotFrequency: "PT1H" },
    };
    writeFileSync(folder.file("etc/config.json"), JSON.stringify(before));
  });

  it("stops without --yes where nobody can be asked", async () => {
    const file = given("cs", connectionString);
    const { code, output } = await setUp([...target(), "--connection-string-file", file]);
    assert.equal(code, 2);
    assert.match(output, /exists[\s\S]*--yes/);
    assert.deepEqual(logins, []);
  });

  it("replaces identity and network, keeps the rest and a copy of it", async () => {
    const before = folder.read("etc/config.json");
    const args = [...target(), "--yes", "--connection-string-file", given("cs", connectionString)];
    const { code, output } = await setUp(args);
    assert.equal(code, 0, output);
    const { config, faults } = writtenConfig();
    assert.deepEqual(faults, []);
    assert.equal(config.stateDirectory, "/srv/gatewarden");
    assert.equal(config.log.level, "debug");
    assert.equal(config.iothub.keepAliveSeconds, 60);
    assert.equal(config.iothub.provisioning, undefined);
    assert.deepEqual(config.settings, { snapshotFrequency: "PT1H" });
    assert.equal(folder.read("etc/config.json.bak-1"), before);

    const again = await setUp(args);
    assert.equal(again.code, 0, again.output);
    assert.throws(() => folder.read("etc/config.json.bak-2"), /ENOENT/, "nothing had changed");
    await setUp([...args, "--port", String(hub.port)]);
    assert.match(folder.read("etc/config.json.bak-2"), /credential:/);
    const modes = folder.modes("etc").filter((line) => line.includes("bak"));
    assert.deepEqual(modes, ["0600 config.json.bak-1", "0600 config.json.bak-2"]);
  });

  it("leaves everything alone when the person says no", async () => {
    const before = folder.read("etc/config.json");
    const { code } = await setUp(target(), { answers: ["n"] });
    assert.equal(code, 2);
    assert.equal(folder.read("etc/config.json"), before);
  });
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 1;
}
