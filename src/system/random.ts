import { randomUUID } from "node:crypto";
import type { Random } from "../contract/random.ts";

/** Chance from the machine. */
export const systemRandom: Random = {
  fraction: () => Math.random(),
  uuid: () => randomUUID(),
};
