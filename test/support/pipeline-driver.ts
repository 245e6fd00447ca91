/**
 * A program of its own: the real spool, pipeline and transport, producing events until it is killed.
 * Each id is written to standard output after `submit` returned, when the event must survive anything.
 *
 *   node pipeline-driver.cjs FOLDER CONNECTION_STRING_FILE CA_FILE FIRST_ID [flush]
 */
import { readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_SETTINGS, type Settings } from "../../src/contract/settings.ts";
import { createAggregator } from "../../src/pipeline/aggregate/aggregator.ts";
import { createLedger } from "../../src/pipeline/ledger.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { DEFAULT_FLUSH, openSpool } from "../../src/pipeline/spool/spool.ts";
import { systemClock } from "../../src/system/clock.ts";
import { systemRandom } from "../../src/system/random.ts";
import { createTransport } from "../../src/transport/create-transport.ts";

const [folder = "", connectionStringFile = "", caFile = "", first = "1", mode = ""] =
  process.argv.slice(2);
const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
const settings: Settings = {
  ...DEFAULT_SETTINGS,
  highPriorityIntervalMs: 100,
  lowPriorityIntervalMs: 300,
  maxMessageBytes: 8_192,
  maxCacheBytes: 100_000_000,
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
      timing: { backoff: { floorMs: 50, capMs: 500 } },
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
    onQuarantined: (name, reason) => writeSync(2, `quarantined ${name}: ${reason}\n`),
    onRefused: (name, reason) => writeSync(2, `refused ${name}: ${reason}\n`),
    onFault: (reason) => writeSync(2, `fault ${reason}\n`),
  });
  transport.start({
    onStatus: (status) => pipeline.setConnected(status.state === "connected"),
    onDesired: () => {},
    onMethod: async () => ({ status: 404, payload: null }),
    onAnomaly: () => {},
  });
  if (mode === "flush") await flush();
  else produce(Number(first));

  function produce(from: number): void {
    let id = from;
    const step = (): void => {
      const names = ["Login", "ConnectionCreate", "ProcessCreate"] as const;
      const name = names[id % names.length] ?? "Login";
      pipeline.submit([{ name, payload: [itemOf(name, id)] }]);
      writeSync(1, `${id}\n`);
      id += 1;
      systemClock.after(id % 20 === 0 ? 5 : 0, step);
    };
    step();
  }

  async function flush(): Promise<void> {
    for (let round = 0; round < 300; round += 1) {
      const { waiting } = await pipeline.flush(2_000);
      if (waiting === 0) break;
      await systemClock.sleep(50);
    }
    await pipeline.stop();
    await transport.stop(2_000);
    await spool.close();
    process.exit(0);
  }
}

/** An item whose identity is its number, so that aggregation folds nothing away. */
function itemOf(name: "Login" | "ConnectionCreate" | "ProcessCreate", id: number) {
  const Executable = `/usr/bin/id-${id}`;
  if (name === "Login") {
    return { ProcessId: 1, UserId: "0", Operation: "test", Executable, Result: "Success" };
  }
  if (name === "ConnectionCreate") {
    const remote = { RemoteAddress: "192.0.2.1", RemotePort: "443" };
    return { ...remote, Direction: "Out", Protocol: "tcp", ProcessId: 1, Executable };
  }
  return { Executable, ProcessId: 1, ParentProcessId: 1, UserId: "0", CommandLine: Executable };
}

main().catch((error: unknown) => {
  writeSync(2, `${String(error)}\n`);
  process.exit(1);
});
