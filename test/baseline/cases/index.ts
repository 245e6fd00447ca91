import type { RuleCases } from "../rule-case.ts";
import { SECTION_1_1_CASES } from "./section-1-1.ts";
import { SECTION_1_2_CASES } from "./section-1-2.ts";
import { SECTION_1_5_CASES } from "./section-1-5.ts";
import { SECTION_1_6_CASES } from "./section-1-6.ts";
import { SECTION_2_CASES } from "./section-2.ts";

export const CASES: readonly RuleCases[] = [
  ...SECTION_1_1_CASES,
  ...SECTION_1_2_CASES,
  ...SECTION_1_5_CASES,
  ...SECTION_1_6_CASES,
  ...SECTION_2_CASES,
];
