import { sizeOf } from "./range-text.ts";
import { covers, type RuleBox } from "./rule-box.ts";

interface Drop {
  readonly box: RuleBox;
  isAlive: boolean;
}

/** Drops of at most so many ports are looked up by port. */
const MOST_PORTS = 16n;
/** Drops of a kind compared with one rule: from there on the rule counts as not shadowed. */
const MOST_COMPARED = 1000;

/** What rules above have dropped, to be asked whether a rule below is left anything. */
export interface DropIndex {
  /** Drops so far: what `forgetFrom` takes to go back to this point. */
  length(): number;
  add(box: RuleBox): void;
  /** Forgets the drops added after the index had this length. */
  forgetFrom(length: number): void;
  /**
   * Whether one drop alone takes every first packet of the box. Cost: at most
   * 2,000 comparisons.
   */
  takes(box: RuleBox): boolean;
}

/** An empty index. */
export function createDropIndex(): DropIndex {
  const all: Drop[] = [];
  const general: Drop[] = [];
  const byPort = new Map<bigint, Drop[]>();

  function enter(drop: Drop): void {
    const ports = drop.box.destinationPort;
    if (sizeOf(ports) > MOST_PORTS) {
      general.push(drop);
      return;
    }
    for (const { from, to } of ports) {
      for (let port = from; port <= to; port += 1n) {
        const known = byPort.get(port);
        if (known === undefined) byPort.set(port, [drop]);
        else known.push(drop);
      }
    }
  }

  return {
    length: () => all.length,
    add(box) {
      if (!box.isExact) return;
      const drop = { box, isAlive: true };
      all.push(drop);
      enter(drop);
    },
    forgetFrom(length) {
      for (const drop of all.splice(length)) drop.isAlive = false;
      while (general.at(-1)?.isAlive === false) general.pop();
    },
    takes(box) {
      const port = box.destinationPort[0]?.from ?? 0n;
      return isTaken(byPort.get(port) ?? [], box) || isTaken(general, box);
    },
  };
}

function isTaken(drops: readonly Drop[], box: RuleBox): boolean {
  let compared = 0;
  for (const drop of drops) {
    if (!drop.isAlive) continue;
    if (covers(drop.box, box)) return true;
    compared += 1;
    if (compared >= MOST_COMPARED) return false;
  }
  return false;
}
