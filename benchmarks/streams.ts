import { runStorm, type Storm, skipReason } from "../test/live/connection-storm.ts";
import { judgeStorm } from "../test/live/storm-verdict.ts";
import type { Benchmark, Figure } from "./benchmark.ts";
import { absolute, ratio, skipped } from "./figures.ts";

const EACH_WAY = 2_500;
const RUNS = { full: 5, check: 2, quick: 1 } as const;
const CONNTRACK = ["conntrack", "-E", "-o", "id"];
const SOCKET_ENDS = ["ss", "-E", "-t"];
const OURS = "the connections collector, writing a line for each";

/** Connections as fast as two processes make them, in namespaces, beside programs that watch too. */
export const streams: Benchmark = {
  name: "streams",
  question: "How many connections a second are seen without loss, and what does each cost?",
  hasChecks: true,
  async run(progress, { mode }) {
    const reason = skipReason();
    if (reason !== false) return skipped(reason);
    const figures: Figure[] = [];
    for (const isTracked of mode === "check" ? [true] : [true, false]) {
      const storms: Storm[] = [];
      const count = mode === "quick" ? EACH_WAY / 5 : EACH_WAY;
      for (let run = 0; run < RUNS[mode]; run += 1) {
        progress(`${2 * count} connections, ${isTracked ? "tracked" : "not tracked"}`);
        const beside = [SOCKET_ENDS, ...(isTracked ? [CONNTRACK] : [])];
        storms.push(await runStorm({ count, isTracked, beside }));
      }
      figures.push(...figuresOf(storms, isTracked, 2 * count));
    }
    return figures;
  },
};

function figuresOf(storms: readonly Storm[], isTracked: boolean, count: number): readonly Figure[] {
  const when = isTracked ? "with connection tracking" : "without connection tracking";
  const seen = storms.map((storm) => judgeStorm(storm).connections);
  const perEvent = (cpuMs: number): number => (cpuMs * 1_000) / count;
  const ours = storms.map(({ workerCpuMs }) => perEvent(workerCpuMs));
  const rivals = [SOCKET_ENDS, CONNTRACK].flatMap((command) => {
    const text = command.join(" ");
    const runs = storms.flatMap(({ beside }) =>
      beside.filter((one) => one.command.join(" ") === text && one.lines > 0),
    );
    return runs.length === 0 ? [] : [{ text, cpu: runs.map(({ cpuMs }) => perEvent(cpuMs)), runs }];
  });
  return [
    absolute({
      ...{ name: `${when}: connections`, unit: "per second", command: OURS, better: "higher" },
      values: storms.map(({ tookMs }) => count / (tookMs / 1_000)),
    }),
    absolute({
      ...{ name: `${when}: reported`, unit: "%", command: OURS, better: "higher", limit: 100 },
      values: seen.map((connections) => (100 * connections) / count),
    }),
    absolute({ name: `${when}: CPU per connection`, unit: "µs", command: OURS, values: ours }),
    ...rivals.flatMap(({ text, cpu, runs }) => [
      absolute({
        name: `${when}: CPU per connection, ${text}`,
        unit: "µs",
        command: text,
        values: cpu,
      }),
      ratio({
        ...{ name: `${when}: CPU of ours / ${text}`, command: `${OURS}; ${text}`, better: "lower" },
        of: ours,
        to: cpu,
        isChecked: isTracked,
      }),
      {
        what: `${when}: lines of ${text}`,
        value: String(runs.at(-1)?.lines ?? 0),
        how: `${count} connections; no process, no direction`,
      },
    ]),
  ];
}
