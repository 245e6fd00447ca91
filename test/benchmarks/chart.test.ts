import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ChartPlan, Measurement } from "../../benchmarks/benchmark.ts";
import { drawChart } from "../../benchmarks/chart/draw-chart.ts";
import { linearScale, logScale, spreadApart } from "../../benchmarks/chart/scale.ts";
import { absolute } from "../../benchmarks/figures.ts";

const PLAN: ChartPlan = {
  ...{ id: "made-up", title: "a < b & c", kind: "curves", xLabel: "sockets", yLabel: "time" },
};

function points(line: string, values: readonly number[]): readonly Measurement[] {
  return values.map((value, at) =>
    absolute({
      name: `${line} ${at}`,
      unit: "ms",
      values: [value],
      command: "made up",
      point: { chart: "made-up", line, x: 10 ** (at + 1) },
    }),
  );
}

describe("a chart", () => {
  const figures = [...points("ours", [0.3, 0, 30]), ...points('"theirs"', [5, 6, 7])];

  it("has a line for each name, a dot for each figure, and text that is escaped", () => {
    const svg = drawChart(PLAN, figures, "a machine") ?? "";
    assert.equal(svg.match(/<polyline/g)?.length, 2);
    assert.equal(svg.match(/<circle/g)?.length, 6);
    assert.match(svg, /a &lt; b &amp; c/);
    assert.match(svg, /&quot;theirs&quot;/);
    assert.match(svg, /prefers-color-scheme:dark/);
  });

  it("has no place that is not a number, a value of zero included", () => {
    for (const kind of ["curves", "bars"] as const) {
      const svg = drawChart({ ...PLAN, kind }, figures, "") ?? "NaN";
      assert.doesNotMatch(svg, /NaN|Infinity/);
    }
  });

  it("is not drawn without figures of its own", () => {
    assert.equal(drawChart({ ...PLAN, id: "another" }, figures, ""), undefined);
  });
});

describe("axes", () => {
  it("put powers of ten at even distances", () => {
    const { at, ticks } = logScale([10, 10_000], { from: 0, to: 300 });
    assert.deepEqual(ticks, [10, 100, 1_000, 10_000]);
    assert.ok(Math.abs(at(100) - at(10) - (at(10_000) - at(1_000))) < 1e-9);
  });

  it("start at zero with round ticks", () => {
    assert.deepEqual(linearScale(87, { from: 0, to: 100 }).ticks, [0, 20, 40, 60, 80]);
  });

  it("move labels apart and keep their order", () => {
    const [first = 0, second = 0, third = 0] = spreadApart([10, 11, 50], 14);
    assert.ok(second - first >= 13.9 && third > second);
  });
});
