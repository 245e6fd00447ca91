import type { Rule } from "../rule.ts";
import { MODULE_RULES } from "./section-1-1-modules.ts";
import { MOUNT_RULES } from "./section-1-1-mounts.ts";
import { SOFTWARE_RULES } from "./section-1-2.ts";
import { BOOT_RULES } from "./section-1-4.ts";
import { PROCESS_RULES } from "./section-1-5.ts";
import { ACCESS_RULES, BANNER_RULES } from "./section-1-6.ts";
import { INETD_RULES, TIME_RULES } from "./section-2-1.ts";
import { CLIENT_RULES, SERVICE_RULES } from "./section-2-2.ts";
import { SECTION_3_1 } from "./section-3-1.ts";
import { SECTION_3_3 } from "./section-3-3.ts";
import { SECTION_3_5 } from "./section-3-5.ts";
import { SECTION_4_1 } from "./section-4-1.ts";
import { SECTION_4_2 } from "./section-4-2.ts";
import { SECTION_5_1 } from "./section-5-1.ts";
import { SECTION_5_2 } from "./section-5-2.ts";
import { SECTION_5_3 } from "./section-5-3.ts";
import { SECTION_5_4 } from "./section-5-4.ts";
import { SECTION_6_1 } from "./section-6-1.ts";
import { SECTION_6_2 } from "./section-6-2.ts";

/** Every control of CIS Distribution Independent Linux 2.0.0, in the order of its numbers. */
export const RULES: readonly Rule[] = [
  ...MODULE_RULES,
  ...MOUNT_RULES,
  ...SOFTWARE_RULES,
  ...BOOT_RULES,
  ...PROCESS_RULES,
  ...ACCESS_RULES,
  ...BANNER_RULES,
  ...INETD_RULES,
  ...TIME_RULES,
  ...SERVICE_RULES,
  ...CLIENT_RULES,
  ...SECTION_3_1,
  ...SECTION_3_3,
  ...SECTION_3_5,
  ...SECTION_4_1,
  ...SECTION_4_2,
  ...SECTION_5_1,
  ...SECTION_5_2,
  ...SECTION_5_3,
  ...SECTION_5_4,
  ...SECTION_6_1,
  ...SECTION_6_2,
];
