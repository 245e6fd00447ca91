/** The parts of the setup that decide: options, identities, configuration, waiting. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, it } from "node:test";
import { checkCertificate } from "../../src/cli/setup/client-certificate.ts";
import { kindOf } from "../../src/cli/setup/collect-identity.ts";
import { draftConfiguration, type GivenNetwork } from "../../src/cli/setup/configuration-draft.ts";
import {
  compareSigns,
  readableLines,
  readStateSigns,
  type StateSigns,
  waitForFirstMessage,
} from "../../src/cli/setup/first-message.ts";
import { setupRemedy } from "../../src/cli/setup/hub-login.ts";
import { draftIdentity, type GivenIdentity } from "../../src/cli/setup/identity-draft.ts";
import { createProgress } from "../../src/cli/setup/progress.ts";
import { parseSetupOptions } from "../../src/cli/setup/setup-options.ts";
import { startService } from "../../src/cli/setup/start-service.ts";
import { AgentError } from "../../src/contract/errors.ts";
import { fail, ok } from "../../src/contract/result.ts";
import { pathOfReference, readSecret } from "../../src/system/secrets.ts";
import { parseServiceStatus, type ServiceStatus } from "../../src/system/service-control.ts";
import { ensureServiceFolder, groupIdOf, namesIn } from "../../src/system/service-folder.ts";
import { testAuthority } from "../support/certificates.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { NO_SERVICE, recordingTerminal, setUp, type TestFolder, testFolder } from "./setup-rig.ts";

const KEY = Buffer.alloc(32, 5).toString("base64");
const STRING = `HostName=h.azure-devices.net;DeviceId=gw;ModuleId=m;SharedAccessKey=${KEY}`;
const NO_NETWORK: GivenNetwork = {
  transport: undefined,
  protocol: undefined,
  port: undefined,
  proxy: undefined,
  proxyPassword: undefined,
  caPem: undefined,
};

function refuses(action: () => unknown, what: RegExp): AgentError {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof AgentError);
    assert.match(`${error.message} ${error.remedy}`, what);
    assert.equal(`${error.message} ${error.remedy}`.includes(KEY), false, "a secret is shown");
    return error;
  }
  assert.fail("not refused");
}

function byString(text: string, gatewayHost?: string): GivenIdentity {
  return { kind: "connection-string", text, certificate: undefined, gatewayHost };
}

describe("the options of setup", () => {
  it("refuse a secret in every place, without repeating it", () => {
    for (const args of [
      ["--connection-string", STRING],
      [`--connection-string=${STRING}`],
      ["--dps-key", KEY],
      ["--shared-access-key", KEY],
      [STRING],
      ["--connection-string-file", STRING],
    ]) {
      const error = refuses(() => parseSetupOptions(args), /secret on the command line/);
      assert.match(error.remedy, /-file (?:FILE|-)/);
    }
  });

  it("refuse what does not go together", () => {
    refuses(() => parseSetupOptions(["--config-dir", "/tmp/x"]), /Add --no-start/);
    refuses(() => parseSetupOptions(["--config-dir", "x", "--no-start"]), /absolute/);
    refuses(() => parseSetupOptions(["--transport", "mqtt"]), /docs\/configuration\.md/);
    refuses(() => parseSetupOptions(["--port", "0"]), /1 to 65535/);
    refuses(() => parseSetupOptions(["--host", "-"]), /standard input/);
    refuses(
      () => parseSetupOptions(["--connection-string-file", "-", "--dps-key-file", "-"]),
      /asked for twice/,
    );
    const kind = (args: readonly string[]) => kindOf(parseSetupOptions(args));
    refuses(() => kind(["--host", "h", "--dps-scope", "0ne1"]), /different kinds/);
    refuses(() => kind(["--connection-string-file", "f", "--module", "m"]), /names its own module/);
    assert.equal(kind(["--dps-scope", "0ne1"]), "provisioning");
    assert.equal(kind(["--certificate", "f"]), "x509");
    assert.equal(kind([]), undefined);
  });

  it("name what is missing where nobody can be asked", async () => {
    const folder = testFolder();
    const base = ["--config-dir", folder.path, "--no-start"];
    const nothing = await setUp(base);
    assert.match(nothing.output, /no identity is given[\s\S]*--connection-string-file/);
    const half = await setUp([...base, "--host", "h.azure-devices.net"]);
    assert.match(half.output, /--device is missing/);
    const absent = await setUp([...base, "--connection-string-file", "/nonexistent/cs"]);
    assert.deepEqual([nothing.code, half.code, absent.code], [2, 2, 3]);
    assert.match(absent.output, /connection string cannot be read from \/nonexistent\/cs/);
    const key = await setUp([
      ...[...base, "--dps-scope", "0ne1", "--registration-id", "r"],
      ...["--dps-key-file", KEY],
    ]);
    assert.equal(key.output.includes(KEY), false, "a key in the place of its file is shown");
    folder.remove();
  });

  it("need root for the system's own folder", async () => {
    const { code, output } = await setUp(["--connection-string-file", "x"], { isRoot: false });
    assert.equal(code, 2);
    assert.match(output, /sudo gatewarden setup/);
  });
});

describe("an identity", () => {
  it("of a module is described without its secret", () => {
    const draft = draftIdentity(byString(STRING), 0);
    assert.equal(
      draft.summary,
      "module m of device gw at h.azure-devices.net, by connection string",
    );
    assert.equal(draft.isDevice, false);
    assert.deepEqual(draft.notes, []);
  });

  it("gets the gateway into its connection string", () => {
    const draft = draftIdentity(byString(`${STRING};`, "edge.local"), 0);
    assert.deepEqual([...draft.credentials.values()], [`${STRING};GatewayHostName=edge.local\n`]);
    refuses(
      () => draftIdentity(byString(`${STRING};GatewayHostName=a`, "b"), 0),
      /names a gateway already/,
    );
  });

  it("that cannot be used says what to do", () => {
    const of = (text: string) => () => draftIdentity(byString(text), 0);
    refuses(of(STRING.replace("ModuleId=m", "SharedAccessKeyName=owner")), /service policy/);
    refuses(of(KEY.replace("=", "")), /no connection string/);
    refuses(of(STRING.slice(0, -5)), /not base64[\s\S]*Azure portal/);
    refuses(of(STRING.replace("HostName=h.azure-devices.net;", "")), /HostName is missing/);
    refuses(of("HostName=h;DeviceId=d;x509=true"), /--certificate FILE and --key FILE/);
  });

  it("by certificate is checked: pair, time, name", async () => {
    const authority = await testAuthority("CA");
    const good = await authority.issue({
      commonName: "gw/m",
      notAfter: new Date(Date.now() + 60 * 86_400_000),
    });
    const pair = { certificatePem: good.certificatePem, keyPem: good.keyPem };
    assert.deepEqual(checkCertificate(pair, "gw/m", Date.now()), []);
    assert.match(checkCertificate(pair, "gw", Date.now()).join(), /common name is 'gw\/m'/);
    const soon = Date.now() + 50 * 86_400_000;
    assert.match(checkCertificate(pair, "gw/m", soon).join(), /ends in 9 days|ends in 10 days/);
    const other = await authority.issue({ commonName: "gw/m" });
    const mixed = { ...pair, keyPem: other.keyPem };
    refuses(() => checkCertificate(mixed, "gw/m", Date.now()), /does not belong/);
    const late = Date.now() + 3_650 * 86_400_000;
    refuses(() => checkCertificate(pair, "gw/m", late), /ended on/);
    refuses(() => checkCertificate(pair, "gw/m", 0), /begins only on/);
    const swapped = { certificatePem: pair.keyPem, keyPem: pair.certificatePem };
    refuses(() => checkCertificate(swapped, "gw/m", Date.now()), /no PEM certificate/);
    refuses(
      () => checkCertificate({ ...pair, keyPem: "nothing" }, "gw/m", Date.now()),
      /no PEM private key/,
    );
    const locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n";
    refuses(() => checkCertificate({ ...pair, keyPem: locked }, "gw/m", Date.now()), /passphrase/);
  });
});

describe("the configuration that is drafted", () => {
  it("names the option whose value cannot be used", () => {
    const identity = draftIdentity(
      {
        kind: "provisioning",
        idScope: "0ne-1",
        registrationId: "r",
        moduleId: undefined,
        endpoint: undefined,
        proof: { kind: "symmetric-key", key: KEY },
      },
      0,
    );
    refuses(() => draftConfiguration(undefined, identity, NO_NETWORK), /--dps-scope: /);
    const good = draftIdentity(byString(STRING), 0);
    refuses(
      () => draftConfiguration(undefined, good, { ...NO_NETWORK, proxy: "http://u:p@h" }),
      /--proxy: /,
    );
  });

  it("leaves a broker for the hub, and says which credentials are not used any more", () => {
    const existing = {
      transport: "mqtt",
      mqtt: { passwordFile: "credential:gatewarden_mqtt-password" },
      iothub: { x509: { keyFile: "credential:gatewarden_iothub-key" } },
    };
    const draft = draftConfiguration(existing, draftIdentity(byString(STRING), 0), NO_NETWORK);
    assert.equal(draft.transport.kind, "iothub");
    assert.deepEqual(draft.unused, ["iothub-key"]);
  });
});

describe("waiting for the first message", () => {
  const status: ServiceStatus = parseServiceStatus(
    "LoadState=loaded\nActiveState=active\nResult=success\nExecMainStatus=0\nNRestarts=0\n",
  );
  const nothing: StateSigns = { twinSavedMs: 5, messages: new Map([[100, 3]]) };
  const atHub: StateSigns = { ...nothing, twinSavedMs: 6 };
  const sent: StateSigns = { twinSavedMs: 6, messages: new Map([[100, 4]]) };

  function wait(signs: (atMs: number) => StateSigns, states: (atMs: number) => ServiceStatus) {
    const clock = new FakeClock();
    const startMs = clock.monotonicMs();
    const sinceMs = (): number => clock.monotonicMs() - startMs;
    const told: string[] = [];
    const outcome = waitForFirstMessage({
      control: { status: async () => ok(states(sinceMs())) },
      clock,
      before: nothing,
      signs: () => signs(sinceMs()),
      limitMs: 45_000,
      tell: (text) => told.push(text),
    });
    return { outcome, told, clock };
  }

  async function outcomeOf({ outcome, clock }: ReturnType<typeof wait>) {
    let reached: Awaited<typeof outcome> | undefined;
    outcome.then((value) => {
      reached = value;
    });
    for (let turns = 0; turns < 200 && reached === undefined; turns += 1) {
      await clock.advance(500);
    }
    return reached;
  }

  it("ends with an acknowledged message and tells of the connection before", async () => {
    const run = wait(
      (atMs) => (atMs < 2_000 ? nothing : atMs < 20_000 ? atHub : sent),
      () => status,
    );
    assert.deepEqual(await outcomeOf(run), { reached: "message" });
    assert.match(run.told[0] ?? "", /connected to the hub/);
    assert.match(run.told[1] ?? "", /waiting for the first message, \d+ s more/);
  });

  it("ends in time with how far it came", async () => {
    assert.deepEqual(
      await outcomeOf(
        wait(
          () => atHub,
          () => status,
        ),
      ),
      { reached: "hub" },
    );
    const alone = wait(
      () => nothing,
      () => status,
    );
    assert.deepEqual(await outcomeOf(alone), { reached: "running" });
  });

  it("notices that the service ended, started anew or not", async () => {
    const failed = parseServiceStatus("ActiveState=failed\nResult=exit-code\nExecMainStatus=3\n");
    const run = wait(
      () => nothing,
      (atMs) => (atMs < 3_000 ? status : failed),
    );
    assert.deepEqual(await outcomeOf(run), { reached: "ended", status: failed });
    const again = { ...status, restarts: 1 };
    const other = wait(
      () => nothing,
      (atMs) => (atMs < 3_000 ? status : again),
    );
    assert.deepEqual(await outcomeOf(other), { reached: "ended", status: again });
  });

  it("does not take hours that left the ledger for messages", () => {
    const fresh: StateSigns = { twinSavedMs: 5, messages: new Map([[101, 0]]) };
    assert.equal(compareSigns(nothing, fresh), "nothing");
    assert.equal(compareSigns(nothing, sent), "message");
  });

  it("shows log lines as text, without control characters", () => {
    assert.deepEqual(
      readableLines(['{"msg":"not connected","detail":"refused\\u001b[31m","n":1}', "plain"]),
      ["not connected; refused?[31m", "plain"],
    );
  });

  it("says why the service cannot be started", async () => {
    const terminal = recordingTerminal();
    const control = {
      ...NO_SERVICE,
      start: async () => fail("malformed", "systemctl", "Job failed"),
    };
    const clock = new FakeClock();
    const options = parseSetupOptions([]);
    const progress = createProgress(terminal, 5);
    assert.equal(await startService(options, "/nonexistent", { progress, control, clock }), 1);
    assert.match(terminal.text(), /not started: Job failed/);
  });
});

describe("what setup takes from the machine", () => {
  let folder: TestFolder;
  beforeEach(() => {
    folder = testFolder();
  });
  afterEach(() => folder.remove());

  it("signs of the service are read from its state, and nothing is no error", () => {
    assert.deepEqual(readStateSigns(folder.path), { twinSavedMs: 0, messages: new Map() });
    writeFileSync(folder.file("twin.json"), "{}");
    utimesSync(folder.file("twin.json"), 7, 7);
    const bucket = { hour: 4, messages: 2, under: 1, bytes: 10, units: 2 };
    writeFileSync(folder.file("ledger.json"), JSON.stringify({ buckets: [bucket, 5] }));
    const signs = readStateSigns(folder.path);
    assert.deepEqual(signs, { twinSavedMs: 7_000, messages: new Map([[4, 2]]) });
  });

  it("credentials are found outside of the service, with the modes of plain files", () => {
    writeFileSync(folder.file("key"), "secret\n", { mode: 0o600 });
    const reference = "credential:gatewarden_key";
    assert.equal(readSecret(reference, "the key", undefined, folder.path), "secret");
    assert.equal(
      pathOfReference(reference, "the key", { directory: "/run/c", source: folder.path }),
      "/run/c/gatewarden_key",
    );
    chmodSync(folder.file("key"), 0o644);
    refuses(() => readSecret(reference, "the key", undefined, folder.path), /open to other users/);
    const absent = "credential:gatewarden_none";
    refuses(() => readSecret(absent, "the key", undefined, folder.path), /LoadCredential=/);
  });

  it("a folder is made with its mode and closed when it must be", () => {
    mkdirSync(folder.file("open"), { mode: 0o755 });
    assert.ok(ensureServiceFolder(folder.file("open"), 0o700, "exact").ok);
    assert.ok(ensureServiceFolder(folder.file("new/inner"), 0o700, "when-new").ok);
    assert.deepEqual(
      folder.modes("").filter((line) => /open|inner/.test(line)),
      ["0700 new/inner/", "0700 open/"],
    );
    writeFileSync(folder.file("plain"), "");
    assert.equal(ensureServiceFolder(folder.file("plain"), 0o700, "exact").ok, false);
    assert.deepEqual(namesIn(folder.file("nothing")), ok([]));
  });

  it("a group is found by name", () => {
    writeFileSync(folder.file("group"), "root:x:0:\ngatewarden:x:990:\n");
    assert.equal(groupIdOf("gatewarden", folder.file("group")), 990);
    assert.equal(groupIdOf("gate", folder.file("group")), undefined);
  });

  it("remedies speak of the setup's own options", () => {
    assert.match(
      setupRemedy("timed-out", "is the link up?"),
      /^Is the link up\? .*--protocol mqtt-ws/,
    );
    assert.match(setupRemedy("tls", "renew it"), /^Renew it\. .*--ca FILE/);
  });
});
