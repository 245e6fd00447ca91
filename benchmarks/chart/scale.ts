/** Axes of charts. */

/** Places values between two pixels. */
export interface Scale {
  readonly at: (value: number) => number;
  /** Values with a line and a label. */
  readonly ticks: readonly number[];
}

interface Pixels {
  readonly from: number;
  readonly to: number;
}

const STEPS = [1, 2, 5];

/** A logarithmic axis over positive values; ticks at powers of ten, and at 2 and 5 where it is short. */
export function logScale(values: readonly number[], pixels: Pixels): Scale {
  const usable = values.filter((value) => value > 0);
  const [least, most] = [Math.min(...usable), Math.max(...usable)];
  const low = Math.log10(least) - 0.05;
  const high = Math.max(Math.log10(most) + 0.05, low + 0.3);
  const at = (value: number): number =>
    pixels.from +
    ((Math.log10(Math.max(value, least)) - low) / (high - low)) * (pixels.to - pixels.from);
  const steps = high - low > 2 ? [1] : STEPS;
  const ticks: number[] = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power += 1) {
    for (const step of steps) {
      const value = step * 10 ** power;
      if (Math.log10(value) >= low && Math.log10(value) <= high) ticks.push(value);
    }
  }
  return { at, ticks };
}

/** A linear axis from zero; four to eight ticks at round values. */
export function linearScale(most: number, pixels: Pixels): Scale {
  const top = most > 0 ? most : 1;
  const rough = top / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = (STEPS.find((one) => one * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let count = 0; count * step <= top * 1.0001; count += 1) ticks.push(count * step);
  return { at: (value) => pixels.from + (value / top) * (pixels.to - pixels.from), ticks };
}

/** Moves labels apart that would lie over each other; in and out in the same order. */
export function spreadApart(wanted: readonly number[], least: number): readonly number[] {
  const order = wanted.map((y, index) => ({ y, index })).sort((a, b) => a.y - b.y);
  for (let round = 0; round < 50; round += 1) {
    for (let at = 1; at < order.length; at += 1) {
      const [above, below] = [order[at - 1], order[at]];
      if (above === undefined || below === undefined) continue;
      const missing = least - (below.y - above.y);
      if (missing <= 0) continue;
      above.y -= missing / 2;
      below.y += missing / 2;
    }
  }
  const placed = new Map(order.map(({ y, index }) => [index, y]));
  return wanted.map((y, index) => placed.get(index) ?? y);
}
