import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Rule } from "../../src/baseline/rule.ts";
import { WALK_LIST_LIMIT, type WalkReport } from "../../src/baseline/walk-report.ts";
import type { CollectorContext } from "../../src/contract/collector.ts";
import type { PayloadItem } from "../../src/contract/event.ts";
import type { JsonValue } from "../../src/contract/json.ts";
import type { Probe } from "../../src/contract/probe.ts";
import { check } from "../../src/contract/schema.ts";
import { DEFAULT_SETTINGS } from "../../src/contract/settings.ts";
import {
  type MemoryRootOptions,
  memoryRoot,
  type RootFiles,
} from "../../test/baseline/memory-root.ts";
import { contextOf } from "../../test/collectors/case-run.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { collectWith } from "./collect.ts";
import { SUMMARY_ID } from "./items.ts";
import {
  type OsBaselineSettings,
  osBaselinePayload,
  osBaselineSettings,
  steerOsBaseline,
} from "./schema.ts";
import { readState, stateJson } from "./state.ts";
import { watchFileSystems } from "./walk-watch.ts";

const DAY_MS = 86_400_000;

function ruleOf(id: string, path: string, changes: Partial<Rule> = {}): Rule {
  return {
    id,
    title: `${path} is there`,
    rationale: "It must be.",
    remediation: `Make ${path}.`,
    level: 1,
    isScored: true,
    severity: "Warning",
    group: "SSH Server",
    cost: "light",
    check: { test: "file-exists", path },
    ...changes,
  };
}

const RULES: readonly Rule[] = [
  ruleOf("1.1", "/etc/a"),
  ruleOf("1.2", "/etc/b"),
  ruleOf("1.3", "/etc/c", { appliesWhen: { test: "file-exists", path: "/etc/c.d" } }),
  ruleOf("1.4", "/etc/d", { check: { manual: "a person must look" } }),
  ruleOf("6.1", "/etc/a", { cost: "full-walk" }),
];

/** A device that changes between runs, and what is kept of it. */
function rig(changes: Partial<OsBaselineSettings> = {}, options: MemoryRootOptions = {}) {
  const files: Record<string, string> = {
    "/etc/os-release": "ID=debian\nVERSION_ID=12\n",
    "/etc/a": "",
  };
  const clock = new FakeClock();
  let kept: JsonValue | undefined;
  const settings = { ...osBaselineSettings.defaults(), ...changes };
  const abort = new AbortController();
  const contextNow = (): CollectorContext<OsBaselineSettings> => ({
    ...contextOf(memoryRoot(files, options), settings),
    settings,
    clock,
    signal: abort.signal,
    cursor: {
      read: () => kept,
      write(value) {
        kept = JSON.parse(JSON.stringify(value)) as JsonValue;
      },
    },
  });
  return {
    files,
    clock,
    abort,
    contextNow,
    kept: () => kept,
    async run(rules: readonly Rule[] = RULES) {
      const snapshot = await collectWith(contextNow(), rules);
      const [summary, ...items] = snapshot.events[0]?.payload ?? [];
      return { snapshot, summary: detailsOf(summary), results: items.map(resultOf) };
    },
  };
}

function detailsOf(item: PayloadItem | undefined): Readonly<Record<string, string>> {
  assert.equal(item?.["CceId"], SUMMARY_ID);
  return item["ExtraDetails"] as Readonly<Record<string, string>>;
}

function resultOf(item: PayloadItem): string {
  assert.deepEqual(check(osBaselinePayload, item), []);
  return `${String(item["CceId"])} ${String(item["Result"])}`;
}

describe("the collector of the OS baseline", () => {
  it("sends every result at first, then failures and changes, and all again after a day", async () => {
    const { files, clock, run } = rig();
    const all = ["CIS-debian-12-SSHServer-1.1 Pass", "CIS-debian-12-SSHServer-1.2 Fail"];
    const first = await run();
    assert.deepEqual([first.summary["Scope"], first.results], ["full", all]);
    const second = await run();
    assert.deepEqual([second.summary["Scope"], second.results], ["changes", [all[1]]]);
    files["/etc/b"] = "";
    const third = await run();
    assert.deepEqual(third.results, ["CIS-debian-12-SSHServer-1.2 Pass"]);
    assert.deepEqual((await run()).results, []);
    await clock.advance(DAY_MS);
    const next = await run();
    assert.equal(next.summary["Scope"], "full");
    assert.equal(next.results.length, 2);
  });

  it("sends every result each time, with evidence, when it is told to", async () => {
    const { run } = rig({ report: "All" });
    await run();
    const { snapshot, results } = await run();
    assert.equal(results.length, 2);
    const pass = snapshot.events[0]?.payload[1]?.["ExtraDetails"] as { Evidence?: string };
    assert.equal(pass.Evidence, "/etc/a: expected exists, found /etc/a");
  });

  it("counts what schema 1.0 has no result for", async () => {
    const { run } = rig({ waivers: "1.2 2026-12-31 later" });
    const { summary } = await run();
    const { Passed, Failed, NotApplicable, Manual, Waived, NotJudged, WaivedChecks } = summary;
    assert.deepEqual(
      { Passed, Failed, NotApplicable, Manual, Waived, NotJudged, WaivedChecks },
      {
        Passed: "1",
        Failed: "0",
        NotApplicable: "1",
        Manual: "1",
        Waived: "1",
        NotJudged: "1",
        WaivedChecks: "1.2",
      },
    );
  });

  it("tells a failure again once its waiver is over", async () => {
    const { run, clock } = rig({ waivers: "1.2 2026-01-15 today only" });
    await run();
    assert.deepEqual((await run()).results, []);
    await clock.advance(DAY_MS / 2);
    const { results, summary } = await run();
    assert.deepEqual(results, ["CIS-debian-12-SSHServer-1.2 Fail"]);
    assert.equal(summary["ExpiredWaivers"], "1.2");
  });

  it("reports a text of waivers that nobody can read, and judges all the same", async () => {
    const { snapshot } = await rig({ waivers: "1.2 tomorrow" }).run();
    assert.equal(snapshot.problems[0]?.subject, "waivers");
    assert.equal(snapshot.events.length, 1);
  });

  it("sends the full set when the clock was set back", async () => {
    const { run, clock } = rig();
    await run();
    clock.jumpWall(-3 * DAY_MS);
    assert.equal((await run()).summary["Scope"], "full");
  });

  it("keeps secrets that a check quotes to itself", async () => {
    const { files, run } = rig();
    files["/etc/app.conf"] =
      "connect Password=hunter2secret SharedAccessKey=c2VjcmV0c2VjcmV0c2VjcmV0";
    const quoting = ruleOf("2.1", "/etc/app.conf", {
      check: {
        test: "lines",
        files: ["/etc/app.conf"],
        pattern: "^connect",
        want: "none",
        what: "x",
      },
    });
    const { snapshot } = await run([quoting]);
    assert.doesNotMatch(JSON.stringify(snapshot), /hunter2secret|c2VjcmV0c2VjcmV0/);
  });

  it("hands over nothing when it is stopped in the middle", async () => {
    const { contextNow, abort } = rig();
    const rules = [...RULES, ...Array.from({ length: 40 }, (_, at) => ruleOf(`9.${at}`, "/etc/a"))];
    const context = { ...contextNow(), pause: async () => abort.abort() };
    const snapshot = await collectWith(context, rules);
    assert.deepEqual(snapshot.events, []);
    assert.equal(snapshot.problems[0]?.code, "timed-out");
  });

  it("asks for no reading of the firewall on a live device, and takes the last one", async () => {
    const { contextNow } = rig();
    let reads = 0;
    const context = contextNow();
    const probe: Probe = Object.assign(Object.create(context.probe) as Probe, {
      firewall: () => ({
        read: async () => {
          reads += 1;
          return { texts: [], unknown: [], problems: [] };
        },
        watch: () => () => undefined,
        last: () => ({ texts: [], unknown: [], problems: [] }),
      }),
    });
    await collectWith({ ...context, probe }, RULES);
    assert.equal(reads, 0);
  });
});

describe("what the twin says of the OS baseline", () => {
  it("stands over the local configuration where it is set", () => {
    const own = { ...osBaselineSettings.defaults(), groupsDisabled: "cron", checksDisabled: "1.1" };
    const baseline = { ...DEFAULT_SETTINGS.baseline, checksDisabled: "2.2", isWalkEnabled: false };
    const steered = steerOsBaseline(own, { ...DEFAULT_SETTINGS, baseline });
    assert.deepEqual(
      [steered.groupsDisabled, steered.checksDisabled, steered.isWalkEnabled],
      ["cron", "2.2", false],
    );
    assert.equal(steered.cpuSharePercent, own.cpuSharePercent);
  });
});

const NAMES: RootFiles = {
  "/etc/passwd": "root:x:0:0::/root:/bin/sh\n",
  "/etc/group": "root:x:0:\n",
  "/proc/self/mountinfo": "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n",
};

describe("the walk in the background", () => {
  it("is made after a while, told once, kept, and made again a day later", async () => {
    const { files, clock, contextNow, kept, run } = rig();
    Object.assign(files, NAMES);
    let changes = 0;
    const watch = await watchFileSystems(contextNow(), () => {
      changes += 1;
    });
    await clock.advance(599_000);
    assert.equal(kept(), undefined);
    await clock.advance(60_000);
    assert.equal(changes, 1);
    const { walk } = readState(kept());
    assert.ok(typeof walk === "object" && walk.entries > 4);
    const { results, summary } = await run();
    assert.ok(results.includes("CIS-debian-12-SSHServer-6.1 Pass"));
    assert.equal(summary["WalkedFiles"], String(walk.entries));
    await clock.advance(DAY_MS - 600_000);
    assert.equal(changes, 1);
    await clock.advance(700_000);
    assert.equal(changes, 2);
    await watch.stop();
    await clock.advance(2 * DAY_MS);
    assert.equal(changes, 2);
    assert.equal(clock.armed, 0);
  });

  it("does not begin anew at once after a restart", async () => {
    const { files, clock, contextNow, run } = rig();
    Object.assign(files, NAMES);
    let changes = 0;
    const onChange = (): void => {
      changes += 1;
    };
    const before = await watchFileSystems(contextNow(), onChange);
    await clock.advance(700_000);
    await before.stop();
    await run();
    const after = await watchFileSystems(contextNow(), onChange);
    await clock.advance(DAY_MS / 2);
    assert.equal(changes, 1);
    await after.stop();
  });

  it("is not made where it is off, and on a root that does not run", async () => {
    for (const { contextNow, clock } of [
      rig({ isWalkEnabled: false }),
      rig({}, { isLive: false }),
    ]) {
      const watch = await watchFileSystems(contextNow(), () => assert.fail("walked"));
      assert.equal(clock.armed, 0);
      await watch.stop();
    }
  });

  it("that cannot be made makes its checks errors with the reason", async () => {
    const { files, clock, contextNow, kept } = rig();
    Object.assign(files, { ...NAMES, "/proc/self/mountinfo": undefined });
    delete files["/proc/self/mountinfo"];
    const watch = await watchFileSystems(contextNow(), () => undefined);
    await clock.advance(700_000);
    await settle();
    assert.match(String(readState(kept()).walk), /mountinfo/);
    await watch.stop();
  });
});

describe("the kept state", () => {
  const list = (length: number) => ({
    total: length,
    paths: Array.from(
      { length: Math.min(length, WALK_LIST_LIMIT) },
      (_, at) => `/${"ü".repeat(500)}${at}`,
    ),
  });
  const walk: WalkReport = {
    entries: 1,
    isCut: false,
    finishedAtMs: 5,
    openFolders: list(1),
    openFiles: list(500),
    unknownUsers: list(500),
    unknownGroups: list(500),
    setuid: list(500),
    setgid: list(500),
    unread: list(500),
  };

  it("stays below 64 KiB, and keeps totals", () => {
    const standings = new Map(
      Array.from({ length: 450 }, (_, at) => [`${at}`.padEnd(40, "x"), "p"] as const),
    );
    const json = stateJson({ fullAtMs: 1, standings, walk, walkEndedAtMs: 2 });
    assert.ok(Buffer.byteLength(JSON.stringify(json)) < 60_000);
    const read = readState(json);
    assert.ok(typeof read.walk === "object");
    assert.equal(read.walk.openFiles.total, 500);
    assert.ok(read.walk.openFiles.paths.length > 0);
    assert.deepEqual(read.standings, standings);
  });

  it("of another form is as if it had never been", () => {
    const nothing = readState(undefined);
    for (const kept of [
      null,
      5,
      [],
      { format: 2 },
      { format: 1, walk: { entries: "x" }, standings: [] },
    ]) {
      assert.deepEqual(readState(kept), nothing);
    }
  });
});
