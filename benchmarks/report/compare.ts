/** Ratios of this run against the recorded ones. */
import { type Figure, isMeasurement, type Measurement } from "../benchmark.ts";
import type { Section } from "./results.ts";

/** A ratio may get this much worse before it is named. */
export const TOLERANCE = 0.15;

export interface Compared {
  readonly benchmark: string;
  readonly name: string;
  readonly recorded: Measurement;
  readonly now: Measurement;
}

export interface Comparison {
  readonly worse: readonly Compared[];
  readonly better: readonly Compared[];
  readonly same: readonly Compared[];
  /** Recorded, but not measured now: such a figure could get worse unseen. */
  readonly missing: readonly { readonly benchmark: string; readonly name: string }[];
  /** Measured now, but never recorded. */
  readonly added: readonly { readonly benchmark: string; readonly name: string }[];
}

type Sections = readonly Pick<Section, "name" | "figures">[];

/** Compares the ratios with `isChecked` of both sides by benchmark and name. */
export function compareRatios(recorded: Sections, now: Sections): Comparison {
  const [before, after] = [ratiosOf(recorded), ratiosOf(now)];
  const both = [...before.values()].flatMap((old) => {
    const current = after.get(keyOf(old));
    if (current === undefined) return [];
    const { benchmark, figure } = old;
    return [{ benchmark, name: figure.name, recorded: figure, now: current.figure }];
  });
  const worse = both.filter((pair) => changeOf(pair) > 1 + TOLERANCE);
  const better = both.filter((pair) => changeOf(pair) < 1 / (1 + TOLERANCE));
  return {
    worse,
    better,
    same: both.filter((pair) => !worse.includes(pair) && !better.includes(pair)),
    missing: without(before, after),
    added: without(after, before),
  };
}

/** How many times as bad as recorded: above 1 is worse. A figure that is no number is as bad as can be. */
function changeOf({ recorded, now }: Compared): number {
  const change =
    recorded.better === "lower" ? now.median / recorded.median : recorded.median / now.median;
  return Number.isFinite(change) && now.median > 0 ? change : Number.POSITIVE_INFINITY;
}

interface Ratio {
  readonly benchmark: string;
  readonly figure: Measurement;
}

function keyOf({ benchmark, figure }: Ratio): string {
  return `${benchmark}\n${figure.name}`;
}

function ratiosOf(sections: Sections): ReadonlyMap<string, Ratio> {
  const isChecked = (figure: Figure): figure is Measurement =>
    isMeasurement(figure) && figure.kind === "ratio" && figure.isChecked === true;
  const ratios = sections.flatMap(({ name, figures }) =>
    figures.filter(isChecked).map((figure) => ({ benchmark: name, figure })),
  );
  return new Map(ratios.map((one) => [keyOf(one), one]));
}

function without(
  some: ReadonlyMap<string, Ratio>,
  others: ReadonlyMap<string, Ratio>,
): Comparison["missing"] {
  return [...some]
    .filter(([key]) => !others.has(key))
    .map(([, { benchmark, figure }]) => ({ benchmark, name: figure.name }));
}

/** Of two runs, each ratio's better value: noise makes figures worse, hardly ever better. */
export function bestOf(first: Sections, second: Sections): Sections {
  const again = ratiosOf(second);
  return first.map(({ name, figures }) => ({
    name,
    figures: figures.map((figure) => {
      if (!isMeasurement(figure)) return figure;
      const other = again.get(keyOf({ benchmark: name, figure }));
      if (other === undefined) return figure;
      return changeOf({ benchmark: name, name: figure.name, recorded: figure, now: other.figure }) <
        1
        ? other.figure
        : figure;
    }),
  }));
}
