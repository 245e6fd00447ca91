import type { Device } from "../device.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";
import type { WalkReport } from "../walk-report.ts";

/** A list of the walk over the local file systems that must be empty. */
export interface WalkCheck {
  readonly test: "walk-empty";
  readonly list: Exclude<keyof WalkReport, "entries" | "isCut" | "finishedAtMs">;
  /** What the list holds, in words. */
  readonly what: string;
}

/** Most paths that are shown as evidence of their own. */
const MOST_SHOWN = 5;

/** Judges by the last walk; a walk that was cut short can fail, but not pass. */
export function judgeWalk(check: WalkCheck, device: Device): Outcome {
  const { walk } = device;
  if (walk.state === "unreadable") return because("error", walk.reason);
  if (walk.state === "missing") {
    return because("not-applicable", "no walk over the file systems was made yet");
  }
  const { entries, isCut } = walk.value;
  const { total, paths } = walk.value[check.list];
  const expected = `no ${check.what}`;
  if (total > 0) {
    const sum = evidence("local file systems", expected, `${total} of ${entries} entries`);
    const shown = paths.slice(0, MOST_SHOWN).map((path) => evidence(path, expected, check.what));
    return decide(false, sum, ...shown);
  }
  if (isCut) return because("error", `the walk was cut short after ${entries} entries`);
  return decide(true, evidence("local file systems", expected, `none in ${entries} entries`));
}
