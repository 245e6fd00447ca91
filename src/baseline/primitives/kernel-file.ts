import type { Device } from "../device.ts";
import { type Expectation, expectationText, meets } from "../expectation.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";

/** A value that the running kernel shows in a file of its own; does not apply to a root that does not run. */
export interface KernelFileCheck {
  readonly test: "kernel-file";
  /** Below /proc or /sys. */
  readonly path: string;
  readonly expected: Expectation;
  /** What it means when the kernel has no such file; `not-applicable` where absent. */
  readonly whenMissing?: "pass" | "fail" | "not-applicable";
}

/** Compares the value. */
export function judgeKernelFile(check: KernelFileCheck, device: Device): Outcome {
  if (!device.isLive) return because("not-applicable", "this root does not run");
  const value = device.kernelValue(check.path);
  const expected = expectationText(check.expected);
  if (value.state === "unreadable") return because("error", value.reason);
  if (value.state === "value") {
    const look = evidence(check.path, expected, value.value, "live");
    return decide(meets(value.value, check.expected), look);
  }
  const verdict = check.whenMissing ?? "not-applicable";
  if (verdict === "not-applicable") return because(verdict, `the kernel has no ${check.path}`);
  return decide(verdict === "pass", evidence(check.path, expected, "not there", "live"));
}
