/** Figures out of measured values. */
import { type Measurement, type Note, spread, type Unit } from "./benchmark.ts";

type Extra = Pick<Measurement, "limit" | "cell" | "point" | "isChecked">;

interface Measured extends Extra {
  readonly name: string;
  readonly unit: Unit;
  /** One for each repetition. */
  readonly values: readonly number[];
  readonly command: string;
  readonly better?: "lower" | "higher";
}

/** Median and range of the repetitions. */
export function absolute(measured: Measured): Measurement {
  const { values, better = "lower", ...rest } = measured;
  return { ...rest, ...spread(values), repetitions: values.length, kind: "absolute", better };
}

/** Every extra of a ratio, and the two sides of the division. */
interface Compared extends Extra {
  readonly name: string;
  readonly command: string;
  readonly better: "lower" | "higher";
  readonly of: readonly number[];
  readonly to: readonly number[];
  readonly unit?: Unit;
}

/**
 * How many times the median of `to` fits into the median of `of`; low and high are the least and the most
 * that the repetitions of both sides allow.
 */
export function ratio(compared: Compared): Measurement {
  const { of, to, unit = "×", ...rest } = compared;
  const [above, below] = [spread(of), spread(to)];
  return {
    ...rest,
    unit,
    median: above.median / below.median,
    low: above.low / below.high,
    high: above.high / below.low,
    repetitions: Math.min(of.length, to.length),
    kind: "ratio",
  };
}

/** A figure of somebody else's run. */
export function quoted(
  figure: Pick<Measurement, "name" | "unit" | "cell"> & {
    readonly low: number;
    readonly high: number;
    readonly from: string;
  },
): Measurement {
  const { from, low, high, ...rest } = figure;
  return {
    ...rest,
    low,
    high,
    median: (low + high) / 2,
    repetitions: 1,
    command: from,
    kind: "absolute",
    better: "lower",
    quotedFrom: from,
  };
}

/** Why there are no figures. */
export function skipped(reason: string): readonly Note[] {
  return [{ what: "skipped", value: "-", how: reason }];
}

/** One point of a growth curve. */
interface Growing {
  readonly size: number;
  readonly value: number;
}

/**
 * The slope of the straight line through the points on two logarithmic axes, by least squares: 1 is linear
 * growth, 2 quadratic. Undefined with fewer than two sizes.
 */
export function growthExponent(points: readonly Growing[]): number | undefined {
  const logs = points
    .filter(({ size, value }) => size > 0 && value > 0)
    .map(({ size, value }) => ({ x: Math.log(size), y: Math.log(value) }));
  const mean = (pick: (point: { x: number; y: number }) => number): number =>
    logs.reduce((sum, point) => sum + pick(point), 0) / logs.length;
  const [meanX, meanY] = [mean((point) => point.x), mean((point) => point.y)];
  const spreadX = logs.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  if (logs.length < 2 || spreadX === 0) return undefined;
  return logs.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spreadX;
}

/**
 * Two figures of a curve: the exponent over all sizes, and the one from the last size but one to the last,
 * where a fixed cost hides the growth least.
 */
export function growth(
  name: string,
  command: string,
  points: readonly Growing[],
): readonly Measurement[] {
  const sorted = [...points].sort((a, b) => a.size - b.size);
  const all = growthExponent(sorted);
  const last = growthExponent(sorted.slice(-2));
  const figureOf = (label: string, exponent: number | undefined): readonly Measurement[] =>
    exponent === undefined
      ? []
      : [
          absolute({
            name: `${name}: growth exponent, ${label}`,
            unit: "exponent",
            values: [exponent],
            command,
            limit: 1.1,
          }),
        ];
  const sizes = sorted.map(({ size }) => size);
  return [
    ...figureOf(`${sizes[0]} to ${sizes.at(-1)}`, all),
    ...(sizes.length > 2 ? figureOf(`${sizes.at(-2)} to ${sizes.at(-1)}`, last) : []),
  ];
}
