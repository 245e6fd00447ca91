import type { Rule } from "../rule.ts";

/** Every control of CIS Distribution Independent Linux 2.0.0, in the order of its numbers. */
export const RULES: readonly Rule[] = [];
