import type { Rule } from "../rule.ts";
import { MODULE_RULES } from "./section-1-1-modules.ts";
import { MOUNT_RULES } from "./section-1-1-mounts.ts";

/** Every control of CIS Distribution Independent Linux 2.0.0, in the order of its numbers. */
export const RULES: readonly Rule[] = [...MODULE_RULES, ...MOUNT_RULES];
