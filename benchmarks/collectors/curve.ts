/** One size of one curve: a collector and its peers in namespaces of their own. */
import type { Measurement, Note, RunOptions } from "../benchmark.ts";
import { absolute, growth, ratio } from "../figures.ts";
import type { HeldNamespace } from "../support/namespace.ts";
import { agentNode } from "../support/unit-settings.ts";
import type { DriverReply, DriverRequest, Timing } from "./driver-contract.ts";

/** What grows, and what is measured while it does. */
export interface CurvePlan {
  /** `sockets`: names figures and charts. */
  readonly what: string;
  readonly collector: DriverRequest["collector"];
  readonly settings: object;
  readonly peers: readonly (readonly string[])[];
  /** The peer that promises are made against. */
  readonly rival: string;
  /** At least so many times as fast as the rival, warm. */
  readonly warmLimit?: number;
  /** With a new probe, which knows no owner yet, it takes at most so many times as long as the rival. */
  readonly coldLimit?: number;
  hold(size: number): Promise<HeldNamespace>;
}

interface Sample {
  readonly size: number;
  readonly items: number;
  readonly first: readonly Timing[];
  readonly warm: readonly Timing[];
  readonly empty: readonly Timing[];
  readonly peers: Readonly<Record<string, readonly Timing[]>>;
}

const MODES = {
  full: { sizes: [10, 100, 1_000, 10_000], firsts: 7, repetitions: 11 },
  check: { sizes: [10, 100, 1_000], firsts: 5, repetitions: 11 },
  quick: { sizes: [10, 100, 1_000], firsts: 2, repetitions: 3 },
} as const;

const OURS = {
  warm: "Gatewarden, warm",
  empty: "Gatewarden, new probe",
  first: "Gatewarden, first",
};

/** Figures of a whole curve. `driver` is the path of the built driver. */
export async function measureCurve(
  plan: CurvePlan,
  driver: string,
  mode: RunOptions["mode"],
  progress: (line: string) => void,
): Promise<readonly (Measurement | Note)[]> {
  const samples: Sample[] = [];
  for (const size of MODES[mode].sizes) {
    progress(`${size} ${plan.what}`);
    samples.push(await sampleAt(plan, size, driver, mode));
  }
  return [
    ...samples.flatMap((sample) => comparisons(plan, sample)),
    ...growths(plan, samples),
    ...samples.flatMap((sample) => timings(plan, sample)),
    ...samples.flatMap(({ size, peers }) =>
      Object.entries(peers)
        .filter(([, values]) => values.length === 0)
        .map(([peer]) => ({
          ...{ what: `${size} ${plan.what}: ${peer}`, value: "failed" },
          how: "it threw an error that nobody could catch",
        })),
    ),
    ...samples.map(({ size, items }) => ({
      what: `${size} ${plan.what}: items in the event`,
      value: String(items),
      how: "payload of the last snapshot",
    })),
  ];
}

async function sampleAt(
  plan: CurvePlan,
  size: number,
  driver: string,
  mode: RunOptions["mode"],
): Promise<Sample> {
  const { firsts, repetitions } = MODES[mode];
  // The slow ones of the largest sizes take minutes otherwise.
  const few = size >= 10_000 ? Math.min(3, repetitions) : repetitions;
  const space = await plan.hold(size);
  const ask = (request: Pick<DriverRequest, "repetitions" | "peers">): DriverReply => {
    const { collector, settings } = plan;
    const text = JSON.stringify({ collector, settings, ...request });
    const reply: DriverReply = JSON.parse(space.run([...agentNode(), driver, text]));
    return reply;
  };
  try {
    const first = Array.from({ length: firsts }, () => ask({ repetitions: 0, peers: [] }).first);
    const { items, warm, empty, peers: theirs } = ask({ repetitions: few, peers: plan.peers });
    return { size, items, first, warm, empty, peers: theirs };
  } finally {
    await space.close();
  }
}

const COMMANDS = {
  warm: "collect() of the built collector, after eleven calls",
  empty: "collect() with a new probe in a warm process",
  first: "the first collect() of a new process",
};

function walls(timings: readonly Timing[]): readonly number[] {
  return timings.map(({ ms }) => ms);
}

function comparisons(plan: CurvePlan, { size, ...sample }: Sample): readonly Measurement[] {
  const { what, rival, warmLimit, coldLimit } = plan;
  const theirs = sample.peers[rival];
  if (theirs === undefined) return [];
  return [
    ratio({
      name: `${size} ${what}: ${rival} / warm`,
      command: `${rival}; ${COMMANDS.warm}`,
      better: "higher",
      of: walls(theirs),
      to: walls(sample.warm),
      isChecked: size <= 1_000,
      ...(warmLimit === undefined ? {} : { limit: warmLimit }),
    }),
    ratio({
      name: `${size} ${what}: new probe / ${rival}`,
      command: `${COMMANDS.empty}; ${rival}`,
      better: "lower",
      of: walls(sample.empty),
      to: walls(theirs),
      isChecked: size <= 1_000,
      ...(coldLimit === undefined ? {} : { limit: coldLimit }),
    }),
    ratio({
      name: `${size} ${what}: first / ${rival}`,
      command: `${COMMANDS.first}; ${rival}`,
      better: "lower",
      of: walls(sample.first),
      to: walls(theirs),
      isChecked: size <= 1_000,
    }),
  ];
}

function growths(plan: CurvePlan, samples: readonly Sample[]): readonly Measurement[] {
  const pointsOf = (pick: (sample: Sample) => readonly Timing[]) =>
    samples.map((sample) => ({ size: sample.size, value: middle(pick(sample)) }));
  return [
    ...growth(
      `${plan.what}, warm`,
      COMMANDS.warm,
      pointsOf(({ warm }) => warm),
    ),
    ...growth(
      `${plan.what}, first`,
      COMMANDS.first,
      pointsOf(({ first }) => first),
    ),
  ];
}

function middle(timings: readonly Timing[]): number {
  const sorted = [...walls(timings)].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function timings(plan: CurvePlan, sample: Sample): readonly Measurement[] {
  const { what } = plan;
  const all = [
    ...(["warm", "empty", "first"] as const).map(
      (kind) => [OURS[kind], COMMANDS[kind], sample[kind]] as const,
    ),
    ...Object.entries(sample.peers).map(([command, values]) => [command, command, values] as const),
  ];
  return all.flatMap(([line, command, values]) => {
    if (values.length === 0) return [];
    const point = { line, x: sample.size };
    const name = `${sample.size} ${what}: ${line}`;
    const shared = { unit: "ms", command } as const;
    return [
      absolute({
        ...{ ...shared, name, values: walls(values) },
        point: { ...point, chart: `${what}-time` },
      }),
      ...processorTime(`${name}, CPU`, command, values, { ...point, chart: `${what}-cpu` }),
    ];
  });
}

/** Programs whose time stayed below the kernel's step have no figure: a zero would be no measurement. */
function processorTime(
  name: string,
  command: string,
  timings: readonly Timing[],
  point: NonNullable<Measurement["point"]>,
): readonly Measurement[] {
  const values = timings.map(({ cpuMs }) => cpuMs);
  if (values.every((value) => value === 0)) return [];
  return [absolute({ name, unit: "ms", values, command, point })];
}
