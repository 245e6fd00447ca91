import type { Clock } from "../contract/clock.ts";
import { type Collector, eventsOf } from "../contract/collector.ts";
import type { JsonObject } from "../contract/json.ts";
import type { SnapshotSchedule } from "../schedule/snapshot-schedule.ts";
import type { MethodActions } from "./methods.ts";
import type { PostureDesk } from "./posture/posture-desk.ts";
import { postureReply } from "./posture/posture-reply.ts";

export interface MethodActionsOptions {
  readonly collectors: readonly Collector[];
  readonly schedule: Pick<SnapshotSchedule, "runNow">;
  readonly posture: Pick<PostureDesk, "judgeNow" | "verdicts">;
  readonly clock: Clock;
  readonly status: () => JsonObject;
  readonly flush: () => Promise<{ readonly sent: number; readonly waiting: number }>;
}

/** A method must answer within 30 seconds. */
const LONGEST_SCAN_MS = 25_000;

/** What the direct methods of an agent do. */
export function createMethodActions(options: MethodActionsOptions): MethodActions {
  const { collectors, schedule, posture, clock } = options;

  /** Methods may name a collector by folder or by event. */
  function nameOf(name: string): string {
    const isNamed = (collector: Collector): boolean =>
      eventsOf(collector).some(({ eventName }) => eventName === name);
    return collectors.find(isNamed)?.name ?? name;
  }

  /** What takes longer than a method may is judged when it ends. */
  async function scan(): Promise<JsonObject> {
    const waiting = new AbortController();
    const isOver = clock.sleep(LONGEST_SCAN_MS, waiting.signal).then(() => false);
    const isComplete = await Promise.race([schedule.runNow().then(() => true), isOver]);
    waiting.abort();
    posture.judgeNow();
    return { isComplete, ...postureReply(posture.verdicts()) };
  }

  return {
    status: options.status,
    async collect(names) {
      const reports = await schedule.runNow(names?.map(nameOf));
      return reports.map((report) => ({ ...report }));
    },
    flush: async () => ({ ...(await options.flush()) }),
    posture: () => postureReply(posture.verdicts()),
    scan,
  };
}
