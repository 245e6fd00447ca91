import type { Device } from "./device.ts";
import { allOf, anyOf, because, type Outcome, opposite } from "./outcome.ts";
import { judgePrimitive, type PrimitiveCheck } from "./primitives/judge.ts";
import { judgeScaCheck } from "./sca/judge.ts";
import type { ScaCheck } from "./sca/policy.ts";

/** A check expression: primitives joined by all, any and not. */
export type Check =
  | { readonly all: readonly Check[] }
  | { readonly any: readonly Check[] }
  | { readonly not: Check }
  /** No program can decide; the text says why. */
  | { readonly manual: string }
  /** A check of an imported policy. */
  | { readonly sca: ScaCheck }
  | PrimitiveCheck;

/** Judges a check on a device. Never throws for what the device holds. */
export function judgeCheck(check: Check, device: Device): Outcome {
  if ("all" in check) return allOf(check.all.map((part) => judgeCheck(part, device)));
  if ("any" in check) return anyOf(check.any.map((part) => judgeCheck(part, device)));
  if ("not" in check) return opposite(judgeCheck(check.not, device));
  if ("manual" in check) return because("manual", check.manual);
  if ("sca" in check) return judgeScaCheck(check.sca, device);
  return judgePrimitive(check, device);
}
