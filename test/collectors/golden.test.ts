import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { Snapshot } from "../../src/contract/collector.ts";
import {
  casesOf,
  contextOf,
  countingProbe,
  expectedPath,
  mayBeEmpty,
  probeOf,
  runCase,
  SNAPSHOT_COLLECTORS,
  settingsOf,
} from "./case-run.ts";

function itemCount(snapshot: Snapshot): number {
  return snapshot.events.reduce((sum, event) => sum + event.payload.length, 0);
}

/** Conventions, section 8: what every collector that reads the machine is tried on. */
const REQUIRED = [
  "busy or captured",
  "empty",
  "no-permission",
  "hostile",
  "second system",
] as const;

function kindsOf(names: readonly string[]): ReadonlySet<(typeof REQUIRED)[number]> {
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  const kinds = new Set<(typeof REQUIRED)[number]>();
  if (has(/captured|busy/)) kinds.add("busy or captured");
  if (has(/^empty/)) kinds.add("empty");
  if (has(/^no-permission/)) kinds.add("no-permission");
  if (has(/^hostile/)) kinds.add("hostile");
  if (has(/alpine|raspberry|yocto/)) kinds.add("second system");
  return kinds;
}

for (const collector of SNAPSHOT_COLLECTORS) {
  const cases = casesOf(collector);
  if (cases.length === 0) continue;
  describe(`golden cases of ${collector.name}`, () => {
    it("cover what the conventions ask for", () => {
      const kinds = kindsOf(cases.map((one) => one.name));
      assert.deepEqual(
        REQUIRED.filter((kind) => !kinds.has(kind)),
        [],
      );
    });

    for (const one of cases) {
      it(`${one.name} yields what was reviewed`, async () => {
        const expected = JSON.parse(readFileSync(expectedPath(one), "utf8")) as Snapshot;
        const found = await runCase(one);
        assert.deepEqual(found, expected);
        if (!mayBeEmpty(one.name)) assert.ok(itemCount(found) >= 1, "nothing was reported");
      });

      it(`${one.name} yields the same bytes twice`, async () => {
        assert.equal(JSON.stringify(await runCase(one)), JSON.stringify(await runCase(one)));
      });
    }
  });
}

describe("golden cases", () => {
  it("exist for every collector that reads the machine", async () => {
    const without: string[] = [];
    for (const collector of SNAPSHOT_COLLECTORS) {
      if (casesOf(collector).length > 0) continue;
      const anyCase = SNAPSHOT_COLLECTORS.flatMap(casesOf)[0];
      assert.ok(anyCase !== undefined);
      const { probe, calls } = countingProbe(probeOf(anyCase));
      await collector.collect(contextOf(probe, settingsOf(collector, {})));
      if (calls() > 0) without.push(collector.name);
    }
    assert.deepEqual(without, []);
  });
});
