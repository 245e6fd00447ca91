import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import {
  type Collector,
  defineSnapshotCollector,
  defineWatchCollector,
  type Watch,
} from "../contract/collector.ts";
import { record, text } from "../contract/schema.ts";
import { DEFAULT_SETTINGS, type Settings } from "../contract/settings.ts";
import { createSecretMask } from "../parse/mask-secrets.ts";
import { createProbe } from "../system/probe.ts";
import { createCollectorHost } from "./collector-host.ts";

const BASE = {
  name: "example",
  summary: "An example.",
  cost: "light",
  needs: [],
  sources: [],
  settings: record({}),
  payload: record({}),
} as const;

function rig(collector: Collector) {
  const clock = new FakeClock();
  const changes: string[] = [];
  const messages: string[] = [];
  const host = createCollectorHost({
    collectors: [collector],
    probe: createProbe({ root: "/" }),
    clock,
    log: new RecordingLog(),
    facts: {
      processId: 1,
      takeMessageCounts: () => ({ messagesSent: 0, messagesUnder4Kb: 0, totalFailed: 0 }),
      takeQueueCounts: () => [],
      countLoss: () => undefined,
      onConfigurationFinding: () => () => undefined,
      onDiagnostic: () => () => undefined,
    },
    mask: createSecretMask([]),
    settingsOf: (one) => one.settings.defaults(),
    cursorOf: () => ({ read: () => undefined, write: () => undefined }),
    submit: () => undefined,
    onDiagnostic: (finding) => messages.push(finding.message),
    onSnapshot: () => undefined,
    onChange: (name) => changes.push(name),
  });
  return { clock, host, changes, messages };
}

const OFF: Settings = {
  ...DEFAULT_SETTINGS,
  eventPriority: { ...DEFAULT_SETTINGS.eventPriority, FirewallConfiguration: "Off", Login: "Off" },
};

describe("the collector host", () => {
  it("listens for changes of a snapshot collector while that is on", async () => {
    const notices: (() => void)[] = [];
    let stops = 0;
    const { host, changes } = rig(
      defineSnapshotCollector({
        ...BASE,
        eventName: "FirewallConfiguration",
        collect: async () => ({ events: [], problems: [] }),
        watchChanges: async (_context, onChange) => {
          notices.push(onChange);
          return {
            stop: async () => {
              stops += 1;
            },
          };
        },
      }),
    );
    await host.applySettings(DEFAULT_SETTINGS);
    notices[0]?.();
    assert.deepEqual(changes, ["example"]);
    await host.applySettings(OFF);
    assert.equal(stops, 1);
    await host.applySettings(DEFAULT_SETTINGS);
    assert.equal(notices.length, 2);
    await host.stop();
    assert.equal(stops, 2);
  });

  it("tries a watch that cannot start again, and tells when it is well", async () => {
    let attempts = 0;
    const { host, clock, messages } = rig(
      defineWatchCollector({
        ...BASE,
        eventName: "Login",
        watch: async (): Promise<Watch> => {
          attempts += 1;
          if (attempts < 3) throw new Error("no memory");
          return { stop: async () => undefined };
        },
      }),
    );
    await host.applySettings(DEFAULT_SETTINGS);
    await clock.advance(60_000);
    await clock.advance(60_000);
    assert.equal(attempts, 3);
    assert.match(messages[0] ?? "", /no memory/);
    assert.match(messages.at(-1) ?? "", /reads everything again/);
    await clock.advance(600_000);
    assert.equal(attempts, 3);
    await host.stop();
  });

  it("hands over settings that the twin steers, and looks again when they change", async () => {
    const seen: unknown[] = [];
    let watches = 0;
    const { host } = rig(
      defineSnapshotCollector({
        ...BASE,
        settings: record({ groups: text({ default: "own" }) }),
        steer: (own, { baseline }) => ({ groups: baseline.groupsDisabled || own.groups }),
        eventName: "OSBaseline",
        collect: async (context) => {
          seen.push(context.settings.groups);
          return { events: [], problems: [] };
        },
        watchChanges: async () => {
          watches += 1;
          return { stop: async () => undefined };
        },
      }),
    );
    const steered: Settings = {
      ...DEFAULT_SETTINGS,
      baseline: { ...DEFAULT_SETTINGS.baseline, groupsDisabled: "cron" },
    };
    await host.applySettings(DEFAULT_SETTINGS);
    const signal = new AbortController().signal;
    await host.jobs()[0]?.run(signal);
    assert.deepEqual(await host.applySettings(steered), ["example"]);
    await host.jobs()[0]?.run(signal);
    assert.deepEqual(await host.applySettings({ ...steered, maxCacheBytes: 10_000 }), []);
    assert.deepEqual(seen, ["own", "cron"]);
    assert.equal(watches, 2);
    await host.stop();
  });
});
