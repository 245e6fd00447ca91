import type {
  FirewallChain,
  FirewallRule,
  FirewallTable,
  RuleAction,
} from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import { holdsForStrangers } from "./stranger.ts";

/** What a base chain does with packets that no rule of it speaks of. */
export interface DefaultDecision {
  readonly decision: "accept" | "drop" | "unknown";
  /** The policy, or the rule that takes everything. */
  readonly decidedBy: string;
}

/** `through`: the packet comes back from the chain undecided. */
interface Passage {
  readonly decision: DefaultDecision["decision"] | "through";
  readonly decidedBy: string;
}

const THROUGH: Passage = { decision: "through", decidedBy: "" };

interface Walk {
  readonly family: AddressFamily;
  readonly chains: ReadonlyMap<string, FirewallChain>;
  /** A chain decides the same wherever it is jumped to from; undefined while it is being walked. */
  readonly known: Map<string, Passage | undefined>;
}

/**
 * Decides by the rules that every new connection meets (a drop of everything at the end of a chain is as
 * good as a policy), then by the policy. Rules that ask for more are taken as not met. Each chain is
 * walked once.
 */
export function defaultDecision(
  table: FirewallTable,
  chain: FirewallChain,
  family: AddressFamily,
): DefaultDecision {
  const chains = new Map(table.chains.map((one) => [one.name, one]));
  const { decision, decidedBy } = passChain(chain.name, { family, chains, known: new Map() });
  if (decision !== "through") return { decision, decidedBy };
  const policy = chain.base?.policy ?? "accept";
  return { decision: policy, decidedBy: `policy ${policy}` };
}

function passChain(name: string, walk: Walk): Passage {
  if (walk.known.has(name)) {
    // The kernel has no loops; a text that has one, or that was cut, decides nothing.
    return walk.known.get(name) ?? { decision: "unknown", decidedBy: `chain ${name}` };
  }
  const chain = walk.chains.get(name);
  if (chain === undefined) return { decision: "unknown", decidedBy: `chain ${name}` };
  walk.known.set(name, undefined);
  const passage = passRules(chain.rules, walk);
  walk.known.set(name, passage);
  return passage;
}

function passRules(rules: readonly FirewallRule[], walk: Walk): Passage {
  for (const { conditions, action, text } of rules) {
    if (!conditions.every((condition) => holdsForStrangers(condition, walk.family))) continue;
    const passage = passAction(action, text, walk);
    if (passage.decision !== "through") return passage;
    if (leavesChain(action)) return THROUGH;
  }
  return THROUGH;
}

function leavesChain({ kind }: RuleAction): boolean {
  return kind === "return" || kind === "goto";
}

function passAction(action: RuleAction, text: string, walk: Walk): Passage {
  switch (action.kind) {
    case "accept":
      return { decision: "accept", decidedBy: text };
    case "drop":
    case "reject":
      return { decision: "drop", decidedBy: text };
    case "jump":
    case "goto":
      return passChain(action.chain, walk);
    case "verdict-map": {
      const entry = action.entries.find(({ conditions }) =>
        conditions.every((condition) => holdsForStrangers(condition, walk.family)),
      );
      return entry === undefined ? THROUGH : passAction(entry.action, text, walk);
    }
    case "other":
      return { decision: "unknown", decidedBy: text };
    default:
      return THROUGH;
  }
}
