import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  configurationOf,
  desiredOf,
  hostileDesired,
  samples,
  wrapped,
} from "../../test/twin/samples.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import { DEFAULT_SETTINGS } from "../contract/settings.ts";
import type { DesiredUpdate } from "../contract/transport.ts";
import { parseJsonObject } from "../parse/json.ts";
import { createClassicDialect } from "./classic-dialect.ts";
import { CLASSIC_OBJECT_NAME } from "./classic-names.ts";
import { readLocalSettings } from "./local-settings.ts";
import { AGENT_OBJECT_NAME } from "./reported.ts";
import {
  createTwinController,
  restoreTwinController,
  type TwinController,
} from "./twin-controller.ts";
import { mergePatch } from "./twin-document.ts";

const options = { dialect: createClassicDialect(DEFAULT_SETTINGS), agentVersion: "1.2.3" };

function full(version: number, configuration: JsonValue): DesiredUpdate {
  return { kind: "full", version, desired: desiredOf(configuration) };
}

function patch(version: number, configuration: JsonValue): DesiredUpdate {
  return { kind: "patch", version, desired: desiredOf(configuration) };
}

function agentObject(controller: TwinController): JsonObject {
  const object = controller.reported()[AGENT_OBJECT_NAME];
  assert.ok(isJsonObject(object));
  return object;
}

describe("the twin controller", () => {
  it("starts from the defaults and asks for a full read", () => {
    const controller = createTwinController(options);
    assert.deepEqual(controller.settings, DEFAULT_SETTINGS);
    assert.equal(controller.needsFullRead, true);
    assert.equal(Object.hasOwn(agentObject(controller), "desiredVersion"), false);
  });

  it("keeps what a partial patch does not name, and names what changed", () => {
    const controller = createTwinController(options);
    controller.apply(full(1, wrapped({ snapshotFrequency: "PT1H", eventPriorityLogin: "Low" })));
    const change = controller.apply(patch(2, wrapped({ eventPriorityLogin: "Off" })));
    assert.equal(change.settings.snapshotIntervalMs, 3_600_000);
    assert.equal(change.settings.eventPriority.Login, "Off");
    assert.deepEqual(change.changedKeys, ["eventPriority.Login"]);
    assert.equal(change.needsFullRead, false);
  });

  it("goes back to the default when a patch deletes a property", () => {
    const controller = createTwinController(options);
    controller.apply(full(1, wrapped({ snapshotFrequency: "PT1H" })));
    const change = controller.apply(patch(2, { snapshotFrequency: null }));
    assert.deepEqual(change.settings, DEFAULT_SETTINGS);
    assert.deepEqual(change.changedKeys, ["snapshotIntervalMs"]);
  });

  it("changes nothing on a stale patch or an update beyond the bounds", () => {
    const controller = createTwinController(options);
    controller.apply(full(3, wrapped({ snapshotFrequency: "PT1H" })));
    const before = controller.settings;
    const stale = controller.apply(patch(3, wrapped({ snapshotFrequency: "PT2H" })));
    assert.deepEqual([stale.status, stale.changedKeys, stale.findings], ["stale", [], []]);
    const refused = controller.apply(full(4, { note: "x".repeat(300_000) }));
    assert.equal(refused.status, "refused");
    assert.equal(refused.problem?.code, "too-large");
    assert.equal(controller.settings, before);
    assert.equal(agentObject(controller)["desiredVersion"], 3);
  });

  it("tells a finding once, and again only after it was gone or the value changed", () => {
    const controller = createTwinController(options);
    const told = (update: DesiredUpdate) =>
      controller.apply(update).findings.map((finding) => finding.configurationName);
    assert.deepEqual(told(full(1, wrapped({ snapshotFrequency: "soon" }))), ["snapshotFrequency"]);
    assert.deepEqual(told(full(1, wrapped({ snapshotFrequency: "soon" }))), []);
    assert.deepEqual(told(patch(2, wrapped({ eventPriorityLogin: "Low" }))), []);
    assert.deepEqual(told(patch(3, wrapped({ snapshotFrequency: "later" }))), [
      "snapshotFrequency",
    ]);
    assert.deepEqual(told(patch(4, wrapped({ snapshotFrequency: "PT1H" }))), []);
    assert.deepEqual(told(patch(5, wrapped({ snapshotFrequency: "soon" }))), ["snapshotFrequency"]);
  });

  it("shows the verdict of every property in the reported properties", () => {
    const controller = createTwinController(options);
    controller.apply(
      full(7, {
        ...wrapped({ snapshotFrequency: "PT90M", maxMessageSizeInBytes: 100, hubResourceId: "h" }),
        "odd key.": 1,
      }),
    );
    const object = agentObject(controller);
    assert.equal(object["desiredVersion"], 7);
    assert.equal(object["agentVersion"], "1.2.3");
    assert.deepEqual(object["status"], { applied: 1, defaulted: 23, rejected: 1 });
    assert.deepEqual(object["rejected"], {
      maxMessageSizeInBytes: { reason: "found 100; expected integer from 8192 to 262144 bytes" },
    });
    assert.deepEqual(object["unknown"], ["odd key."]);
    assert.deepEqual(object["unsupported"], ["hubResourceId"]);
    const properties = object["properties"];
    assert.ok(isJsonObject(properties));
    assert.equal(Object.keys(properties).length, 25);
    assert.equal(properties["snapshotFrequency"], "applied");
    const configuration = controller.reported()[CLASSIC_OBJECT_NAME];
    assert.ok(isJsonObject(configuration));
    assert.deepEqual(configuration["snapshotFrequency"], { value: "PT1H30M" });
  });
});

describe("the reported patch", () => {
  it("is everything at first, nothing when the hub holds it, and only the change after that", () => {
    const controller = createTwinController(options);
    controller.apply(full(1, {}));
    const first = controller.reportedPatch(undefined);
    assert.deepEqual(first, controller.reported());
    const holds = controller.reported();
    assert.equal(controller.reportedPatch(holds), undefined);
    controller.apply(patch(2, wrapped({ eventPriorityLogin: "Off" })));
    assert.deepEqual(controller.reportedPatch(holds), {
      [CLASSIC_OBJECT_NAME]: { eventPriorityLogin: { value: "Off" } },
      [AGENT_OBJECT_NAME]: {
        desiredVersion: 2,
        status: { applied: 1, defaulted: 24 },
        properties: { eventPriorityLogin: "applied" },
      },
    });
  });

  it("tells how the device was judged, by the least patch", () => {
    const controller = createTwinController(options);
    assert.equal(agentObject(controller)["posture"], undefined);
    const open = { state: "unhealthy", count: 2, since: "2026-01-01T00:00:00.000Z" };
    controller.describePosture({ unhealthy: 1, IoT_OpenPorts: open });
    const held = controller.reported();
    assert.equal(controller.reportedPatch(held), undefined);
    controller.describePosture({ unhealthy: 0, IoT_OpenPorts: { state: "healthy" } });
    const change = controller.reportedPatch(held);
    assert.deepEqual(change, {
      [AGENT_OBJECT_NAME]: {
        posture: { unhealthy: 0, IoT_OpenPorts: { state: "healthy", count: null, since: null } },
      },
    });
    assert.deepEqual(mergePatch(held, change ?? {}), controller.reported());
  });

  it("deletes our stale keys and leaves those of other writers alone", () => {
    const controller = createTwinController(options);
    controller.apply(full(1, {}));
    const holds: JsonObject = {
      ...controller.reported(),
      $version: 12,
      posture: { listeners: 4 },
      [CLASSIC_OBJECT_NAME]: { eventPriorityOperational: { value: "Low" } },
      [AGENT_OBJECT_NAME]: { health: "good", rejected: { snapshotFrequency: { reason: "old" } } },
    };
    const change = controller.reportedPatch(holds);
    const agent = change?.[AGENT_OBJECT_NAME];
    const configuration = change?.[CLASSIC_OBJECT_NAME];
    assert.ok(isJsonObject(agent) && isJsonObject(configuration));
    assert.equal(agent["rejected"], null);
    assert.equal(Object.hasOwn(agent, "health"), false);
    assert.equal(configuration["eventPriorityOperational"], null);
    assert.deepEqual(Object.keys(change ?? {}), [CLASSIC_OBJECT_NAME, AGENT_OBJECT_NAME]);
  });

  it("brings whatever the hub holds to what should be reported, in one step", () => {
    fc.assert(
      fc.property(samples, hostileDesired, fc.boolean(), (all, junk, isOld) => {
        const controller = createTwinController(options);
        controller.apply(full(1, wrapped({ eventPriorityOperational: "Off", odd: 1 })));
        const old = controller.reported();
        controller.apply(full(2, configurationOf(all)));
        const next = controller.reported();
        const start = mergePatch({}, isOld ? old : junk);
        const holds = mergePatch(start, controller.reportedPatch(start) ?? {});
        assert.deepEqual(holds[CLASSIC_OBJECT_NAME], next[CLASSIC_OBJECT_NAME]);
        assert.deepEqual(holds[AGENT_OBJECT_NAME], next[AGENT_OBJECT_NAME]);
        assert.equal(controller.reportedPatch(holds), undefined);
      }),
      { numRuns: 200 },
    );
  });

  it("stays under 10 KB with keys that the hub takes, whatever is desired", () => {
    fc.assert(
      fc.property(hostileDesired, (desired) => {
        const controller = createTwinController(options);
        controller.apply({ kind: "full", version: Number.MAX_SAFE_INTEGER, desired });
        assertReportable(controller.reported());
      }),
      { numRuns: 300 },
    );
  });

  it("stays under 10 KB when every property is rejected with the longest reason", () => {
    const controller = createTwinController({ ...options, agentVersion: "9".repeat(500) });
    const names = [...options.dialect.keys];
    const nasty = '"\\'.repeat(40);
    const configuration = Object.fromEntries([
      ...names.map((name): [string, JsonValue] => [name, nasty]),
      ...Array.from({ length: 64 }, (_, at): [string, JsonValue] => [nasty + at, nasty]),
    ]);
    controller.apply(full(1, configuration));
    const size = assertReportable(controller.reported());
    assert.ok(size > 5_000, `only ${size} bytes: not the worst case`);
  });
});

/** Size in bytes of reported properties, after holding them against the hub's rules. */
function assertReportable(reported: JsonObject): number {
  const text = JSON.stringify(reported);
  const size = Buffer.byteLength(text);
  assert.ok(size < 10_240, `${size} bytes`);
  const parsed = parseJsonObject(text, "reported");
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.value, reported);
  const keys: string[] = [];
  JSON.stringify(reported, (key, value: unknown) => {
    if (!/^\d+$/.test(key)) keys.push(key);
    return value;
  });
  assert.deepEqual(
    keys.filter((key) => /[.$\s\p{Cc}]/u.test(key)),
    [],
  );
  return size;
}

describe("kept twin state", () => {
  it("brings the settings in force back without network", () => {
    const before = createTwinController(options);
    before.apply(full(4, wrapped({ snapshotFrequency: "PT1H", maxMessageSizeInBytes: 8_192 })));
    before.apply(patch(5, wrapped({ maxMessageSizeInBytes: 1 })));
    const saved = parseJsonObject(JSON.stringify(before.toJson()), "state");
    assert.ok(saved.ok);
    const { controller, findings, problem } = restoreTwinController(options, saved.value);
    assert.equal(problem, undefined);
    assert.deepEqual(findings, []);
    assert.deepEqual(controller.settings, before.settings);
    assert.equal(controller.settings.maxMessageBytes, 8_192);
    assert.deepEqual(controller.reported(), before.reported());
    assert.equal(controller.needsFullRead, true);
    assert.deepEqual(controller.toJson(), before.toJson());
  });

  it("gives way to a changed local configuration where the twin desires nothing", () => {
    const before = createTwinController(options);
    before.apply(full(1, wrapped({ eventPriorityLogin: "Low" })));
    const { settings: defaults } = readLocalSettings({ maxMessageSizeInBytes: 10_000 });
    const changed = { ...options, dialect: createClassicDialect(defaults) };
    const { controller, findings } = restoreTwinController(changed, before.toJson());
    assert.equal(controller.settings.maxMessageBytes, 10_000);
    assert.equal(controller.settings.eventPriority.Login, "Low");
    assert.deepEqual(
      findings.map((finding) => finding.errorType),
      ["NotOptimal"],
    );
  });

  it("that was never written is no problem", () => {
    const { problem, controller } = restoreTwinController(options, undefined);
    assert.equal(problem, undefined);
    assert.deepEqual(controller.settings, DEFAULT_SETTINGS);
  });

  it("that is corrupt gives the defaults and a problem", () => {
    const good = createTwinController(options).toJson();
    const corrupt: readonly JsonValue[] = [
      null,
      [],
      "text",
      {},
      { format: 2 },
      { ...good, desired: 5 },
      { ...good, version: "7" },
      { ...good, settings: null },
      { ...good, settings: { ...DEFAULT_SETTINGS, maxCacheBytes: -1 } },
    ];
    for (const saved of corrupt) {
      const { controller, problem } = restoreTwinController(options, saved);
      assert.equal(problem?.code, "malformed", JSON.stringify(saved));
      assert.deepEqual(controller.settings, DEFAULT_SETTINGS);
    }
  });

  it("of any content never throws and always gives complete settings", () => {
    fc.assert(
      fc.property(fc.jsonValue(), hostileDesired, (any, desired) => {
        const saved: JsonValue = {
          format: 1,
          desired,
          version: 1,
          settings: desired,
          raised: any as JsonValue,
        };
        for (const value of [saved, any as JsonValue]) {
          const { controller } = restoreTwinController(options, value);
          assert.deepEqual(Object.keys(controller.settings), Object.keys(DEFAULT_SETTINGS));
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("any sequence of updates", () => {
  it("ends where a full read of the merged document would", () => {
    fc.assert(
      fc.property(fc.array(samples, { minLength: 1, maxLength: 5 }), (updates) => {
        const controller = createTwinController(options);
        let merged: JsonObject = {};
        let last = DEFAULT_SETTINGS;
        for (const [at, all] of updates.entries()) {
          const configuration = configurationOf(all.filter((sample) => sample.isGood));
          merged = mergePatch(merged, desiredOf(configuration));
          const kind = at === 0 ? "full" : "patch";
          last = controller.apply({
            kind,
            version: at + 1,
            desired: desiredOf(configuration),
          }).settings;
        }
        assert.deepEqual(last, options.dialect.evaluate(merged, DEFAULT_SETTINGS).settings);
        const again = controller.apply({ kind: "full", version: updates.length, desired: merged });
        assert.deepEqual(again.changedKeys, []);
      }),
      { numRuns: 100 },
    );
  });
});
