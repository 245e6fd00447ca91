import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocalHub } from "../../src/localhub/local-hub.ts";
import { systemClock } from "../../src/system/clock.ts";
import { systemRandom } from "../../src/system/random.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { IDENTITY, localHubBench } from "./local-hub-bench.ts";
import type { Bench } from "./transport-bench.ts";
import { transportSuite } from "./transport-suite.ts";

async function makeBench(): Promise<Bench> {
  const stateDirectory = mkdtempSync(join(tmpdir(), "hub-state-"));
  const hub = await startLocalHub({
    stateDirectory,
    clock: systemClock,
    random: systemRandom,
    log: new RecordingLog(),
    identities: [IDENTITY],
  });
  const bench = await localHubBench(hub);
  return {
    ...bench,
    stop: async () => {
      await bench.stop();
      rmSync(stateDirectory, { recursive: true, force: true });
    },
  };
}

transportSuite("the local hub", undefined, makeBench);
