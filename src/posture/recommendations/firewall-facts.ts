import type { Firewall } from "../../contract/firewall.ts";
import type { UnknownBackend } from "../../contract/firewall-source.ts";
import type { Problem } from "../../contract/result.ts";

/** The firewall as far as it could be read, from `firewallOf` and the reading that it was made of. */
export interface FirewallFacts {
  readonly firewall: Firewall;
  /** Backends that may have rules and could not be asked. */
  readonly unknown: readonly UnknownBackend[];
  /** What else went wrong: a text that was cut, a rule that was not understood. */
  readonly problems?: readonly Problem[];
}

/** What is not known of a firewall, in words; empty when all of it is known. */
export function missingOfFirewall(facts: FirewallFacts | undefined): readonly string[] {
  if (facts === undefined) return ["the firewall, which has not been read yet"];
  const backends = facts.unknown.map(
    ({ backend, family, problem }) =>
      `the rules of ${backend} (${family}): ${problem.subject}: ${problem.detail} (${problem.code})`,
  );
  if (facts.firewall.isComplete || backends.length > 0) return backends;
  const [first] = facts.problems ?? [];
  const why = first === undefined ? "" : `: ${first.subject}: ${first.detail} (${first.code})`;
  return [`the part of the firewall's rules that could not be read${why}`];
}
