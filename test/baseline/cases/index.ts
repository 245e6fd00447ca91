import type { RuleCases } from "../rule-case.ts";

export const CASES: readonly RuleCases[] = [];
