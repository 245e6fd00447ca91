import type { HealthState } from "../recommendations/verdict.ts";
import { namesOf, numbered } from "./device-groups.ts";
import type { EdgeFacts } from "./hub-facts.ts";

/** How `$edgeAgent` twins are had, for a shell: there the dollar needs its backslash. */
const HOW_TO_GET_TWINS = String.raw`az iot hub query -n HUB -q "SELECT * FROM devices.modules WHERE moduleId IN ['\$edgeAgent', '\$edgeHub']"`;

/** What of the deployments is missing: why a verdict over them may not be healthy. */
export function missingOfEdge({
  deployments,
  withoutTwin,
  isComplete,
  leftOut,
}: EdgeFacts): readonly string[] {
  const none = deployments.length === 0 && withoutTwin.length === 0 && !isComplete;
  return [
    ...(none ? [`$edgeAgent twins: ${HOW_TO_GET_TWINS} (--twins FILE)`] : []),
    ...(withoutTwin.length === 0
      ? []
      : [
          `$edgeAgent twins of ${numbered(withoutTwin.length, "gateway")}: ${namesOf(withoutTwin)}`,
        ]),
    ...(leftOut === 0 ? [] : [`${numbered(leftOut, "gateway")} beyond the most that are compared`]),
  ];
}

/** Unhealthy by what was found; healthy only where nothing is missing. */
export function stateOf(found: number, missing: readonly string[]): HealthState {
  if (found > 0) return "unhealthy";
  return missing.length > 0 ? "unknown" : "healthy";
}

/** Parts of deployments that could not be read, for a rule that looks at these parts. */
export function brokenOf(
  { deployments }: EdgeFacts,
  looksAt: (part: string) => boolean,
): readonly string[] {
  const broken = deployments
    .filter(({ brokenParts }) => brokenParts.some(looksAt))
    .map(({ deviceId }) => deviceId);
  return broken.length === 0
    ? []
    : [
        `a part of the $edgeAgent twins of ${numbered(broken.length, "gateway")}: ${namesOf(broken)}`,
      ];
}
