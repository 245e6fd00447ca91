import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { absolute, growth, growthExponent, ratio } from "../../benchmarks/figures.ts";
import { formatLimit, formatValue } from "../../benchmarks/report/format.ts";
import { mergeResults, type Section } from "../../benchmarks/report/results.ts";

describe("the growth exponent", () => {
  const curve = (power: number) =>
    [10, 100, 1_000, 10_000].map((size) => ({ size, value: 0.3 * size ** power }));

  it("is 1 for linear, 2 for quadratic and 0 for constant cost", () => {
    for (const power of [0, 1, 2]) {
      assert.ok(Math.abs((growthExponent(curve(power)) ?? Number.NaN) - power) < 1e-9);
    }
  });

  it("is not told of fewer than two sizes", () => {
    assert.equal(growthExponent([]), undefined);
    assert.equal(growthExponent([{ size: 10, value: 1 }]), undefined);
    assert.equal(
      growthExponent([
        { size: 10, value: 1 },
        { size: 10, value: 2 },
      ]),
      undefined,
    );
  });

  it("is told of the last step as well, which a fixed cost hides least", () => {
    const fixedAndQuadratic = [10, 100, 1_000].map((size) => ({ size, value: 1_000 + size ** 2 }));
    const [all, last] = growth("snapshot", "made up", fixedAndQuadratic);
    assert.ok((all?.median ?? 0) < 1.6);
    assert.ok((last?.median ?? 0) > 1.9);
    assert.match(formatLimit(last ?? absolute(NOTHING)) ?? "", /missed/);
  });
});

const NOTHING = { name: "", unit: "ms", values: [], command: "" } as const;

describe("figures", () => {
  it("divide medians, with the range that both sides allow", () => {
    const name = "ss / ours";
    const figure = ratio({ name, command: "", better: "higher", of: [9, 10, 12], to: [2, 1, 4] });
    assert.deepEqual([figure.median, figure.low, figure.high], [5, 2.25, 12]);
  });

  it("read well in their units", () => {
    assert.equal(formatValue(12_345_678, "bytes"), "12.3 MB");
    assert.equal(formatValue(0, "per hour"), "0 per hour");
    assert.equal(formatValue(0.0421, "ms"), "0.042 ms");
    assert.equal(formatValue(2_500, "ms"), "2.50 s");
  });

  it("say whether a promise is met, in its own sense", () => {
    const speed = { name: "", unit: "×", values: [4], command: "", limit: 5 } as const;
    assert.match(formatLimit(absolute({ ...speed, better: "higher" })) ?? "", /missed/);
    assert.match(formatLimit(absolute(speed)) ?? "", /: met/);
  });
});

describe("recorded results", () => {
  const section = (name: string, date: string): Section => ({
    ...{ name, date, question: "?", facts: [], mode: "full", charts: [], figures: [] },
  });

  it("keep the sections that were not measured, in the order of the page", () => {
    const recorded = {
      sections: [section("b", "old"), section("dropped", "old"), section("a", "old")],
    };
    const { sections } = mergeResults(
      recorded,
      [section("c", "new"), section("b", "new")],
      ["a", "b", "c"],
    );
    assert.deepEqual(
      sections.map(({ name, date }) => [name, date]),
      [
        ["a", "old"],
        ["b", "new"],
        ["c", "new"],
      ],
    );
  });
});
