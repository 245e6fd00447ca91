import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  deskRig,
  FIREWALL,
  HOUR_MS,
  MemoryDisk,
  ports,
  settingsWith,
  socket,
} from "../../../test/posture/desk-rig.ts";
import type { Snapshot } from "../../contract/collector.ts";
import { DEFAULT_SETTINGS } from "../../contract/settings.ts";

const ofPorts = (changes: readonly string[]): readonly string[] =>
  changes.filter((line) => line.startsWith("IoT_OpenPorts")).map((line) => line.slice(14));

describe("the posture desk", () => {
  it("says nothing of what has not been looked at", async (test) => {
    const { desk, clock, changes } = deskRig(test);
    await clock.advance(HOUR_MS);
    assert.deepEqual(ofPorts(changes()), []);
    desk.take("ListeningPorts", ports(socket("127.0.0.1", 22)));
    await clock.advance(1_000);
    assert.deepEqual(ofPorts(changes()), [], "the firewall may still let in or not");
    desk.take("FirewallConfiguration", FIREWALL);
    await clock.advance(1_000);
    assert.deepEqual(ofPorts(changes()), ["- healthy"]);
  });

  it("tells changes of state alone, each once", async (test) => {
    const { desk, clock, changes } = deskRig(test);
    desk.take("FirewallConfiguration", FIREWALL);
    for (const address of ["127.0.0.1", "0.0.0.0", "0.0.0.0", "127.0.0.1"]) {
      desk.take("ListeningPorts", ports(socket(address, 22)));
      await clock.advance(1_000);
    }
    assert.deepEqual(ofPorts(changes()), ["- healthy", "healthy unhealthy", "unhealthy healthy"]);
  });

  it("keeps what it knew when a snapshot was stopped, and is unsure when one failed", async (test) => {
    const { desk, clock, changes } = deskRig(test);
    desk.take("FirewallConfiguration", FIREWALL);
    desk.take("ListeningPorts", ports());
    await clock.advance(1_000);
    const failed = (code: "timed-out" | "not-permitted"): Snapshot => ({
      events: [],
      problems: [{ code, subject: "sockets", detail: "no" }],
    });
    desk.take("ListeningPorts", failed("timed-out"));
    await clock.advance(1_000);
    assert.deepEqual(ofPorts(changes()), ["- healthy"]);
    desk.take("ListeningPorts", failed("not-permitted"));
    await clock.advance(1_000);
    assert.deepEqual(ofPorts(changes()), ["- healthy", "healthy unknown"]);
  });

  it("says why it cannot judge what is switched off, and looks again when it is on", async (test) => {
    const off = settingsWith({}, { ListeningPorts: "Off" });
    const { desk, clock, drafts, changes } = deskRig(test, { settings: off });
    desk.take("FirewallConfiguration", FIREWALL);
    await clock.advance(1_000);
    assert.deepEqual(ofPorts(changes()), ["- unknown"]);
    assert.match(JSON.stringify(drafts), /ListeningPorts: these events are switched off/);
    desk.applySettings(DEFAULT_SETTINGS, undefined);
    await clock.advance(1_000);
    assert.deepEqual(ofPorts(changes()), ["- unknown"]);
    desk.take("ListeningPorts", ports());
    await clock.advance(1_000);
    assert.deepEqual(ofPorts(changes()), ["- unknown", "unknown healthy"]);
  });

  it("judges anew when ports are allowed, and reports entries that mean nothing", async (test) => {
    const { desk, clock, changes, findings } = deskRig(test);
    desk.take("FirewallConfiguration", FIREWALL);
    desk.take("ListeningPorts", ports(socket("0.0.0.0", 22)));
    await clock.advance(1_000);
    desk.applySettings(settingsWith({ allowedPorts: "tcp/22 sshd, 99999" }), undefined);
    await clock.advance(1_000);
    assert.deepEqual(ofPorts(changes()), ["- unhealthy", "unhealthy healthy"]);
    assert.deepEqual(
      findings.map(({ configurationName }) => configurationName),
      ["postureAllowedPorts"],
    );
  });

  it("tells everything once per interval", async (test) => {
    const { desk, clock, drafts } = deskRig(test);
    desk.take("FirewallConfiguration", FIREWALL);
    desk.take("ListeningPorts", ports());
    await clock.advance(23 * HOUR_MS);
    const summaries = () => drafts.filter(({ category }) => category === "Periodic");
    assert.equal(summaries().length, 0);
    await clock.advance(2 * HOUR_MS);
    const types = summaries().map((draft) => draft.name === "Recommendation" && draft.item.Type);
    assert.equal(types.length, 7, types.join(" "));
    await clock.advance(24 * HOUR_MS);
    assert.equal(summaries().length, 14);
  });

  it("remembers states, spells and messages over a restart", async (test) => {
    const first = deskRig(test);
    const { clock, disk } = first;
    first.desk.take("FirewallConfiguration", FIREWALL);
    first.desk.take("ListeningPorts", ports(socket("0.0.0.0", 22)));
    for (let sent = 0; sent < 20; sent += 1) first.desk.messageSent(1_000);
    await clock.advance(HOUR_MS);
    const before = first.desk.summary();
    first.desk.stop();
    const second = deskRig(test, { disk, clock });
    assert.deepEqual(second.desk.summary(), before);
    second.desk.take("FirewallConfiguration", FIREWALL);
    second.desk.take("ListeningPorts", ports(socket("0.0.0.0", 22)));
    await clock.advance(1_000);
    assert.deepEqual(second.changes(), [], "nothing changed");
    const messages = before["IoT_AgentSendsUnutilizedMessages"];
    assert.match(JSON.stringify(messages), /"unhealthy","count":20/);
  });

  it("survives a disk that refuses, and state that is damaged", async (test) => {
    const disk = new MemoryDisk();
    disk.isFull = true;
    for (const name of ["posture.json", "alerts.json", "security-groups.json"]) {
      disk.files.set(name, { state: [1], book: "x", origin: "twin", json: {} });
    }
    const { desk, clock, changes } = deskRig(test, { disk });
    desk.take("FirewallConfiguration", FIREWALL);
    desk.take("ListeningPorts", ports(socket("0.0.0.0", 22)));
    desk.messageSent(100);
    await clock.advance(HOUR_MS);
    assert.deepEqual(ofPorts(changes()), ["- unhealthy"]);
  });

  it("keeps its state in time, however often settings come", async (test) => {
    const { desk, clock, disk } = deskRig(test);
    desk.messageSent(1_000);
    for (let times = 0; times < 60; times += 1) {
      await clock.advance(10_000);
      desk.applySettings(settingsWith({ allowedPorts: `${times + 1}` }), undefined);
    }
    assert.match(JSON.stringify(disk.files.get("posture.json")), /"smallMessages":1/);
  });

  it("writes nothing while nothing happens", async (test) => {
    const { desk, clock, disk } = deskRig(test);
    desk.take("FirewallConfiguration", FIREWALL);
    desk.take("ListeningPorts", ports());
    await clock.advance(HOUR_MS);
    const { writes } = disk;
    await clock.advance(10 * HOUR_MS);
    assert.equal(disk.writes, writes);
  });

  it("has a summary small enough for a twin", (test) => {
    const { desk } = deskRig(test);
    assert.ok(JSON.stringify(desk.summary()).length < 3_072);
  });
});
