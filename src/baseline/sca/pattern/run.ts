import type { Instruction, Program } from "./program.ts";
import type { CodeRanges } from "./syntax.ts";

/** A line that matches, and what the first parentheses took of it. */
export interface PatternMatch {
  readonly text: string;
  readonly captured?: string;
}

/** Where a way through the program began, and where the first parentheses opened and closed. */
interface Trail {
  readonly from: number;
  readonly open: number;
  readonly close: number;
}

interface Threads {
  readonly steps: number[];
  readonly trails: Trail[];
  /** Position at which a step was added last, so that it is added once. */
  readonly seenAt: Int32Array;
}

function isIn(ranges: CodeRanges, unit: number): boolean {
  for (const [from, to] of ranges) if (unit >= from && unit <= to) return true;
  return false;
}

/** The other case of an ASCII letter. */
function otherCase(unit: number): number {
  const lower = unit | 32;
  return lower >= 97 && lower <= 122 ? unit ^ 32 : unit;
}

function fits(
  step: Extract<Instruction, { readonly op: "set" }>,
  unit: number,
  ignoresCase: boolean,
): boolean {
  const isMember = isIn(step.ranges, unit) || (ignoresCase && isIn(step.ranges, otherCase(unit)));
  return isMember !== step.isNegated;
}

function isWord(line: string, at: number): boolean {
  return at >= 0 && at < line.length && /\w/.test(line.charAt(at));
}

/** Follows the steps that take no character. The stack keeps the order of preference. */
function add(
  program: Program,
  line: string,
  at: number,
  into: Threads,
  start: number,
  begun: Trail,
): void {
  const stack: { step: number; trail: Trail }[] = [{ step: start, trail: begun }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { step, trail } = next;
    if (into.seenAt[step] === at) continue;
    into.seenAt[step] = at;
    const instruction = program.steps[step];
    if (instruction === undefined) continue;
    switch (instruction.op) {
      case "jump":
        stack.push({ step: instruction.to, trail });
        break;
      case "split":
        stack.push({ step: instruction.second, trail }, { step: instruction.first, trail });
        break;
      case "save":
        stack.push({
          step: step + 1,
          trail: instruction.slot === 0 ? { ...trail, open: at } : { ...trail, close: at },
        });
        break;
      case "begin":
        if (at === 0) stack.push({ step: step + 1, trail });
        break;
      case "end":
        if (at === line.length) stack.push({ step: step + 1, trail });
        break;
      case "word-edge":
        if ((isWord(line, at - 1) !== isWord(line, at)) !== instruction.isNegated)
          stack.push({ step: step + 1, trail });
        break;
      default:
        into.steps.push(step);
        into.trails.push(trail);
    }
  }
}

function threads(program: Program): Threads {
  return { steps: [], trails: [], seenAt: new Int32Array(program.steps.length).fill(-1) };
}

/**
 * The leftmost match in a line, by preference among equals as PCRE2 has it. The time is bounded by the
 * steps of the program times the length of the line, whatever both say. Source: R. Cox, Regular
 * Expression Matching: the Virtual Machine Approach (Pike's machine).
 */
export function runPattern(program: Program, line: string): PatternMatch | undefined {
  let now = threads(program);
  let later = threads(program);
  let found: { readonly trail: Trail; readonly to: number } | undefined;
  for (let at = 0; at <= line.length; at += 1) {
    if (found === undefined) add(program, line, at, now, 0, { from: at, open: -1, close: -1 });
    if (now.steps.length === 0) {
      if (found !== undefined) break;
      continue;
    }
    const unit = line.charCodeAt(at);
    for (const [index, step] of now.steps.entries()) {
      const trail = now.trails[index];
      const instruction = program.steps[step];
      if (trail === undefined || instruction === undefined) continue;
      if (instruction.op === "match") {
        found = { trail, to: at };
        // What follows is less preferred.
        break;
      }
      if (instruction.op !== "set" || at === line.length) continue;
      if (fits(instruction, unit, program.ignoresCase))
        add(program, line, at + 1, later, step + 1, trail);
    }
    [now, later] = [later, now];
    later.steps.length = 0;
    later.trails.length = 0;
  }
  if (found === undefined) return undefined;
  const { from, open, close } = found.trail;
  const text = line.slice(from, found.to);
  return open >= 0 && close >= open ? { text, captured: line.slice(open, close) } : { text };
}
