import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../../src/contract/log.ts";
import { type Analyze, createAnalyze } from "../../src/fleet/analyze/analyze.ts";
import type { FleetAnalyzer } from "../../src/fleet/analyze/analyzer-factory.ts";
import { clientFactory } from "../../src/fleet/analyze/open-client.ts";
import type { AlertOutput } from "../../src/fleet/analyze/output.ts";
import { createJsonLines } from "../../src/fleet/analyze/outputs/json-lines.ts";
import { createFileStore } from "../../src/fleet/analyze/stores/file-store.ts";
import { systemClock } from "../../src/system/clock.ts";
import { systemRandom } from "../../src/system/random.ts";
import { openSharedFolder } from "../../src/system/shared-folder.ts";
import { countingAnalyzer } from "../eventhubs/counting-analyzer.ts";

export interface RigForm {
  readonly folder: string;
  readonly connectionString: string;
  readonly log: Log;
  readonly isOnce?: boolean;
  readonly outputs?: readonly AlertOutput[];
  readonly analyzer?: () => FleetAnalyzer;
  readonly start?: "earliest" | "latest";
  readonly eventHub?: string;
}

/** An analyzer as the command builds it, with quick intervals and a rule of the tests. */
export function analyzeRig(form: RigForm): Analyze {
  const store = createFileStore(openSharedFolder(join(form.folder, "state")), systemClock);
  const alerts = openSharedFolder(join(form.folder, "alerts"));
  return createAnalyze(
    {
      clients: [
        clientFactory({
          source: "endpoint",
          consumerGroup: "gatewarden",
          eventHub: form.eventHub ?? "telemetry",
          connectionString: form.connectionString,
          strategy: "greedy",
          intervalMs: 300,
          expiryMs: 1_500,
        }),
      ],
      start: form.start ?? "earliest",
      checkpointMs: 100,
      idleSeconds: 1,
      patienceMs: 1_000,
      ownershipMs: 1_500,
      isOnce: form.isOnce ?? false,
    },
    {
      store,
      outputs: form.outputs ?? [createJsonLines(alerts, { maxBytes: 1e6, maxFiles: 2 })],
      createAnalyzer: form.analyzer ?? (() => countingAnalyzer(2)),
      clock: systemClock,
      random: systemRandom,
      log: form.log,
      setAside: () => undefined,
    },
  );
}

/** Every alert in the folder, in the order of the files. */
export function alertsIn(
  folder: string,
): readonly { readonly id: string; readonly count: number }[] {
  return readdirSync(join(folder, "alerts"))
    .filter((name) => name.includes("alerts-"))
    .sort()
    .flatMap((name) => readFileSync(join(folder, "alerts", name), "utf8").split("\n"))
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { id: string; count: number });
}
