/** The baseline on Debian 12 and 13 as they are made, hardened, and with one setting flipped at a time. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { createDevice } from "../../src/baseline/device.ts";
import { judgeRule } from "../../src/baseline/judge-rule.ts";
import type { Outcome, Verdict } from "../../src/baseline/outcome.ts";
import { RULES } from "../../src/baseline/rules/index.ts";
import type { Probe } from "../../src/contract/probe.ts";
import { createProbe } from "../../src/system/probe.ts";
import { changedRoot } from "../baseline/changed-root.ts";
import {
  type DebianRoots,
  debianRoots,
  type Release,
  whyNoRoots,
} from "../baseline/debian-root.ts";
import { FLIPS } from "../baseline/flips.ts";

/** After the roots were made: dates of passwords must not lie ahead. */
const NOW_MS = Date.now();

function judgeAll(probe: Probe): ReadonlyMap<string, Outcome> {
  const device = createDevice(probe, NOW_MS);
  return new Map(RULES.map((rule) => [rule.id, judgeRule(rule, device)]));
}

function count(outcomes: ReadonlyMap<string, Outcome>, verdict: Verdict): number {
  return [...outcomes.values()].filter((outcome) => outcome.verdict === verdict).length;
}

function suite(release: Release): void {
  const skip = whyNoRoots();
  describe(`the baseline on ${release}`, { skip }, () => {
    let roots: DebianRoots;
    let hardened: Probe;
    let asHardened: ReadonlyMap<string, Outcome>;
    before(() => {
      roots = debianRoots(release);
      hardened = createProbe({ root: roots.hardened });
      asHardened = judgeAll(hardened);
    });

    it("fails on much of what a release is made with", (test) => {
      const outcomes = judgeAll(createProbe({ root: roots.plain }));
      const told = ["pass", "fail", "not-applicable", "manual", "error"] as const;
      test.diagnostic(told.map((one) => `${one} ${count(outcomes, one)}`).join(", "));
      assert.ok(count(outcomes, "fail") > 50);
      assert.equal(count(outcomes, "error"), 0);
    });

    it("passes every level-1 rule that is applicable and automated on the hardened one", (test) => {
      const told = ["pass", "fail", "not-applicable", "manual", "error"] as const;
      test.diagnostic(told.map((one) => `${one} ${count(asHardened, one)}`).join(", "));
      const wrong = RULES.filter((rule) => rule.level === 1).flatMap((rule) => {
        const outcome = asHardened.get(rule.id);
        const isGood = outcome?.verdict !== "fail" && outcome?.verdict !== "error";
        return isGood ? [] : [`${rule.id} ${rule.title}: ${JSON.stringify(outcome)}`];
      });
      assert.deepEqual(wrong, []);
      assert.ok(count(asHardened, "pass") > 120);
    });

    for (const flip of FLIPS) {
      it(`notices: ${flip.what}`, () => {
        const after = judgeAll(changedRoot(hardened, flip.changes));
        const changed = RULES.filter(
          ({ id }) => after.get(id)?.verdict !== asHardened.get(id)?.verdict,
        ).map(({ id }) => id);
        assert.deepEqual(changed, [...flip.breaks].sort());
        for (const id of flip.breaks) assert.equal(after.get(id)?.verdict, "fail");
      });
    }
  });
}

suite("bookworm");
suite("trixie");
