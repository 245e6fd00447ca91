/** The table of the official lists is whole, and the tests that it names exist and are about the row. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { officialRows } from "../../build/docs/official-rows.ts";
import { CATALOGUE } from "../../src/posture/alerts/catalogue.ts";
import { DEVICE_MEASURES } from "../../src/posture/alerts/device-measures.ts";
import { HUB_MEASURES } from "../../src/posture/alerts/hub-measures.ts";
import { readSecurityGroups } from "../../src/posture/alerts/read-security-group.ts";
import { prepareRules } from "../../src/posture/alerts/ruleset.ts";
import { readDeviceFacts } from "../../src/posture/fleet/device-facts.ts";
import { readFleetRecord } from "../../src/posture/fleet/read-record.ts";

const root = new URL("../../", import.meta.url);

describe("the official lists", () => {
  const rows = officialRows();

  it("have 8 and 9 recommendations and 19 custom alerts, each once", () => {
    const counts = new Map<string, number>();
    for (const { list } of rows) counts.set(list, (counts.get(list) ?? 0) + 1);
    assert.deepEqual([...counts.values()], [8, 9, 19]);
    assert.equal(new Set(rows.map((row) => row.type)).size, 36);
  });

  it("say of each row the rule, the source and the place", () => {
    for (const { type, rule, source, place } of rows) {
      for (const text of [rule, source, place]) assert.ok(text.length > 5, type);
    }
  });

  it("name tests that exist, and one for every row", () => {
    for (const { type, tests } of rows) {
      for (const path of tests) {
        const file = new URL(path, root);
        assert.ok(existsSync(file), `${type}: ${path}`);
        assert.ok(readFileSync(file, "utf8").includes("it("), path);
      }
      assert.ok(tests.length > 0, `${type} names no test`);
    }
  });

  it("are in the document", () => {
    const document = readFileSync(new URL("docs/official-rows.md", root), "utf8");
    for (const { type } of rows) assert.ok(document.includes(`\`${type}\``), type);
  });
});

describe("the page on rules over the data of a hub", () => {
  const page = readFileSync(new URL("docs/analyze-rules.md", root), "utf8");
  const [notices, devices, group] = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) =>
    JSON.parse(match[1] ?? ""),
  );

  it("names every rule, and says of templates and queries that they were not run", () => {
    for (const { ruleType, isListed } of CATALOGUE) {
      assert.ok(!isListed || page.includes(`\`${ruleType}\``), ruleType);
    }
    for (const [, block = ""] of page.matchAll(/```(?:bicep|sh)\n([\s\S]*?)```/g)) {
      assert.match(block.split("\n")[0] ?? "", /Not run against Azure/);
    }
  });

  it("shows records, a list of devices and a group that are read", () => {
    const record = { source: "endpoint" as const, systemProperties: {}, properties: {} };
    const rules = {
      groupProperty: "SecurityGroup",
      protocolProperty: undefined,
      twinUpdates: "events" as const,
      queuePurges: "feedback" as const,
      agentEvents: new Set<string>(),
    };
    const reading = readFleetRecord(
      { ...record, body: notices, enqueuedAtMs: 0, sequenceNumber: 0 },
      rules,
    );
    assert.deepEqual([reading.happenings.length, reading.skipped], [2, []]);
    assert.equal(readDeviceFacts(devices)?.devices.get("gw-2")?.group, "edge");
    const read = readSecurityGroups(group);
    assert.ok(read.ok);
    const measures = [...HUB_MEASURES, ...DEVICE_MEASURES];
    assert.equal(prepareRules(read.groups[0] ?? assert.fail(), { measures }).rules.length, 3);
  });
});
