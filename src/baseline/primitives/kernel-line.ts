import type { Device } from "../device.ts";
import { nextKernelLines } from "../facts/kernel-arguments.ts";
import { type KernelLine, runningKernelLine } from "../facts/kernel-lines.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";

/** Words of the kernel's command line: of the running one, and of every entry of the boot loader. */
export interface KernelLineCheck {
  readonly test: "kernel-line";
  /** A regular expression that a whole word matches. */
  readonly word: string;
  /** `some`: each line has such a word; `none`: no line has one. */
  readonly want: "some" | "none";
  /** What is looked for, in words. */
  readonly what: string;
}

function judgeOne(check: KernelLineCheck, line: KernelLine, state: "live" | "persistent"): Outcome {
  const pattern = new RegExp(`^(?:${check.word})$`);
  const hit = line.words.find((word) => pattern.test(word.slice(0, 256)));
  const expected = check.want === "some" ? check.what : `no ${check.what}`;
  const place = state === "live" ? line.path : `${line.path}, line ${line.number}`;
  const isGood = (hit !== undefined) === (check.want === "some");
  return decide(isGood, evidence(place, expected, hit ?? "no such word", state));
}

/** The running line, then each line that may be the next. */
export function judgeKernelLine(check: KernelLineCheck, device: Device): Outcome {
  const running = runningKernelLine(device);
  if (running.state === "unreadable") return because("error", running.reason);
  const next = nextKernelLines(device);
  if (next.state === "unreadable") return because("error", next.reason);
  const live = running.state === "value" ? [judgeOne(check, running.value, "live")] : [];
  const later = (next.state === "value" ? next.value : []).map((line) =>
    judgeOne(check, line, "persistent"),
  );
  if (live.length + later.length === 0) {
    return because("not-applicable", "no boot loader and no running kernel here");
  }
  // Many entries that are alike say the same: the first that fails, or the first, stands for them.
  const telling = later.find((one) => one.verdict === "fail") ?? later[0];
  return allOf(telling === undefined ? live : [...live, telling]);
}
