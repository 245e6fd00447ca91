import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import si from "systeminformation";
import { listeningPorts as collector } from "../collectors/listening-ports/index.ts";
import { snapshotContext } from "../src/cli/snapshot-context.ts";
import { systemClock } from "../src/system/clock.ts";
import { createProbe } from "../src/system/probe.ts";
import { type Benchmark, type Figure, spread } from "./benchmark.ts";

const SOCKETS = [10, 100, 1_000, 10_000];
const SOCKETS_PER_PROCESS = 500;
const REPETITIONS = 21;

/** ListeningPorts with owners against what people run instead, in the same run. */
export const listeningPorts: Benchmark = {
  name: "listening-ports",
  question: "How long does a snapshot of listening sockets with their processes take?",
  async run(progress) {
    const figures: Figure[] = [];
    for (const count of SOCKETS) {
      progress(`${count} sockets`);
      const close = await openSockets(count);
      try {
        figures.push(...(await compare(count)));
      } finally {
        await close();
      }
    }
    return figures;
  },
};

async function compare(count: number): Promise<readonly Figure[]> {
  const probe = createProbe({ root: "/" });
  const first = await timeAsync(1, () => collect(probe));
  const times: Record<"cold" | "warm" | "ss", number[]> = { cold: [], warm: [], ss: [] };
  // In turns: what else the machine does then hits all three.
  for (let run = 0; run < REPETITIONS; run += 1) {
    times.warm.push(await timeAsync(1, () => collect(probe)));
    // A probe of its own has no memory of the last snapshot: no owner is known.
    times.cold.push(await timeAsync(1, () => collect(createProbe({ root: "/" }))));
    const took = timeProgram("ss", ["-lntup"]);
    if (took !== undefined) times.ss.push(took);
  }
  const warm = spread(times.warm).median;
  const cold = spread(times.cold).median;
  const ss = times.ss.length === 0 ? undefined : spread(times.ss).median;
  const inventory = await timeAsync(3, () => si.networkConnections());
  const how = `${count} sockets, median of ${REPETITIONS}`;
  const figures: Figure[] = [
    { what: `${count} sockets: first`, value: `${first.toFixed(1)} ms`, how: "one call" },
    {
      what: `${count} sockets: cold`,
      value: `${cold.toFixed(1)} ms`,
      how: `${how}, no owner known`,
    },
    { what: `${count} sockets: warm`, value: `${warm.toFixed(2)} ms`, how },
  ];
  if (ss === undefined) return figures;
  return [
    ...figures,
    {
      what: `${count} sockets: ss -lntup`,
      value: `${ss.toFixed(1)} ms`,
      how: `${how}, whole process`,
    },
    {
      what: `${count} sockets: ss / cold`,
      value: `${(ss / cold).toFixed(1)} ×`,
      how: "ratio of the medians",
    },
    {
      what: `${count} sockets: ss / warm`,
      value: `${(ss / warm).toFixed(1)} ×`,
      how: "ratio of the medians",
    },
    {
      what: `${count} sockets: systeminformation / warm`,
      value: `${(inventory / warm).toFixed(0)} ×`,
      how: "networkConnections(), median of 3",
    },
  ];
}

// The agent makes these once, not at each snapshot.
const context = snapshotContext({
  probe: createProbe({ root: "/" }),
  settings: collector.settings.defaults(),
  signal: new AbortController().signal,
});

async function collect(probe: ReturnType<typeof createProbe>): Promise<void> {
  if (collector.mode !== "snapshot") return;
  await collector.collect({ ...context, probe });
}

async function timeAsync(times: number, work: () => Promise<unknown>): Promise<number> {
  const values: number[] = [];
  for (let run = 0; run < times; run += 1) {
    const startedMs = systemClock.monotonicMs();
    await work();
    values.push(systemClock.monotonicMs() - startedMs);
  }
  return spread(values).median;
}

function timeProgram(file: string, args: readonly string[]): number | undefined {
  const startedMs = systemClock.monotonicMs();
  if (spawnSync(file, args, { stdio: "ignore" }).error !== undefined) return undefined;
  return systemClock.monotonicMs() - startedMs;
}

const HOLDER = `
  const { createServer } = require("node:net");
  let open = Number(process.argv[1]);
  for (let at = open; at > 0; at -= 1) {
    createServer().listen(0, "127.0.0.1", () => {
      open -= 1;
      if (open === 0) process.stdout.write("open");
    });
  }`;

/** Opens the sockets in other processes, each with as many as its limit of descriptors takes. */
async function openSockets(count: number): Promise<() => Promise<void>> {
  const holders: ChildProcess[] = [];
  for (let left = count; left > 0; left -= SOCKETS_PER_PROCESS) {
    const args = ["-e", HOLDER, String(Math.min(left, SOCKETS_PER_PROCESS))];
    const holder = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    holders.push(holder);
  }
  return async () => {
    for (const holder of holders) {
      const ended = new Promise((resolve) => holder.once("close", resolve));
      holder.kill("SIGKILL");
      await ended;
    }
  };
}
