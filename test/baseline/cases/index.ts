import type { RuleCases } from "../rule-case.ts";
import { SECTION_3_1_CASES } from "./section-3-1.ts";
import { SECTION_3_3_CASES } from "./section-3-3.ts";
import { SECTION_3_5_CASES } from "./section-3-5.ts";
import { SECTION_4_1_CASES } from "./section-4-1.ts";
import { SECTION_4_2_CASES } from "./section-4-2.ts";

export const CASES: readonly RuleCases[] = [
  ...SECTION_3_1_CASES,
  ...SECTION_3_3_CASES,
  ...SECTION_3_5_CASES,
  ...SECTION_4_1_CASES,
  ...SECTION_4_2_CASES,
];
