/**
 * Child process of the crash test: appends events and prints `a <id>` after `append` returned, and
 * `r <id>` before `release` is called, until it is killed. Arguments: folder, first id.
 * With a third argument it prints `w <id>` for everything that waits, in order, and ends.
 */
import { writeSync } from "node:fs";
import { openSpool } from "../../src/pipeline/spool/spool.ts";
import { systemClock } from "../../src/system/clock.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { entry, idsIn } from "./spool-rig.ts";

const QUEUE_OF = ["high", "operational", "low"] as const;
const [folder = "", first = "1", isListing] = process.argv.slice(2);
// Large enough that nothing is evicted: whatever is missing was lost.
const maxCacheBytes = 500_000_000;
const spool = openSpool({
  folder,
  maxCacheBytes,
  clock: systemClock,
  log: new RecordingLog(),
  flush: { highDelayMs: 5, lowDelayMs: 20, maxBytes: 16_384 },
});

function print(letter: string, ids: readonly number[]): void {
  writeSync(1, ids.map((id) => `${letter} ${id}\n`).join(""));
}

function appendAndRelease(id: number): void {
  const queue = QUEUE_OF[id % QUEUE_OF.length] ?? "low";
  const ids = Array.from({ length: 1 + (id % 5) }, (_, index) => id + index * 3);
  spool.append(ids.map((each) => entry(queue, each, (each * 37) % 900)));
  print("a", ids);
  const isLong = spool.state(queue).events > 1_000;
  if (id % 4 === 0 || isLong) {
    // A long queue gives up a whole segment and more, so that files are deleted between kills.
    const leaving = spool.peek(queue, isLong ? 400_000 : 3_000);
    print(
      "r",
      leaving.map(({ json }) => Number(/\d+/.exec(json)?.[0])),
    );
    spool.release(queue, leaving.at(-1)?.sequence ?? 0);
  }
}

if (isListing === undefined) {
  let id = Number(first);
  const turn = (): void => {
    for (let each = 0; each < 20; each += 1) {
      appendAndRelease(id);
      id += 16;
    }
    // Lets the syncs run, so that kills hit them too.
    setImmediate(turn);
  };
  turn();
} else for (const queue of QUEUE_OF) print("w", idsIn(spool, queue));
