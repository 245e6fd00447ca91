/** The unit: what systemd thinks of it, and that it, the package and the documents say the same. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { EXIT } from "../../src/cli/exit-code.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const unit = read("systemd/gatewarden.service");
const minimal = read("systemd/profiles/minimal.conf");

/** Values of a key in the order of the file. */
function valuesOf(text: string, key: string): readonly string[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));
}

const keysOf = (text: string) =>
  [...new Set([...text.matchAll(/^([A-Z][A-Za-z]+)=/gm)].map((match) => match[1] ?? ""))].filter(
    (key) => key !== "",
  );

const SLOW_START_SECONDS = 10;

/** `systemd-analyze security --offline` came with systemd 250. */
const version = /^systemd (\d+)/.exec(
  spawnSync("systemd-analyze", ["--version"], { encoding: "utf8" }).stdout ?? "",
)?.[1];
const skip = Number(version ?? 0) < 250 ? "systemd-analyze 250 or newer is not there" : false;

/** Two keys came with systemd 254; an older one names them and goes on. */
function isOfNewerSystemd(line: string): boolean {
  const isOld = Number(version) < 254;
  return isOld && /Unknown key '(?:RestartSteps|RestartMaxDelaySec)'/.test(line);
}

describe("the unit, judged by systemd", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-unit-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  function place(name: string, dropIn?: string): string {
    const place = join(folder, name);
    mkdirSync(join(place, "gatewarden.service.d"), { recursive: true });
    // Node may live elsewhere on the machine of the test.
    const text = unit.replace("/usr/bin/node", process.execPath);
    writeFileSync(join(place, "gatewarden.service"), text);
    if (dropIn !== undefined) {
      writeFileSync(join(place, "gatewarden.service.d/minimal.conf"), dropIn);
    }
    return join(place, "gatewarden.service");
  }

  function exposureOf(file: string): number {
    const args = ["security", "--offline=true", "--no-pager", file];
    const told = spawnSync("systemd-analyze", args, { encoding: "utf8" });
    const level = /Overall exposure level for \S+: ([\d.]+)/.exec(told.stdout)?.[1];
    assert.ok(level !== undefined, told.stderr);
    return Number(level);
  }

  function complaints(file: string): string {
    const args = ["verify", "--man=no", file];
    const told = spawnSync("systemd-analyze", args, { encoding: "utf8" });
    const lines = `${told.stdout}${told.stderr}`.split("\n");
    // The machine's own units may have faults; ours are named by file.
    return lines
      .filter((line) => line.includes(folder) || line.includes("gatewarden"))
      .filter((line) => !isOfNewerSystemd(line))
      .join("\n");
  }

  it("is understood without a complaint, alone and with the minimal profile", () => {
    assert.equal(complaints(place("plain")), "");
    assert.equal(complaints(place("profile", minimal)), "");
    const wrong = place("wrong", "[Service]\nProtectNothing=yes\n");
    assert.match(complaints(wrong), /ProtectNothing/);
  });

  it("is exposed by at most 2.5", () => {
    const exposure = exposureOf(place("plain"));
    assert.ok(exposure <= 2.5, `exposure ${exposure}`);
  });

  it("is exposed by less than 1.8 with the minimal profile", () => {
    const exposure = exposureOf(place("profile", minimal));
    assert.ok(exposure < 1.8, `exposure ${exposure}`);
  });
});

describe("the unit", () => {
  it("starts the program where the package puts it, with the configuration that it waits for", () => {
    const [start = ""] = valuesOf(unit, "ExecStart");
    const [config = ""] = valuesOf(unit, "ConditionPathExists");
    assert.match(
      start,
      /^\/usr\/bin\/node( --[a-z-]+(=\d+)?)* \/usr\/lib\/gatewarden\/bin\/gatewarden\.js run /,
    );
    assert.ok(start.endsWith(` --config ${config}`), start);
    assert.match(
      read("packaging/gatewarden.sh"),
      /exec \/usr\/bin\/node \/usr\/lib\/gatewarden\/bin\/gatewarden\.js "\$@"/,
    );
  });

  it("does not start again what only a person can mend", () => {
    const codes = valuesOf(unit, "RestartPreventExitStatus").join(" ").split(" ").map(Number);
    assert.deepEqual(codes, [EXIT.usage, EXIT.configuration]);
  });

  it("waits before a restart for less than what the agent takes for a hang", () => {
    const seconds = (key: string) => Number(valuesOf(unit, key)[0]);
    // The last sign of life is up to half an interval old, and Node starts slowly on a small processor.
    const silence = seconds("WatchdogSec") / 2 + seconds("RestartMaxDelaySec") + SLOW_START_SECONDS;
    assert.ok(silence <= seconds("WatchdogSec"), `${silence} s`);
    assert.ok(seconds("RestartSec") < seconds("RestartMaxDelaySec"));
  });

  it("may at most what it is given, and the minimal profile gives nothing", () => {
    const ambient = valuesOf(unit, "AmbientCapabilities");
    assert.equal(ambient.length, 1);
    assert.deepEqual(valuesOf(unit, "CapabilityBoundingSet"), ambient);
    assert.deepEqual(valuesOf(minimal, "AmbientCapabilities"), [""]);
    assert.deepEqual(valuesOf(minimal, "CapabilityBoundingSet"), [""]);
  });

  it("sets nothing that stops Node or blinds the agent", () => {
    const deadly = ["MemoryDenyWriteExecute", "PrivateNetwork", "PrivateUsers", "ProcSubset"];
    const present = keysOf(unit + minimal).filter((key) => deadly.includes(key));
    assert.deepEqual(present, []);
    assert.match(valuesOf(unit, "RestrictAddressFamilies").join(" "), /AF_NETLINK/);
  });

  it("has every line of its sandbox and every capability explained", () => {
    const page = read("docs/hardening.md");
    const service = keysOf(unit.slice(unit.indexOf("[Service]"), unit.indexOf("[Install]")));
    assert.ok(service.length > 40, `${service.length} keys`);
    assert.deepEqual(
      service.filter((key) => !page.includes(`\`${key}`)),
      [],
    );
    const capabilities = valuesOf(unit, "AmbientCapabilities").join(" ").split(" ");
    assert.deepEqual(
      capabilities.filter((name) => !page.includes(`\`${name}\``)),
      [],
    );
  });
});
