import type { ProcessFacts } from "../../src/contract/probe.ts";

/** Processes that are about to have a connection. */
export interface Claims {
  has(key: string): boolean;
  /** The process, which is then forgotten: ports are used again. */
  get(key: string): ProcessFacts | undefined;
  set(key: string, process: ProcessFacts): void;
}

/** Attempts that wait for an answer take up to two minutes each. */
const MOST_CLAIMS = 4_096;

/** Bounded: the oldest are forgotten first. */
export function createClaims(): Claims {
  const claims = new Map<string, ProcessFacts>();
  return {
    has: (key) => claims.has(key),
    get(key) {
      const process = claims.get(key);
      claims.delete(key);
      return process;
    },
    set(key, process) {
      claims.set(key, process);
      const [oldest] = claims.keys();
      if (claims.size > MOST_CLAIMS && oldest !== undefined) claims.delete(oldest);
    },
  };
}
