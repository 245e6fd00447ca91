/** `gatewarden hub-posture` from the built bundle, from its arguments to its exit code. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { FLEET } from "../posture/hub/fleet.ts";
import {
  edgeAgentTwin,
  exportedDevice,
  hubResource,
  keyOf,
  SECRET_MARK,
} from "../posture/hub/records.ts";
import { sarifValidator } from "../report/sarif-validator.ts";
import { BUNDLE, runBundle } from "../support/bundle.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const { path: folder, file } = scratchFolder("hub-posture");

/** A folder with the files of the invented plant. */
function fleetFolder(): string {
  const path = join(folder, "fleet");
  mkdirSync(path, { recursive: true });
  for (const [name, text] of Object.entries(FLEET)) file(join("fleet", name), text);
  file("fleet/notes.md", "not read");
  return path;
}

const RESOURCE_ID =
  "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/plant/providers/Microsoft.Devices/IotHubs/plant-hub";

describe("gatewarden hub-posture", { concurrency: 2 }, () => {
  it("helps, and is in the list of commands", async () => {
    const help = await runBundle(["hub-posture", "--help"]);
    assert.equal(help.code, 0);
    assert.match(help.output, /^Usage: gatewarden hub-posture/);
    assert.match((await runBundle(["--help"])).output, / hub-posture +judge an IoT hub/);
  });

  it("judges a folder by the content of its files, and ends with 5", async () => {
    const { code, output, errors } = await runBundle(["hub-posture", "--input", fleetFolder()]);
    assert.equal(code, 5, errors);
    assert.match(output, /8 findings: 2 high, 4 medium, 2 low, .* 6 records skipped\./);
    assert.equal(`${output}${errors}`.includes(SECRET_MARK), false);
  });

  it("says the same of the same files by their options, and of files alone", async () => {
    const at = fleetFolder();
    const [hub = "", identities = "", twins = "", logs = ""] = Object.keys(FLEET).map((name) =>
      join(at, name),
    );
    const all = [
      ["--hub", hub, "--identities", identities, "--twins", twins, "--logs", logs],
      [hub, identities, "--twins", twins, "--logs", logs],
    ];
    for (const args of all) {
      const { output } = await runBundle(["hub-posture", ...args, "--format", "json"]);
      const report: { totals: { unhealthy: number; unknown: number }; skipped: { count: number } } =
        JSON.parse(output);
      assert.deepEqual([report.totals.unhealthy, report.totals.unknown], [8, 1]);
      assert.equal(report.skipped.count, 6);
    }
  });

  it("writes every format to a file that only its owner can read", async () => {
    const validate = sarifValidator();
    for (const [name, form] of Object.entries({
      "r.sarif": "sarif",
      "r.html": "html",
      "r.md": "markdown",
      "r.json": "json",
      "r.txt": "table",
    })) {
      const path = join(folder, name);
      const args = ["--input", fleetFolder(), "--format", form, "-o", path];
      const { code, output } = await runBundle(["hub-posture", ...args]);
      assert.equal(code, 5);
      assert.match(output, /findings: .*\nreport: /);
      const text = readFileSync(path, "utf8");
      assert.ok(text.length > 2_000);
      assert.equal(text.includes(SECRET_MARK), false);
      assert.equal(statSync(path).mode & 0o777, 0o600);
      if (form === "sarif") assert.deepEqual(validate(text), []);
    }
  });

  it("has the exit code of its level", async () => {
    const healthy = file("healthy.json", [hubResource(), exportedDevice("gw-1")]);
    const weak = file("weak.json", [hubResource({ minTlsVersion: "1.0" })]);
    const codeOf = async (...args: readonly string[]): Promise<number | null> =>
      (await runBundle(["hub-posture", ...args])).code;
    assert.equal(await codeOf(healthy), 0);
    assert.equal(await codeOf(healthy, "--strict"), 5);
    assert.equal(await codeOf(weak), 5);
    assert.equal(await codeOf(weak, "--fail-on", "high"), 0);
    assert.equal(await codeOf(weak, "--fail-on", "none", "--strict"), 0);
  });

  it("takes another limit for addresses", async () => {
    const hub = file("hub.json", hubResource());
    const args = [hub, "--max-addresses", "255", "--format", "json"];
    const { output } = await runBundle(["hub-posture", ...args]);
    assert.match(output, /"addresses": "256"/);
    assert.match(output, /"maxAddresses": 255/);
  });

  it("says 2 to wrong usage, with the way out", async () => {
    const hub = file("hub.json", hubResource());
    const empty = join(folder, "empty");
    mkdirSync(empty, { recursive: true });
    for (const args of [
      [],
      ["--hub", join(folder, "none.json")],
      ["--hub", folder],
      ["--input", join(folder, "none")],
      ["--input", empty],
      ["--live"],
      ["--live", "--resource-id", "plant-hub"],
      [hub, "--resource-id", RESOURCE_ID],
      [hub, "--with-keys"],
      [hub, "--max-addresses", "0"],
      [hub, "--format", "pdf"],
      [hub, "--nonsense"],
    ]) {
      const { code, errors } = await runBundle(["hub-posture", ...args]);
      assert.equal(code, 2, args.join(" "));
      assert.match(errors, /^gatewarden: .+\n {2}.+/);
    }
  });

  it("takes a service policy only from a file that others cannot read", async () => {
    const text = `HostName=h.azure-devices.net;SharedAccessKeyName=service;SharedAccessKey=${keyOf("p")}`;
    const open = file("policy", text, 0o644);
    const args = ["--live", "--resource-id", RESOURCE_ID, "--connection-string-file", open];
    const { code, output, errors } = await runBundle(["hub-posture", ...args]);
    assert.equal(code, 3);
    assert.match(errors, /chmod 0600/);
    assert.equal(`${output}${errors}`.includes(SECRET_MARK), false);
  });

  it("reads an export of many devices in bounded memory", async () => {
    const lines = Array.from({ length: 20_000 }, (_, at) =>
      JSON.stringify(exportedDevice(`device-${at}`)),
    );
    const devices = file("devices.txt", lines.join("\n"));
    const { code, output } = await runBundle(["hub-posture", devices, "--format", "json"]);
    assert.equal(code, 0);
    assert.match(output, /"records": "20000 identities"/);
  });

  it("is not in what a gateway has: that says what to do", async () => {
    const alone = join(folder, "alone");
    mkdirSync(alone, { recursive: true });
    for (const name of ["gatewarden.js", "gatewarden-tools.js", "package.json"]) {
      copyFileSync(join(dirname(BUNDLE), name), join(alone, name));
    }
    const bundle = join(alone, "gatewarden.js");
    const { code, errors } = await runBundle(["hub-posture", "--help"], { bundle });
    assert.equal(code, 2);
    assert.match(errors, /'hub-posture' is not part of this installation\n {2}.*npx gatewarden/);
  });
});

describe("the bundle for gateways", () => {
  it("holds nothing of the packages for fleets, and the other bundle does", () => {
    const inputsOf = (name: string): string =>
      Object.keys(JSON.parse(readFileSync(join(dirname(BUNDLE), name), "utf8")).inputs).join("\n");
    const fleet =
      /node_modules\/(?:@azure\/(?:arm-iothub|identity|event-hubs)|azure-iothub)\/|src\/(?:fleet|posture\/hub)\//;
    assert.doesNotMatch(inputsOf("meta.json"), fleet);
    for (const name of ["@azure/arm-iothub", "@azure/identity", "azure-iothub"]) {
      assert.ok(inputsOf("meta-fleet.json").includes(`node_modules/${name}/`), name);
    }
  });

  it("needs none of them for saved files: they are evaluated for --live alone", async () => {
    const preload = file(
      "no-tls.cjs",
      // The packages load tls at their beginning; files need no socket.
      'const m = require("node:module"); const load = m._load; m._load = function (name, ...rest) { if (/^(?:node:)?(?:tls|https|http2)$/.test(name)) { console.error("loaded", name); process.exit(99); } return load.call(this, name, ...rest); };',
    );
    const { spawnSync } = await import("node:child_process");
    const run = (...args: readonly string[]): number | null =>
      spawnSync(process.execPath, ["--require", preload, BUNDLE, "hub-posture", ...args], {
        env: { PATH: "/usr/bin:/bin" },
      }).status;
    assert.equal(run(file("gw.json", edgeAgentTwin("gw-1")), "--fail-on", "none"), 0);
    assert.equal(run("--live", "--resource-id", RESOURCE_ID), 99);
  });
});
