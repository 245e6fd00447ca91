import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { scratchFolder } from "../../../test/support/scratch-folder.ts";
import type { ConfigurationFinding } from "../../contract/agent-facts.ts";
import type { Snapshot } from "../../contract/collector.ts";
import { EVENT_NAMES, type PayloadItem } from "../../contract/event.ts";
import type { ExtensionDraft } from "../../contract/extension.ts";
import type { FirewallReading } from "../../contract/firewall-source.ts";
import type { JsonObject, JsonValue } from "../../contract/json.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../contract/settings.ts";
import { createProbe } from "../../system/probe.ts";
import { createPostureDesk, type PostureDesk } from "./posture-desk.ts";
import { postureReply } from "./posture-reply.ts";

const scratch = scratchFolder("posture");
const HOUR_MS = 3_600_000;
const NO_RULES: FirewallReading = { texts: [], unknown: [], problems: [] };

function settingsWith(
  posture: Partial<Settings["posture"]>,
  eventPriority: Partial<Settings["eventPriority"]> = {},
): Settings {
  return {
    ...DEFAULT_SETTINGS,
    posture: { ...DEFAULT_SETTINGS.posture, ...posture },
    eventPriority: { ...DEFAULT_SETTINGS.eventPriority, ...eventPriority },
  };
}

function socket(address: string, port: number): PayloadItem {
  return {
    Protocol: address.includes(":") ? "tcp6" : "tcp",
    LocalAddress: address,
    LocalPort: String(port),
    RemoteAddress: "0.0.0.0",
    RemotePort: "*",
    ExtraDetails: { Pid: "7", ProcessName: "sshd", Executable: "/usr/sbin/sshd" },
  };
}

function ports(...payload: readonly PayloadItem[]): Snapshot {
  return { events: [{ name: "ListeningPorts", payload }], problems: [] };
}

const FIREWALL: Snapshot = {
  events: [{ name: "FirewallConfiguration", payload: [] }],
  problems: [],
};

/** What a device has on disk, in memory; one that refuses keeps the old content. */
class Disk {
  readonly files = new Map<string, JsonValue>();
  isFull = false;
  writes = 0;
  readJson(name: string): JsonValue | undefined {
    return this.files.get(name);
  }
  writeJson(name: string, value: JsonValue): void {
    this.writes += 1;
    if (!this.isFull) this.files.set(name, JSON.parse(JSON.stringify(value)));
  }
}

interface Rig {
  readonly desk: PostureDesk;
  readonly clock: FakeClock;
  readonly disk: Disk;
  readonly drafts: ExtensionDraft[];
  readonly findings: ConfigurationFinding[];
  /** Recommendations as type, former and present state. */
  changes(): readonly string[];
}

function rig(
  test: TestContext,
  given: {
    readonly settings?: Settings;
    readonly disk?: Disk;
    readonly clock?: FakeClock;
    readonly file?: string;
    readonly inTwin?: JsonValue;
  } = {},
): Rig {
  const { settings = DEFAULT_SETTINGS, disk = new Disk(), clock = new FakeClock() } = given;
  const drafts: ExtensionDraft[] = [];
  const findings: ConfigurationFinding[] = [];
  const probe = createProbe({ root: given.file === undefined ? scratch.path : "/" });
  const firewall = { read: async () => NO_RULES, last: () => NO_RULES, watch: () => () => {} };
  const desk = createPostureDesk({
    clock,
    log: new RecordingLog(),
    probe: { ...probe, firewall: () => firewall },
    state: disk,
    settings,
    collected: EVENT_NAMES,
    subject: "device",
    securityGroups: { file: given.file, inConfiguration: undefined },
    remarks: () => [],
    submit: (more) => drafts.push(...more),
    onFinding: (finding) => findings.push(finding),
    onSummary: () => undefined,
  });
  desk.applySettings(settings, given.inTwin);
  desk.start();
  test.after(() => desk.stop());
  const changes = (): readonly string[] =>
    drafts.flatMap((draft) =>
      draft.name === "Recommendation"
        ? [`${draft.item.Type} ${draft.item.PreviousState ?? "-"} ${draft.item.State}`]
        : [],
    );
  return { desk, clock, disk, drafts, findings, changes };
}

const ofPorts = (changes: readonly string[]): readonly string[] =>
  changes.filter((line) => line.startsWith("IoT_OpenPorts")).map((line) => line.slice(14));

describe("the posture desk", () => {
  it("says nothing of what has not been looked at", async (test) => {
    const { desk, clock, changes } = rig(test);
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
    const { desk, clock, changes } = rig(test);
    desk.take("FirewallConfiguration", FIREWALL);
    for (const address of ["127.0.0.1", "0.0.0.0", "0.0.0.0", "127.0.0.1"]) {
      desk.take("ListeningPorts", ports(socket(address, 22)));
      await clock.advance(1_000);
    }
    assert.deepEqual(ofPorts(changes()), ["- healthy", "healthy unhealthy", "unhealthy healthy"]);
  });

  it("keeps what it knew when a snapshot was stopped, and is unsure when one failed", async (test) => {
    const { desk, clock, changes } = rig(test);
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
    const { desk, clock, drafts, changes } = rig(test, { settings: off });
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
    const { desk, clock, changes, findings } = rig(test);
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
    const { desk, clock, drafts } = rig(test);
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
    const first = rig(test);
    const { clock, disk } = first;
    first.desk.take("FirewallConfiguration", FIREWALL);
    first.desk.take("ListeningPorts", ports(socket("0.0.0.0", 22)));
    for (let sent = 0; sent < 20; sent += 1) first.desk.messageSent(1_000);
    await clock.advance(HOUR_MS);
    const before = first.desk.summary();
    first.desk.stop();
    const second = rig(test, { disk, clock });
    assert.deepEqual(second.desk.summary(), before);
    second.desk.take("FirewallConfiguration", FIREWALL);
    second.desk.take("ListeningPorts", ports(socket("0.0.0.0", 22)));
    await clock.advance(1_000);
    assert.deepEqual(second.changes(), [], "nothing changed");
    const messages = before["IoT_AgentSendsUnutilizedMessages"];
    assert.match(JSON.stringify(messages), /"unhealthy","count":20/);
  });

  it("survives a disk that refuses, and state that is damaged", async (test) => {
    const disk = new Disk();
    disk.isFull = true;
    for (const name of ["posture.json", "alerts.json", "security-groups.json"]) {
      disk.files.set(name, { state: [1], book: "x", origin: "twin", json: {} });
    }
    const { desk, clock, changes } = rig(test, { disk });
    desk.take("FirewallConfiguration", FIREWALL);
    desk.take("ListeningPorts", ports(socket("0.0.0.0", 22)));
    desk.messageSent(100);
    await clock.advance(HOUR_MS);
    assert.deepEqual(ofPorts(changes()), ["- unhealthy"]);
  });

  it("writes nothing while nothing happens", async (test) => {
    const { desk, clock, disk } = rig(test);
    desk.take("FirewallConfiguration", FIREWALL);
    desk.take("ListeningPorts", ports());
    await clock.advance(HOUR_MS);
    const { writes } = disk;
    await clock.advance(10 * HOUR_MS);
    assert.equal(disk.writes, writes);
  });

  it("has a summary small enough for a twin", (test) => {
    const { desk } = rig(test);
    assert.ok(JSON.stringify(desk.summary()).length < 3_072);
  });
});

const group = (changes: JsonObject = {}, name = "default"): JsonObject => ({
  type: "Microsoft.Security/deviceSecurityGroups",
  name,
  properties: {
    allowlistRules: [
      { ruleType: "LocalUserNotAllowed", isEnabled: true, allowlistValues: ["ada"], ...changes },
    ],
  },
});

const rulesOf = (desk: PostureDesk): JsonValue | undefined => desk.summary()["alertRules"];

describe("rules of custom alerts", () => {
  it("come from a file, which is read again when it changes", async (test) => {
    const file = `${scratch.path}/changing.json`;
    const { desk, clock, findings } = rig(test, { file });
    assert.match(findings[0]?.message ?? "", /the file/);
    writeFileSync(file, JSON.stringify(group()));
    await clock.advance(HOUR_MS);
    const inForce = { source: "file", group: "default", rules: 1, hubOnly: 0, unknown: 0 };
    assert.deepEqual(rulesOf(desk), inForce);
    writeFileSync(file, `{"half": `);
    await clock.advance(HOUR_MS);
    assert.match(JSON.stringify(rulesOf(desk)), /"rules":1.*"rejected"/, "the rules before stay");
    assert.equal(findings.length, 2, "a fault is told once");
    writeFileSync(file, JSON.stringify(group({}, "other")));
    await clock.advance(HOUR_MS);
    assert.deepEqual(rulesOf(desk), { ...inForce, group: "other" });
  });

  it("of the twin go before those of a file", async (test) => {
    const file = `${scratch.path}/beside-twin.json`;
    writeFileSync(file, JSON.stringify(group({}, "of-the-file")));
    const { desk } = rig(test, { file });
    assert.match(JSON.stringify(rulesOf(desk)), /of-the-file/);
    desk.applySettings(DEFAULT_SETTINGS, group({}, "of-the-twin"));
    assert.match(JSON.stringify(rulesOf(desk)), /"twin","group":"of-the-twin"/);
    desk.applySettings(DEFAULT_SETTINGS, undefined);
    assert.match(JSON.stringify(rulesOf(desk)), /of-the-file/);
  });

  it("that are faulty leave those before in force, also after a restart", (test) => {
    const disk = new Disk();
    const first = rig(test, { disk });
    first.desk.applySettings(DEFAULT_SETTINGS, group());
    const faulty = group({ isEnabled: "yes", allowlistValues: [1] });
    first.desk.applySettings(DEFAULT_SETTINGS, faulty);
    const paths = first.findings.map(({ configurationName }) => configurationName);
    assert.deepEqual(paths, [
      "deviceSecurityGroups: properties.allowlistRules[0].isEnabled",
      "deviceSecurityGroups: properties.allowlistRules[0].allowlistValues[0]",
    ]);
    first.desk.stop();
    const second = rig(test, { disk, inTwin: faulty });
    assert.match(JSON.stringify(rulesOf(second.desk)), /"rules":1.*"rejected"/);
  });

  it("of a group that does not exist are a conflict, told once", (test) => {
    const settings = settingsWith({ securityGroup: "gateways" });
    const { desk, findings } = rig(test, { settings });
    desk.applySettings(settings, group());
    desk.applySettings(settings, group());
    assert.deepEqual(
      findings.map(({ errorType }) => errorType),
      ["Conflict"],
    );
    desk.applySettings(settings, group({}, "Gateways"));
    assert.match(JSON.stringify(rulesOf(desk)), /"group":"Gateways"/);
  });

  it("raise alerts whose priority the settings say", async (test) => {
    const settings = settingsWith({ alertPriority: "Low" });
    const { desk, clock, drafts } = rig(test, { settings });
    desk.applySettings(settings, group());
    await clock.advance(HOUR_MS);
    desk.count([{ name: "Login", payload: [{ UserName: "eve", Result: "Success" }] }]);
    await clock.advance(HOUR_MS);
    const alerts = drafts.filter(({ name }) => name === "Alert");
    assert.equal(alerts.length, 1);
    assert.deepEqual([alerts[0]?.priority, alerts[0]?.isUrgent], ["Low", false]);
  });
});

describe("the answer of a method", () => {
  it("loses evidence until it fits, and says how much", () => {
    const item = (Type: string): JsonObject => ({
      Type,
      Evidence: Array.from({ length: 32 }, () => ({ rule: "x".repeat(600) })),
    });
    const recommendations = Array.from({ length: 8 }, (_, at) => item(String(at)));
    const reply = postureReply({ unhealthy: 8, recommendations });
    assert.ok(JSON.stringify(reply).length < 100_000);
    const [first] = Array.isArray(reply["recommendations"]) ? reply["recommendations"] : [];
    assert.equal(first["Evidence"].length + first["EvidenceOmitted"], 32);
    assert.ok(first["Evidence"].length > 0);
    const small = { unhealthy: 0, recommendations: [{ Type: "a", Evidence: [] }] };
    assert.deepEqual(postureReply(small), small);
  });
});
