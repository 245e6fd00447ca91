import { describeError } from "../contract/errors.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { loadKoffi } from "./c-library.ts";

/** The calls of the C library by which a process gives memory back. */
export interface MemoryLibrary {
  /** Free memory inside of the malloc heap. Source: malloc_trim(3), glibc. */
  trimHeap(): void;
  /** Takes pages out of the process. Only for mappings that hold nothing but a file. Source: madvise(2). */
  dropPages(startAddress: bigint, bytes: number): void;
}

const MADV_DONTNEED = 4;

/** Error: `unsupported` without koffi, or with a C library (musl) that has no malloc_trim(3). */
export function loadMemoryLibrary(): Result<MemoryLibrary> {
  const loaded = loadKoffi();
  if (!loaded.ok) return loaded;
  try {
    const library = loaded.value.load(null);
    const trim = library.func("malloc_trim", "int", ["size_t"]);
    const advise = library.func("madvise", "int", ["uintptr_t", "size_t", "int"]);
    return ok({
      trimHeap: () => void trim(0),
      dropPages: (startAddress, bytes) => void advise(startAddress, bytes, MADV_DONTNEED),
    });
  } catch (error) {
    return fail("unsupported", "malloc_trim", describeError(error));
  }
}
