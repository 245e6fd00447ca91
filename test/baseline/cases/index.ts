import type { RuleCases } from "../rule-case.ts";
import { SECTION_5_1 } from "./section-5-1.ts";
import { SECTION_5_2 } from "./section-5-2.ts";
import { SECTION_5_3 } from "./section-5-3.ts";
import { SECTION_5_4 } from "./section-5-4.ts";
import { SECTION_6_1 } from "./section-6-1.ts";
import { SECTION_6_2 } from "./section-6-2.ts";

export const CASES: readonly RuleCases[] = [
  ...SECTION_5_1,
  ...SECTION_5_2, ...SECTION_5_3, ...SECTION_5_4,
  ...SECTION_6_1,
  ...SECTION_6_2,
];
