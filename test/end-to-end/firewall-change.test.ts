/** The built agent in a network namespace of its own: a rule that is added shows in a new event. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { SecurityEvent } from "../../src/contract/event.ts";
import { BUNDLE, NODE, until } from "../support/bundle.ts";

const NAMESPACE = `gwchange${process.pid}`;
const SOON_MS = 5_000;

function skipReason(): string | false {
  if (process.getuid?.() !== 0) return "only root makes network namespaces";
  if (spawnSync("ip", ["netns", "list"]).status !== 0) return "ip netns does not work here";
  for (const program of ["iptables-nft", "iptables-legacy", "nft"]) {
    if (spawnSync(program, ["--version"]).status !== 0) return `${program} is not installed`;
  }
  return false;
}

function run(command: string): void {
  const { status, stderr } = spawnSync("ip", ["netns", "exec", NAMESPACE, "sh", "-c", command], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
}

const RULES: Readonly<Record<string, string>> = {
  "iptables-nft": "iptables-nft -A INPUT -m comment --comment mark-nft -j DROP",
  "ip6tables-nft": "ip6tables-nft -A INPUT -m comment --comment mark-six -j DROP",
  nft: "nft add table inet t && nft add chain inet t c '{ type filter hook input priority 5; }' && nft add rule inet t c drop comment mark-native",
  "iptables-legacy": "iptables-legacy -A INPUT -m comment --comment mark-legacy -j DROP",
};

const skip = skipReason();

describe("a firewall rule", { skip }, () => {
  let folder: string;
  let file: string;
  let agent: ChildProcess;

  before(async () => {
    assert.equal(spawnSync("ip", ["netns", "add", NAMESPACE]).status, 0);
    folder = mkdtempSync(join(tmpdir(), "gatewarden-change-"));
    file = join(folder, "messages.jsonl");
    const config = join(folder, "config.json");
    const settings = {
      snapshotFrequency: "PT13H",
      eventPriorityFirewallConfiguration: "High",
      highPriorityMessageFrequency: "PT1S",
    };
    const stateDirectory = join(folder, "state");
    const text = { transport: "file", file: { path: file }, stateDirectory, settings };
    writeFileSync(config, JSON.stringify(text), { mode: 0o600 });
    const args = ["netns", "exec", NAMESPACE, NODE, BUNDLE, "run", "--config", config];
    agent = spawn("ip", args, { stdio: "ignore" });
    await until(() => events().length > 0, "the first snapshot");
  });
  after(async () => {
    if (skip !== false) return;
    const ended = new Promise((resolve) => agent.once("exit", resolve));
    agent.kill("SIGTERM");
    await ended;
    spawnSync("ip", ["netns", "delete", NAMESPACE]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** FirewallConfiguration events that were written so far. */
  function events(): readonly SecurityEvent[] {
    if (!existsSync(file)) return [];
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .flatMap((line) => {
        const { body = JSON.parse(line) } = JSON.parse(line);
        return body.Events as readonly SecurityEvent[];
      })
      .filter((event) => event.Name === "FirewallConfiguration");
  }

  for (const [tool, command] of Object.entries(RULES)) {
    it(`that ${tool} adds shows in a new event within 5 s`, async () => {
      const mark = /mark-\w+/.exec(command)?.[0] ?? "";
      const count = events().length;
      const addedAtMs = Date.now();
      run(command);
      const shown = (): SecurityEvent | undefined =>
        events().find((event) => JSON.stringify(event).includes(mark));
      await until(() => shown() !== undefined, `an event with ${mark}`);
      const takenAtMs = Date.parse(shown()?.TimestampUTC ?? "");
      assert.ok(takenAtMs - addedAtMs < SOON_MS, `${takenAtMs - addedAtMs} ms`);
      assert.ok(events().length > count);
    });
  }
});
