/**
 * A program of its own: the real spool, pipeline and transport, producing events until it is killed.
 * Each id is written to standard output after `submit` returned, when the event must survive anything.
 *
 *   node pipeline-driver.cjs FOLDER CONNECTION_STRING_FILE CA_FILE FIRST_ID [flush]
 */
import { writeSync } from "node:fs";
import { DEFAULT_SETTINGS, type Settings } from "../../src/contract/settings.ts";
import { systemClock } from "../../src/system/clock.ts";
import { openDrivenPipeline } from "./driven-pipeline.ts";

const [folder = "", connectionStringFile = "", caFile = "", first = "1", mode = ""] =
  process.argv.slice(2);
const settings: Settings = {
  ...DEFAULT_SETTINGS,
  highPriorityIntervalMs: 100,
  lowPriorityIntervalMs: 300,
  maxMessageBytes: 8_192,
  maxCacheBytes: 100_000_000,
};

async function main(): Promise<void> {
  const { spool, pipeline, transport } = await openDrivenPipeline({
    folder,
    connectionStringFile,
    caFile,
    settings,
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
