import { fail, ok, type Result } from "../../../contract/result.ts";
import type { CodeRanges, PatternNode } from "./syntax.ts";

/** One step of a program. `split` prefers its first way. */
export type Instruction =
  | { readonly op: "set"; readonly ranges: CodeRanges; readonly isNegated: boolean }
  | { op: "split"; first: number; second: number }
  | { op: "jump"; to: number }
  | { readonly op: "begin" }
  | { readonly op: "end" }
  | { readonly op: "word-edge"; readonly isNegated: boolean }
  | { readonly op: "save"; readonly slot: 0 | 1 }
  | { readonly op: "match" };

/** A pattern as steps of an automaton. */
export interface Program {
  readonly steps: readonly Instruction[];
  readonly ignoresCase: boolean;
}

/** Most steps: what a line costs is this times its length. */
const MAX_STEPS = 4000;

function emit(steps: Instruction[], node: PatternNode): boolean {
  if (steps.length > MAX_STEPS) return false;
  switch (node.kind) {
    case "set":
      steps.push({ op: "set", ranges: node.ranges, isNegated: node.isNegated });
      return true;
    case "begin":
    case "end":
      steps.push({ op: node.kind });
      return true;
    case "word-edge":
      steps.push({ op: "word-edge", isNegated: node.isNegated });
      return true;
    case "sequence":
      return node.parts.every((part) => emit(steps, part));
    case "capture": {
      steps.push({ op: "save", slot: 0 });
      const isSmall = emit(steps, node.part);
      steps.push({ op: "save", slot: 1 });
      return isSmall;
    }
    case "either":
      return emitEither(steps, node.parts);
    case "repeat":
      return emitRepeat(steps, node);
  }
}

function emitEither(steps: Instruction[], parts: readonly PatternNode[]): boolean {
  const jumps: { op: "jump"; to: number }[] = [];
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1) {
      if (!emit(steps, part)) return false;
      continue;
    }
    const split = { op: "split" as const, first: steps.length + 1, second: 0 };
    steps.push(split);
    if (!emit(steps, part)) return false;
    const jump = { op: "jump" as const, to: 0 };
    steps.push(jump);
    jumps.push(jump);
    split.second = steps.length;
  }
  for (const jump of jumps) jump.to = steps.length;
  return true;
}

function emitRepeat(
  steps: Instruction[],
  node: Extract<PatternNode, { readonly kind: "repeat" }>,
): boolean {
  for (let count = 0; count < node.least; count += 1) if (!emit(steps, node.part)) return false;
  const splits: { op: "split"; first: number; second: number }[] = [];
  const fork = (): void => {
    const split = { op: "split" as const, first: steps.length + 1, second: 0 };
    steps.push(split);
    splits.push(split);
  };
  if (node.most === undefined) {
    const start = steps.length;
    fork();
    if (!emit(steps, node.part)) return false;
    steps.push({ op: "jump", to: start });
  } else {
    for (let count = node.least; count < node.most; count += 1) {
      fork();
      if (!emit(steps, node.part)) return false;
    }
  }
  for (const split of splits) {
    if (node.isLazy) {
      split.second = split.first;
      split.first = steps.length;
    } else split.second = steps.length;
  }
  return true;
}

/** Makes the steps. Error `too-large`: more of them than a line may cost. */
export function programOf(node: PatternNode, ignoresCase: boolean): Result<Program> {
  const steps: Instruction[] = [];
  if (!emit(steps, node) || steps.length > MAX_STEPS)
    return fail("too-large", "regular expression", `more than ${MAX_STEPS} steps`);
  steps.push({ op: "match" });
  return ok({ steps, ignoresCase });
}
