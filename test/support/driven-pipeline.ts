import { readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../../src/contract/settings.ts";
import type { Transport } from "../../src/contract/transport.ts";
import { createSecretMask } from "../../src/parse/mask-secrets.ts";
import { createAggregator } from "../../src/pipeline/aggregate/aggregator.ts";
import { createLedger } from "../../src/pipeline/ledger.ts";
import { createPipeline, type Pipeline } from "../../src/pipeline/pipeline.ts";
import { DEFAULT_FLUSH, openSpool } from "../../src/pipeline/spool/spool.ts";
import type { Spool } from "../../src/pipeline/spool/spool-contract.ts";
import { systemClock } from "../../src/system/clock.ts";
import { systemRandom } from "../../src/system/random.ts";
import { createTransport } from "../../src/transport/create-transport.ts";

/** The real spool, pipeline and transport, for a driver that runs as a process of its own. */
export interface DrivenPipeline {
  readonly spool: Spool;
  readonly pipeline: Pipeline;
  readonly transport: Transport;
}

const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** Opens them on a folder and connects to the hub that the connection string names. */
export async function openDrivenPipeline(options: {
  readonly folder: string;
  readonly connectionStringFile: string;
  readonly caFile: string;
  readonly settings: Settings;
}): Promise<DrivenPipeline> {
  const { folder, connectionStringFile, caFile, settings } = options;
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
    mask: createSecretMask([]),
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
  return { spool, pipeline, transport };
}
