import type { Rule } from "../rule.ts";
import { SECTION_5_1 } from "./section-5-1.ts";
import { SECTION_5_2 } from "./section-5-2.ts";

/** Every control of CIS Distribution Independent Linux 2.0.0, in the order of its numbers. */
export const RULES: readonly Rule[] = [...SECTION_5_1, ...SECTION_5_2];
