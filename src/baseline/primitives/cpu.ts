import type { Device } from "../device.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";

/** The processor keeps data from being executed, and the kernel makes use of it. */
export interface ExecuteProtectionCheck {
  readonly test: "execute-protection";
}

const PATH = "/proc/cpuinfo";

/** Values of one key over all processors, without repetition. */
function valuesOf(text: string, key: string): readonly string[] {
  const values = new Set<string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0 && line.slice(0, colon).trim() === key) {
      values.add(line.slice(colon + 1).trim());
    }
  }
  return [...values];
}

/**
 * x86 says `nx` among its flags; where the kernel clears it (`noexec=off`) the flag is not shown. ARM has
 * the bit from version 6 on, RISC-V and POWER always. Source: proc_cpuinfo(5), arch/x86/mm/setup_nx.c,
 * ARM Architecture Reference Manual (XN), RISC-V privileged specification (X bit).
 */
export function judgeExecuteProtection(_check: ExecuteProtectionCheck, device: Device): Outcome {
  if (!device.isLive) return because("not-applicable", "the processor is no part of this root");
  const text = device.text(PATH);
  if (text.state === "unreadable") return because("error", text.reason);
  if (text.state === "missing") return because("not-applicable", `${PATH} is not there`);
  const expected = "pages of data cannot be executed";
  const judge = (isGood: boolean, found: string): Outcome =>
    decide(isGood, evidence(PATH, expected, found, "live"));
  const flags = valuesOf(text.value, "flags");
  if (flags.length > 0) {
    const isGood = flags.every((line) => line.split(/\s+/).includes("nx"));
    return judge(isGood, isGood ? "flag nx" : "no flag nx");
  }
  const versions = valuesOf(text.value, "CPU architecture");
  if (versions.length > 0) {
    const isGood = versions.every((one) => one === "AArch64" || Number.parseInt(one, 10) >= 6);
    return judge(isGood, `ARM version ${versions.join(", ")}`);
  }
  const [isa] = valuesOf(text.value, "isa");
  if (isa?.startsWith("rv") === true) return judge(true, isa);
  const [cpu] = valuesOf(text.value, "cpu");
  if (cpu?.startsWith("POWER") === true) return judge(true, cpu);
  if (valuesOf(text.value, "system type").length + valuesOf(text.value, "machine").length > 0) {
    return because("not-applicable", "this kind of processor does not tell");
  }
  return because("error", `${PATH}: names no processor that is known`);
}
