import type { Device } from "../device.ts";
import { type Expectation, expectationText, meets } from "../expectation.ts";
import { bootArguments, lastArgument, runningArguments } from "../facts/kernel-arguments.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";

/** An argument of the kernel: of the running one, and of every entry of the boot menu. */
export interface KernelArgumentCheck {
  readonly test: "kernel-argument";
  readonly name: string;
  readonly expected: Expectation;
}

/** The last `name=value` counts, as for the kernel. Source: Linux kernel-parameters.rst. */
export function judgeKernelArgument(check: KernelArgumentCheck, device: Device): Outcome {
  const running = runningArguments(device);
  const later = bootArguments(device);
  for (const fact of [running, later]) {
    if (fact.state === "unreadable") return because("error", fact.reason);
  }
  const judge = (words: readonly string[], path: string, state: "live" | "persistent"): Outcome => {
    const value = lastArgument(words, check.name);
    const found = value === undefined ? "not given" : `${check.name}=${value}`;
    const expected = `${check.name}=${expectationText(check.expected)}`;
    const isGood = value !== undefined && meets(value, check.expected);
    return decide(isGood, evidence(path, expected, found, state));
  };
  const outcomes: Outcome[] = [];
  if (running.state === "value") outcomes.push(judge(running.value, "/proc/cmdline", "live"));
  for (const { path, words } of later.state === "value" ? later.value : []) {
    outcomes.push(judge(words, path, "persistent"));
  }
  if (outcomes.length === 0)
    return because("not-applicable", "no boot configuration that is known");
  return allOf(outcomes);
}
