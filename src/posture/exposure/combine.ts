import { addressFromNumber } from "../../parse/address-number.ts";
import type { Flow } from "./flow.ts";
import { rulesOf } from "./flow.ts";
import type { Exposure, ExposurePiece, ExposureVerdict, RuleReference } from "./query.ts";
import { intersect, isSame, type RangeSet, subtract, union } from "./range-set.ts";

/** The end of a flow's way. */
export interface Fate {
  readonly verdict: ExposureVerdict;
  readonly flow: Flow;
  /** It ended behind the device. */
  readonly isForwarded: boolean;
}

/** Sources, or source ports, that all the same fates apply to. */
interface Part {
  readonly range: RangeSet;
  readonly fates: readonly Fate[];
}

/**
 * One answer from many fates. Several fates of the same packet mean that a rule on its way could not be
 * decided: where they agree the answer is sure all the same. Packets of one source to several addresses
 * of the device, or from several ports, are alternatives that the sender chooses from.
 */
export function combine(fates: readonly Fate[], isComplete: boolean): Exposure {
  const pieces = mergePieces(
    partsOf(fates, ({ flow }) => flow.sources).map((part) => judge(part, isComplete)),
  );
  const verdict = strongest(pieces.map((piece) => piece.verdict));
  return { verdict, pieces };
}

/** What a sender can achieve who may choose. */
function strongest(verdicts: readonly ExposureVerdict[]): ExposureVerdict {
  if (verdicts.includes("allow")) return "allow";
  return verdicts.includes("unknown") ? "unknown" : "deny";
}

/** Divides what the fates range over into parts that the same fates apply to. */
function partsOf(fates: readonly Fate[], rangeOf: (fate: Fate) => RangeSet): readonly Part[] {
  let parts: Part[] = [];
  for (const fate of fates) {
    let left = rangeOf(fate);
    const next: Part[] = [];
    for (const part of parts) {
      const common = intersect(part.range, left);
      if (common.length === 0) {
        next.push(part);
        continue;
      }
      next.push({ range: common, fates: [...part.fates, fate] });
      const outside = subtract(part.range, left);
      if (outside.length > 0) next.push({ range: outside, fates: part.fates });
      left = subtract(left, common);
    }
    if (left.length > 0) next.push({ range: left, fates: [fate] });
    parts = next;
  }
  return parts;
}

function judge(part: Part, isComplete: boolean): ExposurePiece {
  const choices = groupByDestination(part.fates).flatMap((fates) =>
    partsOf(fates, ({ flow }) => flow.sourcePorts),
  );
  const judged = choices.map((choice) => ({ choice, verdict: agreed(choice.fates) }));
  const verdict = strongest(judged.map((one) => one.verdict));
  const decisive = judged.find((one) => one.verdict === verdict)?.choice.fates ?? part.fates;
  const [first] = decisive;
  const arrivesAt = verdict === "allow" && first !== undefined ? arrival(first) : undefined;
  // What cannot be seen might drop it.
  const isDoubtful = verdict === "allow" && !isComplete;
  return {
    sources: part.range,
    verdict: isDoubtful ? "unknown" : verdict,
    rules: first === undefined ? [] : rulesOf(first.flow.trace),
    doubts: verdict === "unknown" ? doubtsOf(decisive) : [],
    ...(arrivesAt === undefined ? {} : { arrivesAt }),
  };
}

function agreed(fates: readonly Fate[]): ExposureVerdict {
  const [first] = fates;
  if (first === undefined) return "unknown";
  return fates.every((fate) => fate.verdict === first.verdict) ? first.verdict : "unknown";
}

function groupByDestination(fates: readonly Fate[]): readonly (readonly Fate[])[] {
  const groups = new Map<bigint | undefined, Fate[]>();
  for (const fate of fates) {
    const { address } = fate.flow.originalDestination;
    const group = groups.get(address);
    if (group === undefined) groups.set(address, [fate]);
    else group.push(fate);
  }
  return [...groups.values()];
}

function doubtsOf(fates: readonly Fate[]): readonly RuleReference[] {
  return [...new Set(fates.flatMap((fate) => fate.flow.doubts))];
}

function arrival({ flow }: Fate): ExposurePiece["arrivesAt"] {
  if (!flow.isDestinationTranslated) return undefined;
  const { address, port } = flow.destination;
  return {
    address: address === undefined ? undefined : addressFromNumber(flow.family, address),
    port,
  };
}

/** Pieces of the same verdict, rules and doubts are one. */
function mergePieces(pieces: readonly ExposurePiece[]): readonly ExposurePiece[] {
  const merged: ExposurePiece[] = [];
  for (const piece of pieces) {
    const at = merged.findIndex((other) => isSamePiece(other, piece));
    const alike = merged[at];
    if (alike === undefined) merged.push(piece);
    else merged[at] = { ...alike, sources: union(alike.sources, piece.sources) };
  }
  return merged.sort((a, b) => compareFirst(a.sources, b.sources));
}

function isSamePiece(left: ExposurePiece, right: ExposurePiece): boolean {
  return (
    left.verdict === right.verdict &&
    isSameRules(left.rules, right.rules) &&
    isSameRules(left.doubts, right.doubts) &&
    left.arrivesAt?.address === right.arrivesAt?.address &&
    left.arrivesAt?.port === right.arrivesAt?.port &&
    !isSame(left.sources, right.sources)
  );
}

function isSameRules(left: readonly RuleReference[], right: readonly RuleReference[]): boolean {
  return (
    left.length === right.length &&
    left.every((rule, at) => {
      const other = right[at];
      return rule.chain === other?.chain && rule.position === other.position;
    })
  );
}

function compareFirst(left: RangeSet, right: RangeSet): number {
  const a = left[0]?.from ?? 0n;
  const b = right[0]?.from ?? 0n;
  return a < b ? -1 : a > b ? 1 : 0;
}
