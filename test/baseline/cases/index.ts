import type { RuleCases } from "../rule-case.ts";
import { SECTION_1_1_CASES } from "./section-1-1.ts";
import { SECTION_1_2_CASES } from "./section-1-2.ts";
import { SECTION_1_5_CASES } from "./section-1-5.ts";
import { SECTION_1_6_CASES } from "./section-1-6.ts";
import { SECTION_2_CASES } from "./section-2.ts";
import { SECTION_3_1_CASES } from "./section-3-1.ts";
import { SECTION_3_3_CASES } from "./section-3-3.ts";
import { SECTION_3_5_CASES } from "./section-3-5.ts";
import { SECTION_4_1_CASES } from "./section-4-1.ts";
import { SECTION_4_2_CASES } from "./section-4-2.ts";
import { SECTION_5_1 } from "./section-5-1.ts";
import { SECTION_5_2 } from "./section-5-2.ts";
import { SECTION_5_3 } from "./section-5-3.ts";
import { SECTION_5_4 } from "./section-5-4.ts";
import { SECTION_6_1 } from "./section-6-1.ts";
import { SECTION_6_2 } from "./section-6-2.ts";

export const CASES: readonly RuleCases[] = [
  ...SECTION_1_1_CASES,
  ...SECTION_1_2_CASES,
  ...SECTION_1_5_CASES,
  ...SECTION_1_6_CASES,
  ...SECTION_2_CASES,
  ...SECTION_3_1_CASES,
  ...SECTION_3_3_CASES,
  ...SECTION_3_5_CASES,
  ...SECTION_4_1_CASES,
  ...SECTION_4_2_CASES,
  ...SECTION_5_1,
  ...SECTION_5_2,
  ...SECTION_5_3,
  ...SECTION_5_4,
  ...SECTION_6_1,
  ...SECTION_6_2,
];
