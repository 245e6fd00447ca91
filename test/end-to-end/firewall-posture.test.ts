/** The built agent in a network namespace of its own: rules that are added and removed change its verdicts. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { JsonObject } from "../../src/contract/json.ts";
import { BUNDLE, NODE, until } from "../support/bundle.ts";

const NAMESPACE = `gwposture${process.pid}`;

function skipReason(): string | false {
  if (process.getuid?.() !== 0) return "only root makes network namespaces";
  if (spawnSync("ip", ["netns", "list"]).status !== 0) return "ip netns does not work here";
  return spawnSync("nft", ["--version"]).status === 0 ? false : "nft is not installed";
}

function run(command: string): void {
  const { status, stderr } = spawnSync("ip", ["netns", "exec", NAMESPACE, "sh", "-c", command], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
}

const skip = skipReason();

describe("the firewall of a device", { skip }, () => {
  let folder: string;
  let file: string;
  let agent: ChildProcess;

  before(() => {
    assert.equal(spawnSync("ip", ["netns", "add", NAMESPACE]).status, 0);
    run("ip link add out0 type veth peer name far0 && ip addr add 192.0.2.7/24 dev out0");
    run("ip link set out0 up && ip link set far0 up");
    folder = mkdtempSync(join(tmpdir(), "gatewarden-posture-"));
    file = join(folder, "messages.jsonl");
    const config = join(folder, "config.json");
    const settings = { highPriorityMessageFrequency: "PT1S", baselineFileSystemWalkEnabled: false };
    const stateDirectory = join(folder, "state");
    const first = { firstSnapshotDelaySeconds: 0, firstSnapshotJitterSeconds: 0 };
    const text = { transport: "file", file: { path: file }, stateDirectory, settings, ...first };
    writeFileSync(config, JSON.stringify(text), { mode: 0o600 });
    const args = ["netns", "exec", NAMESPACE, NODE, BUNDLE, "run", "--config", config];
    agent = spawn("ip", args, { stdio: "ignore" });
  });
  after(async () => {
    if (skip !== false) return;
    const ended = new Promise((resolve) => agent.once("exit", resolve));
    agent.kill("SIGTERM");
    await ended;
    spawnSync("ip", ["netns", "delete", NAMESPACE]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Every Recommendation of the type so far, oldest first. */
  function told(type: string): readonly JsonObject[] {
    if (!existsSync(file)) return [];
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line.endsWith("}"))
      .map((line) => JSON.parse(line))
      .filter(({ properties }) => properties["kind"] === "extension")
      .flatMap(({ body }) => body.Events)
      .flatMap((event) => event.Payload)
      .filter((item) => item["Type"] === type);
  }

  async function becomes(type: string, state: string): Promise<JsonObject> {
    await until(() => told(type).at(-1)?.["State"] === state, `${type} ${state}`);
    return told(type).at(-1) ?? {};
  }

  it("that does not exist accepts by default", async () => {
    const item = await becomes("IoT_PermissiveFirewallPolicy", "unhealthy");
    assert.match(JSON.stringify(item["Evidence"]), /"direction":"input"/);
    await becomes("IoT_PermissiveInputFirewallRules", "healthy");
  });

  it("is put right by chains that drop", async () => {
    run(
      "nft 'table inet g { chain in { type filter hook input priority 0; policy drop; }; " +
        "chain out { type filter hook output priority 0; policy drop; }; }'",
    );
    const item = await becomes("IoT_PermissiveFirewallPolicy", "healthy");
    assert.equal(item["PreviousState"], "unhealthy");
  });

  const RULES = [
    ["IoT_PermissiveInputFirewallRules", "in", "saddr"],
    ["IoT_PermissiveOutputFirewallRules", "out", "daddr"],
  ] as const;

  it("has wide rules for as long as they are there", async () => {
    for (const [type] of RULES) await becomes(type, "healthy");
    for (const [, chain, direction] of RULES) {
      run(`nft add rule inet g ${chain} ip ${direction} 192.0.2.0/24 tcp dport 443 accept`);
      run(`nft add rule inet g ${chain} ip ${direction} 0.0.0.0/1 tcp dport 443 accept`);
    }
    for (const [type] of RULES) {
      const item = await becomes(type, "unhealthy");
      assert.equal(item["Count"], 1);
      assert.match(JSON.stringify(item["Evidence"]), /"wide":"addresses"/);
    }
    for (const [, chain] of RULES) run(`nft flush chain inet g ${chain}`);
    for (const [type] of RULES) await becomes(type, "healthy");
  });
});
