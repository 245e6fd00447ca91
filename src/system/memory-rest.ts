import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock } from "../contract/clock.ts";
import { unchangedFileMappings } from "../parse/file-mappings.ts";
import { loadMemoryLibrary } from "./memory-library.ts";
import { setV8Flags } from "./v8-settings.ts";

/** Gives memory back when work is over. */
export interface MemoryRest {
  /** Looks whether the process has become large and is quiet now; call it every now and then. */
  look(): void;
}

export interface MemoryRestOptions {
  readonly clock: Clock;
  /** Bytes of memory that the process has in use, as the kernel counts them. */
  readonly residentBytes: () => number;
  /** Gives back what can be given back; takes some 50 ms, in which nothing else happens. */
  readonly giveBack: () => void;
  /** Awaited before: brings to disk what was promised to be there soon. Its failure is its own business. */
  readonly prepare?: () => Promise<void>;
}

/** A snapshot of everything leaves about so much behind. */
const WORTH_BYTES = 6_000_000;
/** While it grows by more than this from one look to the next, the process is at work. */
const QUIET_BYTES = 1_000_000;
/** Not more often: with 50 ms each, that is 0.02 % of a core at most. */
const PAUSE_MS = 300_000;
/** The first start leaves more behind than all that comes after. */
const FIRST_AFTER_MS = 10_000;

/** V8 collects on demand of the program only: a process that waits keeps what its last work left behind. */
export function createMemoryRest(options: MemoryRestOptions): MemoryRest {
  const { clock, residentBytes } = options;
  const startedMs = clock.monotonicMs();
  let lastMs: number | undefined;
  let floorBytes = 0;
  let previousBytes = Number.POSITIVE_INFINITY;

  function isTime(bytes: number): boolean {
    const nowMs = clock.monotonicMs();
    if (lastMs === undefined) return nowMs - startedMs >= FIRST_AFTER_MS;
    if (nowMs - lastMs < PAUSE_MS || bytes - floorBytes < WORTH_BYTES) return false;
    const isQuiet = bytes - previousBytes < QUIET_BYTES;
    return isQuiet || bytes - floorBytes > 4 * WORTH_BYTES;
  }

  function giveBack(): void {
    options.giveBack();
    floorBytes = residentBytes();
    previousBytes = floorBytes;
  }

  return {
    look() {
      const bytes = residentBytes();
      const isLarge = isTime(bytes);
      previousBytes = bytes;
      if (!isLarge) return;
      lastMs = clock.monotonicMs();
      if (options.prepare === undefined) giveBack();
      else options.prepare().then(giveBack, giveBack);
    },
  };
}

/**
 * Gives back all that a process at rest does without: garbage, machine code and byte code that V8 makes
 * anew when it is called, free memory inside of malloc's heap, and the pages of programs and libraries that
 * are mapped since the start, which come back from the page cache as they are touched. What cannot be had
 * (koffi, glibc) is left out. Cost: about 50 ms, and the first calls afterwards are slower.
 */
export function giveMemoryBack(): void {
  collectEverything();
  const library = loadMemoryLibrary();
  if (!library.ok) return;
  library.value.trimHeap();
  for (const { startAddress, bytes } of unchangedFileMappings(ownMappings())) {
    library.value.dropPages(startAddress, bytes);
  }
}

function collectEverything(): void {
  const collect = collector();
  setV8Flags(["--compact-on-every-full-gc", "--stress-flush-code"]);
  collect();
  // What the first run found old is gone after the second.
  collect();
  setV8Flags(["--no-stress-flush-code", "--no-compact-on-every-full-gc"]);
}

/** V8's own; a global only with --expose-gc on the command line, as in the unit. */
function collector(): () => void {
  if (globalThis.gc !== undefined) return globalThis.gc;
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  return typeof collect === "function" ? () => collect() : () => undefined;
}

function ownMappings(): string {
  try {
    return readFileSync("/proc/self/smaps", "utf8");
  } catch {
    // Without /proc nothing is known of the mappings, and nothing is done to them.
    return "";
  }
}
