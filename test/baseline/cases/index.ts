import type { RuleCases } from "../rule-case.ts";
import { SECTION_1_1_CASES } from "./section-1-1.ts";

export const CASES: readonly RuleCases[] = [...SECTION_1_1_CASES];
