import { knownDetails, type PayloadItem } from "../../src/contract/event.ts";
import type {
  Firewall,
  FirewallChain,
  FirewallRule,
  FirewallTable,
  RuleAction,
  TrafficCounters,
} from "../../src/contract/firewall.ts";
import { plainText } from "../../src/parse/plain-text.ts";
import { conditionTexts } from "./condition-texts.ts";
import { type Direction, directionsOf } from "./directions.ts";

/** Longest text of a rule that travels. */
const RULE_LENGTH = 1024;

/**
 * One payload item per rule in evaluation order, the policy as the last rule of its chain. Chains that
 * decide about packets to and from the device come first, so that a bound cuts off what matters least.
 */
export function ruleItems(firewall: Firewall, includeCounters: boolean): readonly PayloadItem[] {
  const chains = firewall.tables.flatMap((table) => {
    const directions = directionsOf(table);
    return table.chains.map((chain) => ({ table, chain, direction: directions.get(chain.name) }));
  });
  const first = chains.filter(({ direction }) => direction !== undefined);
  const rest = chains.filter(({ direction }) => direction === undefined);
  return [...first, ...rest].flatMap((placed) => chainItems(placed, includeCounters));
}

interface PlacedChain {
  readonly table: FirewallTable;
  readonly chain: FirewallChain;
  readonly direction: Direction | undefined;
}

function chainItems(placed: PlacedChain, includeCounters: boolean): readonly PayloadItem[] {
  const { chain, table, direction } = placed;
  const items = chain.rules.map((rule, priority) => {
    const counters = includeCounters ? counterDetails(rule.counters) : {};
    return ruleItem({ rule, priority, counters }, placed);
  });
  const { base } = chain;
  if (base === undefined) return items;
  const policy: PayloadItem = {
    Priority: chain.rules.length,
    ...(direction === undefined ? {} : { Direction: direction }),
    ChainName: plainText(chain.name, 256),
    Enabled: !table.isDormant,
    Action: base.policy === "accept" ? "Allow" : "Deny",
    ...knownDetails({
      ...placeDetails(placed),
      Policy: "true",
      ...(includeCounters ? counterDetails(base.counters) : {}),
    }),
  };
  return [...items, policy];
}

interface PlacedRule {
  readonly rule: FirewallRule;
  readonly priority: number;
  readonly counters: Record<string, string | undefined>;
}

function ruleItem({ rule, priority, counters }: PlacedRule, placed: PlacedChain): PayloadItem {
  const texts = conditionTexts(rule.conditions);
  const { direction, table, chain } = placed;
  const field = (name: string, value: string | undefined): Record<string, string> =>
    value === undefined ? {} : { [name]: value };
  return {
    Priority: priority,
    ...field("Direction", direction),
    ChainName: plainText(chain.name, 256),
    Enabled: !table.isDormant,
    Action: actionText(rule.action),
    ...field("SourceAddress", texts.sourceAddress),
    ...field("SourcePort", texts.sourcePort),
    ...field("DestinationAddress", texts.destinationAddress),
    ...field("DestinationPort", texts.destinationPort),
    ...field("Protocol", texts.protocol),
    ...knownDetails({
      ...placeDetails(placed),
      InInterface: optionalText(texts.inInterface),
      OutInterface: optionalText(texts.outInterface),
      ConnectionState: texts.connectionState,
      FurtherConditions: optionalText(texts.further.join("; "), RULE_LENGTH),
      ...actionDetails(rule.action),
      Comment: optionalText(rule.comment),
      ...counters,
      Rule: plainText(rule.text, RULE_LENGTH),
    }),
  };
}

function counterDetails(counters: TrafficCounters | undefined): Record<string, string | undefined> {
  return { Packets: counters?.packets.toString(), Bytes: counters?.bytes.toString() };
}

function optionalText(text: string | undefined, maxLength = 256): string | undefined {
  return text === undefined ? undefined : plainText(text, maxLength);
}

function placeDetails({ table, chain }: PlacedChain): Record<string, string | undefined> {
  return {
    Backend: table.backend,
    Family: table.family,
    Table: plainText(table.name, 256),
    Hook: chain.base?.hook,
    HookPriority: chain.base === undefined ? undefined : String(chain.base.priority),
    ChainType: chain.base?.type,
  };
}

/** `Other` for everything that neither lets a packet in nor keeps it out by itself. */
function actionText(action: RuleAction): "Allow" | "Deny" | "Other" {
  if (action.kind === "accept") return "Allow";
  return action.kind === "drop" || action.kind === "reject" ? "Deny" : "Other";
}

function actionDetails(action: RuleAction): Record<string, string | undefined> {
  switch (action.kind) {
    case "jump":
    case "goto":
      return { Target: action.kind, JumpTarget: plainText(action.chain, 256) };
    case "other":
      return { Target: plainText(action.name, 64) };
    case "verdict-map":
      return { Target: action.kind, MapEntries: String(action.entries.length) };
    case "accept":
    case "drop":
      return {};
    default:
      return { Target: action.kind };
  }
}
