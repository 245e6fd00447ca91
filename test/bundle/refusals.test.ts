/** What the bundle says when it cannot run: one line, one remedy, the documented exit code, no secret. */
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runBundle, startBundle, until } from "../support/bundle.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const { path: folder, file } = scratchFolder("refusals");

const KEY = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I=";

/** A configuration whose connection string is this text. */
function configWith(name: string, connectionString: string, more: object = {}): string {
  return file(`${name}.json`, {
    stateDirectory: join(folder, `${name}-state`),
    iothub: { connectionStringFile: file(`${name}.cs`, connectionString), ...more },
  });
}

const CONNECTION_STRINGS: Readonly<Record<string, string>> = {
  "a misspelt part": `HostName=h;DeviceId=d;SharedAccesKey=${KEY}`,
  "no device": `HostName=h;SharedAccessKey=${KEY}`,
  "nothing but the key": KEY,
  "a key that was cut": `HostName=h;DeviceId=d;ModuleId=m;SharedAccessKey=${KEY.slice(0, -3)}!`,
  "nothing at all": "",
};

/** Standard error is the error and its remedy, and neither holds the key. */
function assertOneClearLine(errors: string): void {
  assert.match(errors, /^gatewarden: [^\n]+\n {2}[^\n]+\n$/);
  assert.doesNotMatch(errors, /c2VjcmV0|\n {4}at /);
}

describe("run ends with one clear line", { concurrency: 2 }, () => {
  for (const [what, text] of Object.entries(CONNECTION_STRINGS)) {
    it(`on a connection string with ${what}`, async () => {
      const config = configWith(what.replaceAll(" ", "-"), text);
      const { code, errors, output } = await runBundle(["run", "--config", config]);
      assert.equal(code, 3);
      assert.equal(output, "");
      assertOneClearLine(errors);
    });
  }

  it("that names the cause first: a file that is not JSON", async () => {
    const config = file("broken.json", "{oops");
    const { code, errors } = await runBundle(["run", "--config", config]);
    assert.equal(code, 3);
    assertOneClearLine(errors);
    assert.match(errors, /^gatewarden: not JSON at position 1.*no identity/);
  });

  it("that names the cause first: a secret in the file", async () => {
    const config = file("inline.json", { iothub: { connectionString: `SharedAccessKey=${KEY}` } });
    const { code, errors } = await runBundle(["run", "--config", config]);
    assert.equal(code, 3);
    assertOneClearLine(errors);
    assert.match(errors, /^gatewarden: iothub\.connectionString: a secret does not belong here/);
  });

  it("on a secret that the group can read", async () => {
    const config = configWith("open", `HostName=h;DeviceId=d;SharedAccessKey=${KEY}`);
    chmodSync(join(folder, "open.cs"), 0o640);
    const { code, errors } = await runBundle(["run", "--config", config]);
    assert.equal(code, 3);
    assertOneClearLine(errors);
  });

  it("on a state directory below a file", async () => {
    const stateDirectory = join(file("plain-file", "x"), "state");
    const config = file("state.json", {
      stateDirectory,
      iothub: {
        connectionStringFile: file("state.cs", `HostName=h;DeviceId=d;SharedAccessKey=${KEY}`),
      },
    });
    const { code, errors } = await runBundle(["run", "--config", config]);
    assert.equal(code, 4);
    assertOneClearLine(errors);
  });

  it("on a missing file", async () => {
    const { code, errors } = await runBundle(["run", "--config", join(folder, "none.json")]);
    assert.equal(code, 3);
    assertOneClearLine(errors);
  });
});

describe("run with a certificate file that is none", () => {
  it("says so with a remedy, goes on, and ends cleanly", async () => {
    const config = file("x509.json", {
      stateDirectory: join(folder, "x509-state"),
      iothub: {
        x509: {
          hostName: "localhost",
          deviceId: "d",
          certificateFile: file("cert.pem", "no certificate"),
          keyFile: file("key.pem", "no key"),
        },
      },
    });
    const agent = startBundle(["run", "--config", config]);
    await until(() => agent.errors().includes("not connected"), "the fault");
    const line = agent
      .errors()
      .split("\n")
      .find((text) => text.includes("not connected"));
    const said: { fault: string; detail: string; remedy: string } = JSON.parse(line ?? "{}");
    assert.equal(said.fault, "tls");
    assert.match(said.detail, /certificate/);
    assert.notEqual(said.remedy, "");
    agent.child.kill("SIGTERM");
    assert.equal(await agent.exit, 0);
  });
});

describe("doctor", () => {
  it("says 5 to a configuration with an error, also as JSON, and 3 to none", async () => {
    const bad = file("doctor.json", { transport: "mqtt", stateDirectory: join(folder, "d") });
    const text = await runBundle(["doctor", "--config", bad, "--offline"]);
    assert.equal(text.code, 5, text.output);
    assert.match(text.output, /error +configuration +mqtt\.url: missing/);
    const json = await runBundle(["doctor", "--config", bad, "--offline", "--json"]);
    assert.equal(json.code, 5);
    const findings: { area: string; level: string; remedy: string }[] = JSON.parse(json.output);
    const errors = findings.filter(({ level }) => level === "error");
    assert.deepEqual(
      errors.map(({ area }) => area),
      ["configuration"],
    );
    assert.notEqual(errors[0]?.remedy, "");
    assert.equal((await runBundle(["doctor", "--config", "/nonexistent.json"])).code, 3);
  });

  it("says 5 to a hub that nobody answers for, without showing the key", async () => {
    const config = configWith(
      "unreachable",
      `HostName=h;DeviceId=d;SharedAccessKey=${KEY};GatewayHostName=localhost:1`,
    );
    const { code, output, errors } = await runBundle(["doctor", "--config", config]);
    assert.equal(code, 5, output);
    assert.match(output, /error +hub +/);
    assert.doesNotMatch(output + errors, /c2VjcmV0/);
  });
});
