/** The whole pipeline in a process of its own: 100,000 events to a hub; memory every 10,000. */
import { DEFAULT_SETTINGS, type Settings } from "../src/contract/settings.ts";
import { systemClock } from "../src/system/clock.ts";
import { openDrivenPipeline } from "../test/support/driven-pipeline.ts";

const [folder = "", connectionStringFile = "", caFile = "", count = "100000"] =
  process.argv.slice(2);
const TOTAL = Number(count);
const STEP = 10_000;
const settings: Settings = {
  ...DEFAULT_SETTINGS,
  highPriorityIntervalMs: 1_000,
  lowPriorityIntervalMs: 1_000,
  aggregation: {
    ...DEFAULT_SETTINGS.aggregation,
    ProcessCreate: { isEnabled: false, intervalMs: 1_000 },
  },
};

async function main(): Promise<void> {
  const { spool, pipeline } = await openDrivenPipeline({
    folder,
    connectionStringFile,
    caFile,
    settings,
  });
  await systemClock.sleep(500);
  const startedMs = systemClock.monotonicMs();
  for (let id = 1; id <= TOTAL; id += 1) {
    const CommandLine = `/usr/bin/tool --job ${id} --output /var/lib/tool/${id % 100}.json`;
    const item = { Executable: "/usr/bin/tool", ProcessId: id, ParentProcessId: 1, UserId: "0" };
    pipeline.submit([{ name: "ProcessCreate", payload: [{ ...item, CommandLine }] }]);
    if (id % 500 === 0) {
      while (spool.state("low").bytes > 1_000_000) await systemClock.sleep(2);
    }
    if (id % STEP === 0) report(id, startedMs, spool.takeCounts()[1]?.droppedEvents ?? 0);
  }
  await pipeline.flush(60_000);
  report(TOTAL, startedMs, spool.takeCounts()[1]?.droppedEvents ?? 0);
  process.exit(0);
}

function report(events: number, startedMs: number, dropped: number): void {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  const cpu = process.cpuUsage();
  const line = {
    events,
    rss,
    heapUsed,
    dropped,
    elapsedMs: systemClock.monotonicMs() - startedMs,
    cpuMs: (cpu.user + cpu.system) / 1_000,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
