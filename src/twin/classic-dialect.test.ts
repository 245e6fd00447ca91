import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
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
import { DEFAULT_SETTINGS, type Settings } from "../contract/settings.ts";
import { createClassicDialect } from "./classic-dialect.ts";
import { CLASSIC_OBJECT_NAME, CLASSIC_PROPERTIES } from "./classic-names.ts";
import type { TwinVerdict } from "./dialect.ts";
import { readLocalSettings } from "./local-settings.ts";

const dialect = createClassicDialect(DEFAULT_SETTINGS);

function evaluate(configuration: JsonValue, inForce: Settings = DEFAULT_SETTINGS): TwinVerdict {
  return dialect.evaluate(desiredOf(configuration), inForce);
}

function outcomeOf(verdict: TwinVerdict, name: string): string | undefined {
  return verdict.properties.find((property) => property.name === name)?.outcome;
}

function leavesOf(value: unknown, path = ""): readonly string[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, below]) => leavesOf(below, `${path}/${key}`));
}

function defaultOf(name: string): unknown {
  return CLASSIC_PROPERTIES.find((property) => property.name === name)?.schema.defaults();
}

describe("the classic dialect", () => {
  it("has exactly one property for every setting", () => {
    const paths = CLASSIC_PROPERTIES.map((property) => `/${property.path.join("/")}`);
    assert.deepEqual([...paths].sort(), [...leavesOf(DEFAULT_SETTINGS)].sort());
    assert.equal(new Set(CLASSIC_PROPERTIES.map((property) => property.name)).size, 42);
    assert.equal(CLASSIC_PROPERTIES.filter((property) => !property.isExtra).length, 25);
  });

  it("hands on device security groups as they were written, wrapped or not", () => {
    const resource = { properties: { timeWindowRules: [{ ruleType: "x" }] }, name: "a" };
    const list = { value: [resource] };
    for (const [wire, found] of [
      [{ value: resource }, resource],
      [resource, resource],
      [list, [resource]],
    ] as const) {
      const verdict = evaluate({ deviceSecurityGroups: wire });
      assert.deepEqual(verdict.documents, { deviceSecurityGroups: found });
      assert.deepEqual([verdict.unknown, verdict.findings], [[], []]);
    }
    for (const none of [{}, { deviceSecurityGroups: null }]) {
      assert.deepEqual(evaluate(none).documents, {});
    }
  });

  it("reports the built-in defaults in the published spelling", () => {
    const reported = dialect.report(DEFAULT_SETTINGS);
    assert.deepEqual(reported["highPriorityMessageFrequency"], { value: "PT7M" });
    assert.deepEqual(reported["lowPriorityMessageFrequency"], { value: "PT5H" });
    assert.deepEqual(reported["snapshotFrequency"], { value: "PT13H" });
    assert.deepEqual(reported["maxLocalCacheSizeInBytes"], { value: 2_560_000 });
    assert.deepEqual(reported["eventPriorityLogin"], { value: "High" });
    assert.deepEqual(reported["aggregationEnabledProcessTerminate"], { value: true });
    assert.equal(Object.keys(reported).length, 25);
  });

  const published = new URL(
    "../../../shared/reference/module-twin/azureiotsecurity_default.json",
    import.meta.url,
  );
  const skip = existsSync(published) ? false : "the published default twin is not at hand";
  it("reports its defaults byte for byte as the published default twin", { skip }, () => {
    const twin = JSON.parse(readFileSync(published, "utf8")) as {
      properties: { desired: Record<string, JsonObject> };
    };
    const object = twin.properties.desired[CLASSIC_OBJECT_NAME];
    assert.equal(JSON.stringify(dialect.report(DEFAULT_SETTINGS)), JSON.stringify(object));
  });

  it("applies a good value and defaults the rest", () => {
    const verdict = evaluate(wrapped({ snapshotFrequency: "PT90M", eventPriorityLogin: "Off" }));
    assert.equal(verdict.settings.snapshotIntervalMs, 5_400_000);
    assert.equal(verdict.settings.eventPriority.Login, "Off");
    assert.equal(outcomeOf(verdict, "snapshotFrequency"), "applied");
    assert.equal(outcomeOf(verdict, "lowPriorityMessageFrequency"), "defaulted");
    assert.deepEqual(verdict.findings, []);
    assert.deepEqual(dialect.report(verdict.settings)["snapshotFrequency"], { value: "PT1H30M" });
  });

  it("goes back to the local default when a property is deleted or the object is gone", () => {
    const { settings: defaults } = readLocalSettings({ snapshotFrequency: "PT1H" });
    const local = createClassicDialect(defaults);
    const inForce = local.evaluate(desiredOf(wrapped({ snapshotFrequency: "PT2H" })), defaults);
    assert.equal(inForce.settings.snapshotIntervalMs, 7_200_000);
    for (const desired of [
      {},
      desiredOf(null),
      desiredOf({}),
      desiredOf({ snapshotFrequency: null }),
    ]) {
      const verdict = local.evaluate(desired, inForce.settings);
      assert.equal(verdict.settings.snapshotIntervalMs, 3_600_000);
      assert.equal(outcomeOf(verdict, "snapshotFrequency"), "defaulted");
      assert.deepEqual(verdict.findings, []);
    }
  });

  it("keeps the value in force when a bad one is desired, and says what was found", () => {
    const inForce = evaluate(wrapped({ maxMessageSizeInBytes: 8192 })).settings;
    const verdict = evaluate(wrapped({ maxMessageSizeInBytes: "big" }), inForce);
    assert.equal(verdict.settings.maxMessageBytes, 8192);
    assert.deepEqual(verdict.findings, [
      {
        configurationName: "maxMessageSizeInBytes",
        errorType: "TypeMismatch",
        usedConfiguration: "8192",
        message: 'found "big"; expected integer from 8192 to 262144 bytes; 8192 stays in force',
      },
    ]);
  });

  const mismatches: readonly (readonly [string, string, JsonValue, RegExp])[] = [
    ["a bare value", "snapshotFrequency", "PT1H", /bare "PT1H"; expected \{"value": ISO 8601/],
    ["a missing value", "snapshotFrequency", { Value: "PT1H" }, /without "value"/],
    ["a null value", "snapshotFrequency", { value: null }, /found null/],
    ["a zero interval", "snapshotFrequency", { value: "PT0S" }, /from PT1S to P36500D/],
    ["a number for a duration", "snapshotFrequency", { value: 60 }, /found 60/],
    [
      "a priority in another case",
      "eventPriorityLogin",
      { value: "high" },
      /one of High, Low, Off/,
    ],
    ["text for a boolean", "aggregationEnabledProcessCreate", { value: "true" }, /true or false/],
    ["too large a message", "maxMessageSizeInBytes", { value: 262_145 }, /262145/],
    ["too small a cache", "maxLocalCacheSizeInBytes", { value: 8_191 }, /from 8192/],
    ["an enormous number", "maxLocalCacheSizeInBytes", { value: 1e308 }, /1e\+308/],
    ["a list", "maxLocalCacheSizeInBytes", [1], /a list/],
  ];
  for (const [what, name, wire, message] of mismatches) {
    it(`calls ${what} a TypeMismatch`, () => {
      const verdict = evaluate({ [name]: wire });
      assert.deepEqual(verdict.settings, DEFAULT_SETTINGS);
      assert.equal(outcomeOf(verdict, name), "rejected");
      assert.deepEqual(
        verdict.findings.map((finding) => [finding.configurationName, finding.errorType]),
        [[name, "TypeMismatch"]],
      );
      assert.match(verdict.findings[0]?.message ?? "", message);
    });
  }

  it("keeps everything when the configuration object is no object", () => {
    const inForce = evaluate(wrapped({ snapshotFrequency: "PT1H" })).settings;
    for (const wrong of ["text", 5, true, []]) {
      const verdict = evaluate(wrong, inForce);
      assert.deepEqual(verdict.settings, inForce);
      assert.ok(verdict.properties.every((property) => property.outcome === "rejected"));
      assert.equal(verdict.findings[0]?.configurationName, CLASSIC_OBJECT_NAME);
    }
  });

  it("finds a message size that wastes part of a metering unit, and applies it", () => {
    const verdict = evaluate(wrapped({ maxMessageSizeInBytes: 10_000 }));
    assert.equal(verdict.settings.maxMessageBytes, 10_000);
    assert.equal(verdict.findings[0]?.errorType, "NotOptimal");
    assert.match(verdict.findings[0]?.message ?? "", /use 8192 or 12288/);
  });

  it("finds a cache smaller than a message, and applies both", () => {
    const verdict = evaluate(wrapped({ maxLocalCacheSizeInBytes: 8_192 }));
    assert.equal(verdict.settings.maxCacheBytes, 8_192);
    assert.deepEqual(
      verdict.findings.map((finding) => [finding.configurationName, finding.errorType]),
      [["maxLocalCacheSizeInBytes", "Conflict"]],
    );
  });

  it("finds a high priority interval longer than the low one, and applies both", () => {
    const verdict = evaluate(wrapped({ highPriorityMessageFrequency: "PT6H" }));
    assert.equal(verdict.settings.highPriorityIntervalMs, 21_600_000);
    assert.equal(verdict.findings[0]?.errorType, "Conflict");
    assert.match(verdict.findings[0]?.message ?? "", /PT6H is longer than .*PT5H; both apply/);
  });
});

describe("the one key of the C agent for three operational events", () => {
  it("stands for all three", () => {
    const verdict = evaluate(wrapped({ eventPriorityOperational: "High" }));
    const { ConfigurationError, DroppedEventsStatistics, MessageStatistics } =
      verdict.settings.eventPriority;
    assert.deepEqual(
      [ConfigurationError, DroppedEventsStatistics, MessageStatistics],
      ["High", "High", "High"],
    );
    assert.deepEqual(dialect.report(verdict.settings, verdict)["eventPriorityOperational"], {
      value: "High",
    });
  });

  it("gives way to a key of its own, even a bad one, and is then not reported", () => {
    const verdict = evaluate(
      wrapped({ eventPriorityOperational: "High", eventPriorityMessageStatistics: "off" }),
    );
    assert.equal(verdict.settings.eventPriority.MessageStatistics, "Low");
    assert.equal(verdict.settings.eventPriority.ConfigurationError, "High");
    assert.equal(outcomeOf(verdict, "eventPriorityMessageStatistics"), "rejected");
    const reported = dialect.report(verdict.settings, verdict);
    assert.equal(Object.hasOwn(reported, "eventPriorityOperational"), false);
  });

  it("keeps the three in force and is one finding when it is bad", () => {
    const inForce = evaluate(wrapped({ eventPriorityOperational: "Off" })).settings;
    const verdict = evaluate(wrapped({ eventPriorityOperational: "off" }), inForce);
    assert.equal(verdict.settings.eventPriority.ConfigurationError, "Off");
    assert.deepEqual(
      verdict.findings.map((finding) => finding.configurationName),
      ["eventPriorityOperational"],
    );
  });
});

describe("keys beyond the schema", () => {
  it("of the classic agents are unsupported, not errors", () => {
    const verdict = evaluate(wrapped({ hubResourceId: "x", hubResourceID: "y" }));
    assert.deepEqual(verdict.unsupported, ["hubResourceId"]);
    assert.deepEqual(verdict.unknown, [{ name: "hubResourceID", suggestion: "hubResourceId" }]);
    assert.deepEqual(verdict.findings, []);
  });

  it("are unknown otherwise, with the name that was probably meant", () => {
    const verdict = evaluate({
      snapshotFrequenzy: { value: "PT1H" },
      "cölour\u001b[31m": 1,
      snapshotFrequency: { value: "PT1H", valeu: 1 },
    });
    assert.deepEqual(verdict.unknown, [
      { name: "snapshotFrequenzy", suggestion: "snapshotFrequency" },
      { name: "c?lour?[31m" },
      { name: "snapshotFrequency.valeu", suggestion: "value" },
    ]);
    assert.deepEqual(verdict.findings, []);
  });

  it("never become more than 64", () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`key${at}`, 1]));
    assert.equal(evaluate(many).unknown.length, 64);
  });
});

describe("keys of the OS baseline", () => {
  const desired = {
    baselineCustomChecksEnabled: true,
    baselineCustomChecksFilePath: "/etc/gatewarden/checks.json",
    baselineCustomChecksFileHash: "a0".repeat(32),
    baselineGroupsDisabled: "Time Synchronization, cron",
    baselineWaivers: "5.2.4 2026-12-31 the vendor needs it",
  };

  it("are applied, and reported only where they are set", () => {
    const verdict = evaluate(wrapped(desired));
    assert.deepEqual(verdict.findings, []);
    assert.equal(verdict.settings.baseline.customChecksFilePath, "/etc/gatewarden/checks.json");
    assert.equal(verdict.settings.baseline.groupsDisabled, "Time Synchronization, cron");
    const reported = dialect.report(verdict.settings, verdict);
    assert.deepEqual(reported["baselineCustomChecksEnabled"], { value: true });
    assert.equal(Object.hasOwn(reported, "baselineReport"), false);
    assert.equal(outcomeOf(verdict, "baselineReport"), undefined);
    const plain = evaluate(wrapped({ baselineReport: "Changes" }));
    assert.deepEqual(dialect.report(plain.settings, plain)["baselineReport"], { value: "Changes" });
  });

  it("are rejected where they could do harm, and the others apply", () => {
    const verdict = evaluate(
      wrapped({
        ...desired,
        baselineCustomChecksFilePath: "checks.json",
        baselineCustomChecksFileHash: "a0",
        baselineWaivers: 'a "quoted" reason',
      }),
    );
    assert.deepEqual(
      verdict.properties.filter(({ outcome }) => outcome === "rejected").map(({ name }) => name),
      ["baselineWaivers", "baselineCustomChecksFilePath", "baselineCustomChecksFileHash"],
    );
    assert.equal(verdict.settings.baseline.customChecksEnabled, true);
  });

  it("that are long are reported by their beginning", () => {
    const verdict = evaluate(wrapped({ baselineWaivers: `1.1 2026-12-31 ${"x".repeat(1_000)}` }));
    const { value } = dialect.report(verdict.settings, verdict)["baselineWaivers"] as JsonObject;
    assert.match(String(value), /^1\.1 2026-12-31 x+\.\.\.$/);
    assert.equal(String(value).length, 131);
  });
});

describe("any desired document", () => {
  it("is judged without a throw, within bounds, and completely", () => {
    fc.assert(
      fc.property(hostileDesired, (desired) => {
        const verdict = dialect.evaluate(desired, DEFAULT_SETTINGS);
        assert.ok(verdict.findings.length <= 64);
        assert.ok(verdict.unknown.length <= 64);
        assert.ok(verdict.properties.length >= 25);
        assert.deepEqual(leavesOf(verdict.settings), leavesOf(DEFAULT_SETTINGS));
        for (const property of verdict.properties) {
          assert.match(property.reason ?? "", /^[\x20-\x7e]{0,110}$/);
          assert.equal(property.reason === undefined, property.outcome !== "rejected");
        }
      }),
      { numRuns: 400 },
    );
  });

  it("may be nested so deep that recursion would fail", () => {
    let deep: JsonValue = 1;
    for (let level = 0; level < 200_000; level += 1) deep = { value: deep };
    const verdict = evaluate({ snapshotFrequency: deep, maxMessageSizeInBytes: { value: deep } });
    assert.equal(verdict.findings.length, 2);
  });

  it("has each good property applied whatever the others are", () => {
    let applied = 0;
    fc.assert(
      fc.property(samples, (all) => {
        const verdict = evaluate(configurationOf(all));
        const reported = dialect.report(verdict.settings);
        const before = dialect.report(DEFAULT_SETTINGS);
        for (const { name, wire, isGood } of all) {
          assert.equal(outcomeOf(verdict, name), isGood ? "applied" : "rejected", name);
          // Keys that the published twin does not have are not reported at their defaults.
          const standing = isJsonObject(wire) && wire["value"] === defaultOf(name);
          const isShown = before[name] !== undefined || !standing;
          if (isShown) assert.deepEqual(reported[name], isGood ? wire : before[name], name);
          if (isGood) applied += 1;
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(applied > 300);
  });

  it("judged again changes nothing more", () => {
    fc.assert(
      fc.property(samples, samples, (earlier, later) => {
        const start = evaluate(configurationOf(earlier)).settings;
        const first = evaluate(configurationOf(later), start);
        assert.deepEqual(evaluate(configurationOf(later), first.settings), first);
      }),
      { numRuns: 100 },
    );
  });
});

describe("the local settings", () => {
  it("are taken bare and wrapped, and cost only themselves when bad", () => {
    const local = readLocalSettings({
      snapshotFrequency: "PT1H",
      eventPriorityLogin: { value: "Low" },
      maxMessageSizeInBytes: "big",
      snapshotFrequenc: "PT1H",
    });
    assert.equal(local.settings.snapshotIntervalMs, 3_600_000);
    assert.equal(local.settings.eventPriority.Login, "Low");
    assert.equal(local.settings.maxMessageBytes, DEFAULT_SETTINGS.maxMessageBytes);
    assert.deepEqual(
      local.findings.map((finding) => finding.configurationName),
      ["settings.maxMessageSizeInBytes"],
    );
    assert.equal(local.unknown[0]?.suggestion, "snapshotFrequency");
  });
});
