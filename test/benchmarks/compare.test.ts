import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Figure, Measurement } from "../../benchmarks/benchmark.ts";
import { bestOf, compareRatios } from "../../benchmarks/report/compare.ts";

function figure(name: string, median: number, change: Partial<Measurement> = {}): Measurement {
  const same = { unit: "×", repetitions: 5, command: "made up", kind: "ratio" } as const;
  return {
    ...same,
    name,
    median,
    low: median,
    high: median,
    better: "lower",
    isChecked: true,
    ...change,
  };
}

function section(...figures: readonly Figure[]): { name: string; figures: readonly Figure[] }[] {
  return [{ name: "made-up", figures }];
}

function namesWorse(recorded: Measurement, now: Measurement): readonly string[] {
  return compareRatios(section(recorded), section(now)).worse.map(({ name }) => name);
}

describe("the comparison of ratios with the recorded ones", () => {
  it("names a ratio that grew by more than 15 % where lower is better, with both figures", () => {
    const { worse } = compareRatios(section(figure("memory", 1.2)), section(figure("memory", 1.4)));
    assert.equal(worse.length, 1);
    assert.deepEqual(
      worse.map(({ benchmark, name, recorded, now }) => [
        benchmark,
        name,
        recorded.median,
        now.median,
      ]),
      [["made-up", "memory", 1.2, 1.4]],
    );
  });

  it("lets 14 % pass and names 16 %, in both senses", () => {
    assert.deepEqual(namesWorse(figure("memory", 1), figure("memory", 1.14)), []);
    assert.deepEqual(namesWorse(figure("memory", 1), figure("memory", 1.16)), ["memory"]);
    const faster = { better: "higher" } as const;
    assert.deepEqual(namesWorse(figure("speed", 1.14, faster), figure("speed", 1, faster)), []);
    assert.deepEqual(namesWorse(figure("speed", 1.16, faster), figure("speed", 1, faster)), [
      "speed",
    ]);
  });

  it("calls it better, not worse, when it changes in the good sense", () => {
    const faster = { better: "higher" } as const;
    const now = section(figure("memory", 0.5), figure("speed", 9, faster));
    const { worse, better } = compareRatios(
      section(figure("memory", 1), figure("speed", 3, faster)),
      now,
    );
    assert.deepEqual(worse, []);
    assert.deepEqual(
      better.map(({ name }) => name),
      ["memory", "speed"],
    );
  });

  it("tells recorded ratios that are missing now, and new ones that were never recorded", () => {
    const { missing, added, worse, same } = compareRatios(
      section(figure("gone", 1), figure("kept", 1)),
      section(figure("kept", 1), figure("fresh", 40)),
    );
    assert.deepEqual(missing, [{ benchmark: "made-up", name: "gone" }]);
    assert.deepEqual(added, [{ benchmark: "made-up", name: "fresh" }]);
    assert.deepEqual(worse, []);
    assert.deepEqual(
      same.map(({ name }) => name),
      ["kept"],
    );
  });

  it("tells figures of the same name apart by their benchmark", () => {
    const before = [
      ...section(figure("memory", 1)),
      { name: "other", figures: [figure("memory", 5)] },
    ];
    const { worse, same } = compareRatios(before, before);
    assert.deepEqual(worse, []);
    assert.equal(same.length, 2);
  });

  it("leaves absolute figures, unchecked ratios and notes alone", () => {
    const before = section(
      figure("time", 1, { kind: "absolute", unit: "ms" }),
      figure("noisy", 1, { isChecked: false }),
      { what: "skipped", value: "-", how: "not here" },
    );
    const { worse, better, same, missing, added } = compareRatios(before, section());
    assert.deepEqual([worse, better, same, missing, added], [[], [], [], [], []]);
  });

  it("takes a figure that is no number, or zero, for worse", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 0]) {
      assert.deepEqual(namesWorse(figure("memory", 1), figure("memory", value)), ["memory"]);
    }
    assert.deepEqual(
      namesWorse(
        figure("speed", 3, { better: "higher" }),
        figure("speed", Number.NaN, { better: "higher" }),
      ),
      ["speed"],
    );
  });
});

describe("a repeated measurement", () => {
  it("keeps the better value of each ratio, in its own sense", () => {
    const faster = { better: "higher" } as const;
    const best = bestOf(
      section(figure("memory", 2), figure("speed", 3, faster), figure("once", 7)),
      section(figure("memory", 1), figure("speed", 2, faster)),
    );
    const medians = best.flatMap(({ figures }) =>
      figures.flatMap((one) => ("median" in one ? [[one.name, one.median]] : [])),
    );
    assert.deepEqual(medians, [
      ["memory", 1],
      ["speed", 3],
      ["once", 7],
    ]);
  });

  it("still blames a ratio that stayed worse", () => {
    const recorded = section(figure("memory", 1));
    const now = bestOf(section(figure("memory", 2)), section(figure("memory", 1.5)));
    assert.deepEqual(
      compareRatios(recorded, now).worse.map((pair) => pair.now.median),
      [1.5],
    );
  });
});
