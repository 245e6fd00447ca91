import type { AddressFamily } from "../../contract/address-family.ts";
import type { Firewall, FirewallHook } from "../../contract/firewall.ts";
import type { Device } from "../device.ts";
import { defaultVerdict, filterChains, type PlacedChain } from "../facts/firewall-paths.ts";
import { ipv6Absence } from "../facts/ipv6.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";
import { judgeEstablished, judgeLoopback, judgePorts } from "./firewall-rules.ts";

/** What the rule set in force does with packets of one family. */
export interface FirewallCheck {
  readonly test: "firewall";
  readonly family: AddressFamily;
  /**
   * `default-deny`: what no rule allows is dropped or rejected, in, out and through. `loopback`: the
   * loopback interface is allowed, and its addresses are refused elsewhere. `established`: answers come in
   * and connections go out. `ports`: each listening port is named by a rule.
   */
  readonly want: "default-deny" | "loopback" | "established" | "ports";
}

const HOOKS: readonly FirewallHook[] = ["input", "forward", "output"];

/** Judges the rule sets that were read before the scan; without them it does not apply. */
export function judgeFirewall(check: FirewallCheck, device: Device): Outcome {
  if (device.firewall.state === "missing")
    return because("not-applicable", "the rule sets were not read");
  if (device.firewall.state === "unreadable") return because("error", device.firewall.reason);
  if (check.family === "ipv6") {
    const absence = ipv6Absence(device);
    if (absence.state === "unreadable") return because("error", absence.reason);
    if (absence.state === "value" && absence.value !== undefined)
      return because("not-applicable", absence.value);
  }
  const firewall = device.firewall.value;
  return withoutProof(firewall, judge(check, firewall, device));
}

function judge(check: FirewallCheck, firewall: Firewall, device: Device): Outcome {
  switch (check.want) {
    case "default-deny":
      return allOf(HOOKS.map((hook) => judgeDefault(check.family, hook, firewall)));
    case "loopback":
      return judgeLoopback(firewall, check.family);
    case "established":
      return judgeEstablished(firewall, check.family);
    case "ports":
      return judgePorts(firewall, check.family, device);
  }
}

/** A rule that was not found may be in the part that could not be read. */
function withoutProof(firewall: Firewall, outcome: Outcome): Outcome {
  if (firewall.isComplete || outcome.verdict !== "fail") return outcome;
  return because("error", "only a part of the rule sets could be read", outcome.evidence);
}

function placeOf({ table, chain }: PlacedChain): string {
  return `${table.backend} ${table.family} ${table.name} ${chain.name}`;
}

/** One chain that denies is enough: a packet must pass them all. */
function judgeDefault(family: AddressFamily, hook: FirewallHook, firewall: Firewall): Outcome {
  const chains = filterChains(firewall, family, hook);
  const verdicts = chains.map((placed) => ({ placed, verdict: defaultVerdict(placed) }));
  const expected = `${hook}: denied unless allowed`;
  const denying = verdicts.find(({ verdict }) => verdict === "denied");
  if (denying !== undefined)
    return decide(true, evidence(placeOf(denying.placed), expected, "denied", "live"));
  const unknown = verdicts.find(({ verdict }) => verdict === "unknown");
  if (unknown !== undefined) {
    const place = placeOf(unknown.placed);
    return because("error", `${place}: what the last rule does cannot be foreseen`);
  }
  const [first] = verdicts;
  const place = first === undefined ? `${family} firewall` : placeOf(first.placed);
  const found = first === undefined ? "no chain" : "accepted";
  return decide(false, evidence(place, expected, found, "live"));
}
