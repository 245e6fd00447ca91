/** The production bundle as a user meets it; also run under Node 18 by build/node18.sh. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { copyBundle, runBundle, startBundle, until } from "../support/bundle.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const { path: folder, file } = scratchFolder("bundle");

const KEY = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I=";

function connectionString(name: string, mode = 0o600): string {
  return file(name, `HostName=h;DeviceId=d;ModuleId=m;SharedAccessKey=${KEY}`, mode);
}

describe("the bundle", () => {
  it("tells its version and helps on each command", async () => {
    const manifest: { version: string } = JSON.parse(
      readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
    );
    assert.equal((await runBundle(["--version"])).output.trim(), manifest.version);
    assert.equal((await runBundle(["--help"])).code, 0);
    for (const command of ["run", "demo", "hub", "twin", "doctor", "hub-posture"]) {
      const help = await runBundle([command, "--help"]);
      assert.equal(help.code, 0);
      assert.match(help.output, new RegExp(`^Usage: gatewarden ${command}`));
    }
  });

  it("says 2 to wrong usage, with the way out", async () => {
    for (const args of [["rnu"], ["run"], ["run", "--nonsense"], ["demo", "--for", "soon"]]) {
      const { code, errors } = await runBundle(args);
      assert.equal(code, 2, args.join(" "));
      assert.match(errors, /^gatewarden: .+\n {2}.+/);
    }
  });

  it("lints a twin", async () => {
    const object = "ms_iotn:urn_azureiot_Security_SecurityAgentConfiguration";
    const good = file("good.json", { [object]: { snapshotFrequency: { value: "PT1H" } } });
    const bad = file("bad.json", { [object]: { snapshotFrequency: { value: "often" } } });
    assert.equal((await runBundle(["twin", "lint", good])).code, 0);
    const { code, output } = await runBundle(["twin", "lint", bad]);
    assert.equal(code, 5);
    assert.match(output, /error +snapshotFrequency: found "often"/);
    const json: { findings: unknown[] } = JSON.parse(
      (await runBundle(["twin", "lint", bad, "--json"])).output,
    );
    assert.equal(json.findings.length, 1);
  });

  it("checks the machine without a configuration", async () => {
    const { code, output } = await runBundle(["doctor"]);
    assert.equal(code, 0, output);
    assert.match(output, /listening-ports/);
  });

  it("runs from a copy of its files in an empty folder, started under another name", async () => {
    const alone = join(folder, "alone");
    mkdirSync(alone);
    const options = { bundle: copyBundle(alone, "agent.js"), cwd: alone };
    // Without its native part it has much to say of itself: that may fill the first message.
    const { code, output } = await runBundle(["demo", "--messages", "2"], options);
    assert.equal(code, 0, output);
    assert.match(output, /message +[\d ]+ bytes +\d+ units? +of 4 KB +\d+ % full /);
    assert.match(output, /ListeningPorts 1/);
  });

  it("flushes and prints a summary on Ctrl-C", async () => {
    const demo = startBundle(["demo"]);
    await until(() => demo.output().includes("SystemInformation"), "a first snapshot");
    await until(() => / hub +connected/.test(demo.output()), "the connection");
    demo.child.kill("SIGINT");
    assert.equal(await demo.exit, 0);
    assert.match(demo.output(), /Summary of \d+ s\n +messages acknowledged +[1-9]/);
  });
});

interface Refusal {
  readonly what: string;
  readonly config: () => string;
  readonly code: number;
  readonly says: RegExp;
}

const REFUSALS: readonly Refusal[] = [
  {
    what: "a missing file",
    config: () => "/nonexistent/c.json",
    code: 3,
    says: /ENOENT|no such file/,
  },
  {
    what: "text that is not JSON",
    config: () => file("c1.json", "{oops"),
    code: 3,
    says: /not JSON/,
  },
  {
    what: "a secret written inline",
    config: () => file("c2.json", { iothub: { connectionString: `SharedAccessKey=${KEY}` } }),
    code: 3,
    says: /put it in a file/,
  },
  {
    what: "a secret that others can read",
    config: () =>
      file("c3.json", {
        stateDirectory: join(folder, "s3"),
        iothub: { connectionStringFile: connectionString("cs3", 0o644) },
      }),
    code: 3,
    says: /chmod 0?600/,
  },
  {
    what: "a connection string without its key",
    config: () =>
      file("c4.json", {
        stateDirectory: join(folder, "s4"),
        iothub: { connectionStringFile: file("cs4", "HostName=h;DeviceId=d") },
      }),
    code: 3,
    says: /SharedAccessKey/,
  },
  {
    what: "a state directory that cannot be made",
    config: () =>
      file("c5.json", {
        stateDirectory: join(file("plain", "x"), "state"),
        iothub: { connectionStringFile: connectionString("cs5") },
      }),
    code: 4,
    says: /ENOTDIR|not a (?:folder|directory)/,
  },
];

describe("a configuration that cannot work", () => {
  for (const { what, config, code, says } of REFUSALS) {
    it(`is refused with one clear line: ${what}`, async () => {
      const ended = await runBundle(["run", "--config", config()]);
      assert.equal(ended.code, code, ended.errors);
      assert.match(ended.errors, says);
      assert.doesNotMatch(ended.errors + ended.output, /c2VjcmV0/);
      assert.doesNotMatch(ended.errors, /\n {4}at /, "no stack trace");
    });
  }

  it("is no reason to touch a state directory that another agent uses", async () => {
    const stateDirectory = join(folder, "shared-state");
    const iothub = { connectionStringFile: connectionString("cs6"), port: 1 };
    const config = file("c6.json", { stateDirectory, iothub });
    const first = startBundle(["run", "--config", config]);
    await until(() => first.errors().includes("agent started"), "the first agent");
    const second = await runBundle(["run", "--config", config]);
    assert.equal(second.code, 4, second.errors);
    assert.match(second.errors, new RegExp(`${first.child.pid}`));
    first.child.kill("SIGTERM");
    assert.equal(await first.exit, 0);
  });
});
