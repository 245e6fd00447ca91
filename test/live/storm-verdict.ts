import assert from "node:assert/strict";
import type { Seen, Storm } from "./connection-storm.ts";

/** How what was seen compares with what was done. */
export interface StormVerdict {
  readonly connections: number;
  /** Of outbound connections: the process was named. */
  readonly ownersFound: number;
}

function tupleOf(seen: Seen): string {
  return `${seen.LocalAddress} ${seen.LocalPort} ${seen.RemoteAddress} ${seen.RemotePort}`;
}

/**
 * Every connection once, in the right direction, with the right process or none; and those without one are
 * exactly as many as were counted as lost.
 */
export function judgeStorm(storm: Storm): StormVerdict {
  const { done, processIds, seen, losses } = storm;
  let unknown = 0;
  for (const direction of ["In", "Out"] as const) {
    const of = seen.filter((one) => one.Direction === direction);
    assert.deepEqual(of.map(tupleOf).sort(), [...done[direction]].sort());
    const others = of.filter((one) => one.ProcessId !== processIds[direction]);
    assert.deepEqual(
      others.filter((one) => one.ProcessId !== 0),
      [],
      "a wrong process",
    );
    unknown += others.length;
  }
  assert.deepEqual(losses, unknown === 0 ? {} : { "process-unknown": unknown });
  const inbound = seen.filter((one) => one.Direction === "In" && one.ProcessId === 0);
  assert.deepEqual(inbound, [], "who listens is always known");
  return { connections: seen.length, ownersFound: done.Out.length - unknown };
}
