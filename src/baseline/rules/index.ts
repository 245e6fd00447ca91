import type { Rule } from "../rule.ts";
import { SECTION_3_1 } from "./section-3-1.ts";
import { SECTION_3_3 } from "./section-3-3.ts";
import { SECTION_3_5 } from "./section-3-5.ts";
import { SECTION_4_1 } from "./section-4-1.ts";
import { SECTION_4_2 } from "./section-4-2.ts";

/** Every control of CIS Distribution Independent Linux 2.0.0, in the order of its numbers. */
export const RULES: readonly Rule[] = [
  ...SECTION_3_1,
  ...SECTION_3_3,
  ...SECTION_3_5,
  ...SECTION_4_1,
  ...SECTION_4_2,
];
