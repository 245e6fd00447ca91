import type { RuleCases } from "../rule-case.ts";
import { SECTION_5_1 } from "./section-5-1.ts";
import { SECTION_5_2 } from "./section-5-2.ts";

export const CASES: readonly RuleCases[] = [
  ...SECTION_5_1,
  ...SECTION_5_2,
];
