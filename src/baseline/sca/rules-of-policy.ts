import type { Rule } from "../rule.ts";
import type { ScaPolicy } from "./policy.ts";

const MAX_TITLE = 200;
const MAX_REMEDIATION = 2_000;
const MAX_GROUP = 80;

/**
 * The checks of an imported policy as rules of ours, `sca-` before their ids, so that they are selected, waived
 * and reported like all others. A policy that is about another system gives rules that do not apply.
 */
export function rulesOfPolicy(policy: ScaPolicy): readonly Rule[] {
  const { requirements, checks } = policy;
  return checks.map((check) => ({
    id: `sca-${check.id}`.replace(/[^A-Za-z0-9._-]/g, "-").slice(0, 40),
    title: check.title.trim().slice(0, MAX_TITLE) || `check ${check.id}`,
    rationale: "",
    remediation: (check.remediation ?? "").slice(0, MAX_REMEDIATION),
    level: 1,
    isScored: true,
    severity: "Warning",
    group: policy.name.slice(0, MAX_GROUP),
    cost: "shared",
    ...(requirements === undefined
      ? {}
      : {
          appliesWhen: { sca: withoutTexts(requirements) },
          otherwise: "the policy is about another system",
        }),
    check: { sca: withoutTexts(check) },
  }));
}

/** Its texts are those of the rule. */
function withoutTexts({ remediation: _, ...check }: ScaPolicy["checks"][number]) {
  return { ...check, title: check.title.slice(0, MAX_TITLE) };
}
