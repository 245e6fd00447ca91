import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { fail, ok, type Result } from "../contract/result.ts";
import { problemOf } from "./system-problem.ts";

const PORTION_BYTES = 65_536;

/** See `Probe.sha256`. Reads on Node's threads, so that the rest of the agent runs on. */
export async function sha256OfFile(
  path: string,
  maxBytes: number,
  signal: AbortSignal,
  subject: string,
): Promise<Result<string>> {
  try {
    const file = await open(path, "r");
    try {
      const hash = createHash("sha256");
      const portion = Buffer.allocUnsafe(PORTION_BYTES);
      for (let total = 0; total <= maxBytes; ) {
        if (signal.aborted) return fail("timed-out", subject, "stopped before it was complete");
        const { bytesRead } = await file.read(portion, 0, PORTION_BYTES, null);
        if (bytesRead === 0) return ok(hash.digest("hex"));
        hash.update(portion.subarray(0, bytesRead));
        total += bytesRead;
      }
      return fail("too-large", subject, `more than ${maxBytes} bytes`);
    } finally {
      await file.close();
    }
  } catch (error) {
    return problemOf(error, subject);
  }
}
