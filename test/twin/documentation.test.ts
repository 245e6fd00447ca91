/** The documents of twin and configuration hold what the code declares, and their examples work. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { configTable } from "../../src/config/config-docs.ts";
import { readConfig } from "../../src/config/read-config.ts";
import { DEFAULT_SETTINGS } from "../../src/contract/settings.ts";
import { readSecurityGroups } from "../../src/posture/alerts/read-security-group.ts";
import { prepareRules } from "../../src/posture/alerts/ruleset.ts";
import { createClassicDialect } from "../../src/twin/classic-dialect.ts";
import { lintTwin } from "../../src/twin/lint.ts";
import { readLocalSettings } from "../../src/twin/local-settings.ts";
import { sampleTwin, twinTable } from "../../src/twin/twin-docs.ts";

function document(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
}

function examplesOf(text: string): readonly string[] {
  return [...text.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
}

describe("the documentation", () => {
  it("lists every property of the twin and every key of the configuration", () => {
    assert.ok(document("twin.md").includes(twinTable()), "run npm run docs");
    assert.ok(document("configuration.md").includes(configTable()), "run npm run docs");
  });

  it("shows configurations that are accepted without a word", () => {
    const examples = examplesOf(document("configuration.md"));
    assert.ok(examples.length >= 6);
    for (const example of examples) {
      const { config, faults, warnings } = readConfig(example, {});
      assert.deepEqual([faults, warnings], [[], []], example);
      const local = readLocalSettings(config.settings);
      assert.deepEqual([local.findings, local.unknown], [[], []], example);
    }
  });

  it("shows a twin that has nothing wrong with it", () => {
    const [first = ""] = examplesOf(document("twin.md"));
    assert.deepEqual(lintTwin(first).findings, []);
    assert.deepEqual(lintTwin(JSON.stringify(sampleTwin())).findings, []);
  });

  it("shows rules of custom alerts that load", () => {
    const [example = ""] = examplesOf(document("posture.md"));
    assert.deepEqual(lintTwin(example).findings, []);
    const dialect = createClassicDialect(DEFAULT_SETTINGS);
    const { desired } = JSON.parse(example).properties;
    const { documents } = dialect.evaluate(desired, DEFAULT_SETTINGS);
    const reading = readSecurityGroups(documents["deviceSecurityGroups"] ?? null);
    assert.ok(reading.ok);
    assert.equal(prepareRules(reading.groups[0] ?? assert.fail()).rules.length, 2);
  });
});
