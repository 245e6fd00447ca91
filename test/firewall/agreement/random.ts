/** Random choices that a seed repeats. */
export interface Dice {
  /** From `from` to `to`, both included. */
  whole(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<T>(choices: readonly [T, ...T[]] | readonly T[]): T;
  /** Distinct ones, at most as many as there are. */
  some<T>(choices: readonly T[], count: number): readonly T[];
  /** Calls one of the functions, chosen by weight. */
  weighted<T>(choices: readonly (readonly [weight: number, make: () => T])[]): T;
}

/** The generator mulberry32; every seed of 32 bits gives its own sequence. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  const pick = <T>(choices: readonly T[]): T => {
    if (choices.length === 0) throw new Error("nothing to pick from");
    // The index is within the list.
    return choices[whole(0, choices.length - 1)] as T;
  };
  return {
    whole,
    chance: (probability) => next() < probability,
    pick,
    some(choices, count) {
      const left = [...choices];
      const taken = [];
      while (taken.length < count && left.length > 0)
        taken.push(...left.splice(whole(0, left.length - 1), 1));
      return taken;
    },
    weighted(choices) {
      const total = choices.reduce((sum, [weight]) => sum + weight, 0);
      let at = next() * total;
      for (const [weight, make] of choices) {
        at -= weight;
        if (at < 0) return make();
      }
      return pick(choices)[1]();
    },
  };
}
