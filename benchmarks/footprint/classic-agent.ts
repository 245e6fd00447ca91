import type { Figure, Measurement, Unit } from "../benchmark.ts";
import { quoted } from "../figures.ts";

const CLASSIC =
  "a run of the archived C agent 0.0.6, MQTT, default twin, on a busy two-core machine";

/** Source: a side-by-side run of the archived agent; the same kind of machine, another day. */
export function classicAgent(): readonly Figure[] {
  const column = "classic C agent (quoted)";
  const one = (
    row: string,
    unit: Unit,
    [low, high]: readonly [number, number],
    chart?: string,
  ): Measurement => ({
    ...quoted({ name: `${column}: ${row}`, unit, low, high, from: CLASSIC, cell: { row, column } }),
    ...(chart === undefined ? {} : { point: { chart, line: "classic C agent", x: 2 } }),
  });
  return [
    one("idle RSS", "bytes", [13_000_000, 13_100_000], "footprint-memory"),
    one("idle PSS", "bytes", [8_900_000, 9_500_000]),
    one("idle private memory", "bytes", [2_100_000, 2_600_000]),
    one("peak RSS", "bytes", [13_100_000, 16_400_000]),
    one("idle: CPU per hour", "s", [67, 73], "footprint-cpu-idle"),
    one("idle: wake-ups per hour", "per hour", [882 * 3_600, 900 * 3_600]),
    one("a snapshot of listening ports", "ms", [242, 299]),
    one("start to connected", "ms", [23, 30]),
  ];
}
