/** The same questions for every collector in the list. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Ajv, type ValidateFunction } from "ajv";
import formats from "ajv-formats";
import { COLLECTORS } from "../../collectors/index.ts";
import type { Collector, Snapshot } from "../../src/contract/collector.ts";
import { EVENT_KINDS, type EventName } from "../../src/contract/event.ts";
import { check, describeFault } from "../../src/contract/schema.ts";
import { createProbe } from "../../src/system/probe.ts";
import {
  casesOf,
  contextOf,
  countingProbe,
  PROJECT_ROOT,
  probeOf,
  runCase,
  SNAPSHOT_COLLECTORS,
  type SnapshotCollectorInList,
  settingsOf,
} from "./case-run.ts";

const emptyRoot = mkdtempSync(join(tmpdir(), "gatewarden-empty-root-"));
after(() => rmSync(emptyRoot, { recursive: true, force: true }));

/** Collectors that look at the machine, as against those that report on the agent. */
const LOOKING = SNAPSHOT_COLLECTORS.filter((collector) => casesOf(collector).length > 0);

describe("the list of collectors", () => {
  it("names every folder once, in order", () => {
    const folders = readdirSync(join(PROJECT_ROOT, "collectors"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
    assert.deepEqual(
      COLLECTORS.map((collector) => collector.name),
      folders,
    );
  });

  it("has one collector per event name at most", () => {
    const names = COLLECTORS.map((collector) => collector.eventName);
    assert.equal(new Set(names).size, names.length);
  });
});

/** Order of the README's parts. Source: conventions, section 8. */
const README_PARTS = [
  /^# /m,
  /^## A real event$/m,
  /^## Settings$/m,
  /^<!-- generated:settings -->$/m,
  /^## Fields$/m,
  /^<!-- generated:fields -->$/m,
  /^## Privileges$/m,
  /^## Cost$/m,
  /^## Blind spots$/m,
  /^## Sources$/m,
];

function readmeOf(collector: Collector): string {
  return readFileSync(join(PROJECT_ROOT, "collectors", collector.name, "README.md"), "utf8");
}

for (const collector of COLLECTORS) {
  describe(`the declaration of ${collector.name}`, () => {
    it("says in one sentence what it reports, and where that is specified", () => {
      assert.match(collector.summary, /^[A-Z][^\n]{20,}\.$/);
      assert.ok(collector.sources.length > 0);
      assert.ok(collector.sources.every((source) => source.trim() !== ""));
    });

    it("has a README with all parts in order", () => {
      const readme = readmeOf(collector);
      const places = README_PARTS.map((part) => readme.search(part));
      assert.ok(
        places.every((place) => place >= 0),
        `missing: ${README_PARTS[places.indexOf(-1)]}`,
      );
      assert.deepEqual(
        places,
        [...places].sort((a, b) => a - b),
      );
    });

    it("documents every setting and every field", () => {
      const undocumented = [collector.settings, collector.payload].flatMap((schema) =>
        Object.entries(schema.fields ?? {}).flatMap(([name, field]) => [
          ...(field.doc === "" && field.fields === undefined ? [name] : []),
          ...Object.entries(field.fields ?? {})
            .filter(([, inner]) => inner.doc === "")
            .map(([inner]) => `${name}.${inner}`),
        ]),
      );
      assert.deepEqual(undocumented, []);
    });

    it("has defaults for all settings that are no fault", () => {
      assert.deepEqual(check(collector.settings, {}), []);
    });

    it("shows an event in its README that conforms to its schema", () => {
      const text = /```json\n([\s\S]*?)```/.exec(readmeOf(collector))?.[1] ?? "";
      const event = JSON.parse(text) as { Name: string; Payload: readonly unknown[] };
      assert.equal(event.Name, collector.eventName);
      assert.ok(event.Payload.length > 0);
      assert.deepEqual(faultsOf(collector, event.Payload), []);
    });
  });
}

function faultsOf(collector: Collector, items: readonly unknown[]): readonly string[] {
  return items.flatMap((item) => check(collector.payload, item).map(describeFault));
}

async function caseSnapshots(collector: SnapshotCollectorInList): Promise<readonly Snapshot[]> {
  return Promise.all(casesOf(collector).map(runCase));
}

for (const collector of LOOKING) {
  describe(`what ${collector.name} hands over`, () => {
    it("conforms to its own schema in every case", async () => {
      const items = (await caseSnapshots(collector)).flatMap((snapshot) =>
        snapshot.events.flatMap((event) => event.payload),
      );
      assert.ok(items.length > 0);
      assert.deepEqual(faultsOf(collector, items), []);
    });

    it("carries the event name it declares and details that are all text", async () => {
      for (const { events } of await caseSnapshots(collector)) {
        for (const event of events) {
          assert.equal(event.name, collector.eventName);
          for (const item of event.payload) {
            const details = Object.values((item["ExtraDetails"] as object | undefined) ?? {});
            assert.ok(details.every((detail) => typeof detail === "string"));
          }
        }
      }
    });

    it("never says nothing at all: there is an event or a problem", async () => {
      for (const { events, problems } of await caseSnapshots(collector)) {
        assert.ok(events.length + problems.length > 0);
      }
    });

    it("declares what it needs and what is lost without it", () => {
      assert.ok(collector.needs.length > 0);
      assert.ok(collector.needs.every((need) => need.what !== "" && need.lostWithout !== ""));
    });
  });

  describe(`how ${collector.name} behaves`, () => {
    it("does not throw on an empty root, and does not call it unreadable", async () => {
      const probe = createProbe({ root: emptyRoot });
      const snapshot = await collector.collect(contextOf(probe, settingsOf(collector, {})));
      assert.ok(snapshot.events.length + snapshot.problems.length > 0);
      assert.deepEqual(
        snapshot.problems.filter((problem) => problem.code === "not-permitted"),
        [],
      );
      assert.ok(snapshot.events.every((event) => event.payload.length === 0));
    });

    it("reads nothing once its signal has aborted, and hands over no half truth", async () => {
      const [first] = casesOf(collector);
      assert.ok(first !== undefined);
      const { probe, calls } = countingProbe(probeOf(first));
      const signal = AbortSignal.abort();
      const snapshot = await collector.collect(
        contextOf(probe, settingsOf(collector, {}), { signal }),
      );
      assert.deepEqual(snapshot.events, []);
      assert.deepEqual(
        snapshot.problems.map((problem) => problem.code),
        ["timed-out"],
      );
      assert.equal(calls(), 0);
    });

    it("reports the same whatever was looked at before", async () => {
      const all = casesOf(collector);
      const alone = await Promise.all(all.map(runCase));
      const inTurn: Snapshot[] = [];
      for (const one of [...all].reverse()) inTurn.unshift(await runCase(one));
      assert.deepEqual(inTurn, alone);
    });
  });
}

const schemaFolder = join(PROJECT_ROOT, "..", "shared", "reference", "security-message-schemas");

/** The published validator, or undefined where the published schemas are not at hand. */
function publishedValidator(): ValidateFunction | undefined {
  if (!existsSync(schemaFolder)) return undefined;
  // The published schemas carry keywords of their own, so unknown ones must not stop the compiler.
  const ajv = new Ajv({ strict: false, allErrors: true });
  formats.default(ajv);
  for (const file of readdirSync(schemaFolder).filter((name) => name.endsWith(".json"))) {
    ajv.addSchema(JSON.parse(readFileSync(join(schemaFolder, file), "utf8")) as object);
  }
  return ajv.getSchema("messageRoot.json");
}

function messageOf(name: EventName, payload: readonly unknown[]): object {
  const { category, eventType } = EVENT_KINDS[name];
  const event = {
    Id: "00000000-0000-4000-8000-000000000001",
    TimestampLocal: "2026-01-15T13:00:00+01:00",
    TimestampUTC: "2026-01-15T12:00:00Z",
    Category: category,
    Name: name,
    EventType: eventType,
    IsEmpty: payload.length === 0,
    PayloadSchemaVersion: "1.0",
    Payload: payload,
  };
  return {
    AgentVersion: "0.1.0",
    AgentId: "00000000-0000-4000-8000-00000000a9e7",
    MessageSchemaVersion: "1.0",
    Events: [event],
  };
}

describe("the published security message schemas", () => {
  const validate = publishedValidator();
  const skip = validate === undefined ? "the published schemas are not on this machine" : false;

  for (const collector of LOOKING) {
    it(`accept every event of ${collector.name}`, { skip }, async () => {
      assert.ok(validate !== undefined);
      let events = 0;
      for (const snapshot of await caseSnapshots(collector)) {
        for (const event of snapshot.events) {
          events += 1;
          const isValid = validate(messageOf(event.name, event.payload));
          assert.ok(isValid, JSON.stringify(validate.errors?.slice(0, 3)));
        }
      }
      assert.ok(events > 0);
    });
  }

  it("accept the event shown in each README", { skip }, () => {
    assert.ok(validate !== undefined);
    for (const collector of COLLECTORS) {
      const text = /```json\n([\s\S]*?)```/.exec(readmeOf(collector))?.[1] ?? "";
      const shown = JSON.parse(text) as { Payload: readonly unknown[] };
      assert.ok(validate(messageOf(collector.eventName, shown.Payload)), collector.name);
    }
  });

  it("refuse an event with a field of its own, so that the test above can fail", { skip }, () => {
    assert.ok(validate !== undefined);
    const item = { Protocol: "tcp", LocalPort: "22", Extra: "x" };
    assert.equal(validate(messageOf("ListeningPorts", [item])), false);
  });
});
