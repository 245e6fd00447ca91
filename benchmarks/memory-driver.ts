/** The whole pipeline in a process of its own: 100,000 events to a hub; memory every 10,000. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_SETTINGS, type Settings } from "../src/contract/settings.ts";
import { createAggregator } from "../src/pipeline/aggregate/aggregator.ts";
import { createLedger } from "../src/pipeline/ledger.ts";
import { createPipeline } from "../src/pipeline/pipeline.ts";
import { DEFAULT_FLUSH, openSpool } from "../src/pipeline/spool/spool.ts";
import { systemClock } from "../src/system/clock.ts";
import { systemRandom } from "../src/system/random.ts";
import { createTransport } from "../src/transport/create-transport.ts";

const [folder = "", connectionStringFile = "", caFile = "", count = "100000"] =
  process.argv.slice(2);
const TOTAL = Number(count);
const STEP = 10_000;
const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
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
  const spool = openSpool({
    folder: join(folder, "spool"),
    maxCacheBytes: settings.maxCacheBytes,
    clock: systemClock,
    log: quiet,
    flush: DEFAULT_FLUSH,
  });
  const transport = await createTransport(
    {
      kind: "iothub",
      identity: { source: "connection-string", connectionStringFile },
      network: { caFile },
    },
    {
      clock: systemClock,
      random: systemRandom,
      log: quiet,
      agentVersion: "0.0.0",
      readSecret: (path) => readFileSync(path, "utf8"),
      readFile: (path) => readFileSync(path, "utf8"),
    },
  );
  const pipeline = createPipeline({
    spool,
    ledger: createLedger(systemClock),
    clock: systemClock,
    random: systemRandom,
    settings,
    envelope: { agentVersion: "0.0.0", agentId: "00000000-0000-4000-8000-000000000000" },
    payloadSchemas: new Map(),
    transportMaxBytes: transport.maxMessageBytes,
    aggregator: (emit) =>
      createAggregator({
        journalPath: join(folder, "spool", "aggregation"),
        settings: settings.aggregation,
        clock: systemClock,
        log: quiet,
        emit,
      }),
    send: (message, signal) => transport.send(message, signal),
    onSent: () => {},
    onQuarantined: () => {},
    onRefused: () => {},
    onFault: () => {},
  });
  transport.start({
    onStatus: (status) => pipeline.setConnected(status.state === "connected"),
    onDesired: () => {},
    onMethod: async () => ({ status: 404, payload: null }),
    onAnomaly: () => {},
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
