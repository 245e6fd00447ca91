import { describeFault } from "../contract/schema.ts";
import { plainText } from "../parse/plain-text.ts";
import { readSecurityGroups } from "../posture/alerts/read-security-group.ts";
import { SECURITY_GROUPS_NAME } from "../twin/classic-names.ts";
import type { TwinVerdict } from "../twin/dialect.ts";
import type { LintFinding } from "../twin/lint.ts";

/** What is wrong with the device security groups of a twin, and what of them the agent leaves aside. */
export function lintSecurityGroups(documents: TwinVerdict["documents"]): readonly LintFinding[] {
  const json = documents[SECURITY_GROUPS_NAME];
  if (json === undefined) return [];
  const reading = readSecurityGroups(json);
  const where = (path: string): string => plainText(`${SECURITY_GROUPS_NAME}: ${path}`, 200);
  if (!reading.ok) {
    return reading.faults.map((fault) => ({
      severity: "error",
      kind: "TypeMismatch",
      where: where(fault.path),
      message: plainText(`${describeFault(fault)}; none of the rules would apply`, 300),
    }));
  }
  return reading.groups.flatMap(({ hubOnly, unknown }) => [
    ...hubOnly.map(
      ({ path, name }): LintFinding => ({
        severity: "note",
        kind: "UnsupportedKey",
        where: where(path),
        message: plainText(`${name} can only be judged by who sees the hub`, 200),
      }),
    ),
    ...unknown.map(
      ({ path, name }): LintFinding => ({
        severity: "warning",
        kind: "UnknownKey",
        where: where(path),
        message: plainText(`the agent knows no ${name} and ignores it`, 200),
      }),
    ),
  ]);
}
