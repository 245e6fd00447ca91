import { setFlagsFromString } from "node:v8";

/**
 * What keeps the memory of a process small that mostly waits. Measured: docs/benchmarks/log.md. The young
 * generation stays at the megabyte that it begins with, and no quick machine code is made of functions that
 * run a few times at the start; what runs often is optimised all the same.
 */
const FLAGS = ["--semi-space-growth-factor=1", "--no-sparkplug"] as const;

/** V8 of Node 18 to 22. Of a flag that it does not know, V8 complains on standard error. */
const KNOWN_VERSIONS = /^1[0-2]\./;

/** Sets V8 up for an agent, before the code is compiled. Options of the command line stay in force. */
export function holdMemoryLow(): void {
  setV8Flags(FLAGS);
}

/** Sets flags of V8; none where nobody tried them with this version. False: nothing was set. */
export function setV8Flags(flags: readonly string[]): boolean {
  if (!KNOWN_VERSIONS.test(process.versions.v8)) return false;
  for (const flag of flags) setFlagsFromString(flag);
  return true;
}
