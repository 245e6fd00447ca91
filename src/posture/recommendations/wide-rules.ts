import type {
  Firewall,
  FirewallChain,
  FirewallRule,
  FirewallTable,
  RuleAction,
} from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import { addressNumber } from "../../parse/address-number.ts";
import { intersect, type RangeSet, rangeSet, subtract } from "../exposure/range-set.ts";
import { createDropIndex, type DropIndex } from "./drop-index.ts";
import { sizeOf } from "./range-text.ts";
import { type Direction, everything, narrow, type RuleBox, STATES } from "./rule-box.ts";
import { carries } from "./stranger.ts";

/** From where on a range is wide. */
export interface WidthThresholds {
  /** More addresses than a network of this prefix length holds are wide, 0 to 32. */
  readonly ipv4Prefix: number;
  /** The same for IPv6, 0 to 128. */
  readonly ipv6Prefix: number;
  /** More ports than this are wide. */
  readonly mostPorts: number;
}

/** The service never published its own; these let whole private networks (10.0.0.0/8) pass. */
export const WIDTH_THRESHOLDS: WidthThresholds = { ipv4Prefix: 8, ipv6Prefix: 32, mostPorts: 1000 };

/** A rule that accepts new connections from, to or on too much. */
export interface WideRule {
  readonly table: FirewallTable;
  readonly chain: FirewallChain;
  /** Place in the chain from 1. */
  readonly position: number;
  readonly rule: FirewallRule;
  readonly box: RuleBox;
  readonly hasWideAddresses: boolean;
  readonly hasWidePorts: boolean;
}

/** What a look through the rules of a direction found. */
export interface WideRules {
  /** In evaluation order; a rule of several families or ways once. */
  readonly found: readonly WideRule[];
  /** Rules that may be wide: what they ask cannot be decided here. */
  readonly doubtful: readonly WideRule[];
  /** False where the rules were too many to follow to the end. */
  readonly isWhole: boolean;
}

/** Rules visited, counting each way to a chain: a real rule set has some thousands. */
const MOST_VISITS = 200_000;
/** Kernel limit on jumps within jumps. Source: NFT_JUMP_STACK_SIZE, nf_tables.h. */
const DEEPEST_JUMP = 16;
/** Protocols that have ports: TCP, UDP, DCCP, SCTP, UDP-Lite. Source: IANA protocol numbers. */
const WITH_PORTS: RangeSet = rangeSet(
  [6n, 17n, 33n, 132n, 136n].map((at) => ({ from: at, to: at })),
);
/** ICMP, IGMP and ICMPv6 open nothing, and networks fail without them. */
const HARMLESS: RangeSet = [1n, 2n, 58n].map((at) => ({ from: at, to: at }));
/** Loopback, the own link and multicast groups: however wide, no stranger is there. */
const NEVER_STRANGERS: Readonly<Record<AddressFamily, RangeSet>> = {
  ipv4: networks(["127.0.0.0", 24], ["169.254.0.0", 16], ["224.0.0.0", 28]),
  ipv6: networks(["::1", 0], ["fe80::", 118], ["ff00::", 120]),
};

/** By network address and number of host bits. */
function networks(...list: readonly (readonly [string, number])[]): RangeSet {
  return list.map(([address, hostBits]) => {
    const from = addressNumber(address) ?? 0n;
    return { from, to: from + (1n << BigInt(hostBits)) - 1n };
  });
}

interface Walk {
  readonly direction: Direction;
  readonly thresholds: WidthThresholds;
  readonly table: FirewallTable;
  readonly chains: ReadonlyMap<string, FirewallChain>;
  readonly drops: DropIndex;
  readonly result: {
    readonly found: Map<FirewallRule, WideRule>;
    readonly doubtful: Map<FirewallRule, WideRule>;
  };
  readonly budget: { visits: number };
}

/**
 * The rules of a direction that accept new connections from a wide range, see README.md for what counts.
 * Follows jumps with what the way to a chain asks for. Cost: linear in the rules visited, at most 200,000.
 */
export function findWideRules(
  firewall: Firewall,
  direction: Direction,
  thresholds: WidthThresholds,
): WideRules {
  const result = { found: new Map(), doubtful: new Map() } satisfies Walk["result"];
  const budget = { visits: MOST_VISITS };
  const hasUntracked = firewall.tables.some(untracks);
  for (const table of firewall.tables.filter((one) => isFilter(one))) {
    const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
    const starts = table.chains.filter(
      ({ base }) => base?.hook === direction && base.type !== "nat",
    );
    for (const chain of starts) {
      for (const family of ["ipv4", "ipv6"] as const) {
        if (!carries(table.family, family)) continue;
        const drops = createDropIndex();
        const walk = { direction, thresholds, table, chains, drops, result, budget };
        passChain(chain, everything(family, hasUntracked), walk, 0);
      }
    }
  }
  const found = [...result.found.values()];
  const doubtful = [...result.doubtful.values()].filter(({ rule }) => !result.found.has(rule));
  return { found, doubtful, isWhole: budget.visits > 0 };
}

/** Other tables of iptables mark and rewrite: their accept lets nothing in. */
function isFilter(table: FirewallTable): boolean {
  return !table.isDormant && (table.backend === "nftables" || table.name === "filter");
}

function untracks(table: FirewallTable): boolean {
  return table.chains.some(({ rules }) =>
    rules.some(({ action, effects = [] }) =>
      [action, ...effects].some(({ kind }) => kind === "untrack"),
    ),
  );
}

/** Where a rule is, and whether packets have left the chain above it for the rules behind the jump. */
interface Visit {
  readonly chain: FirewallChain;
  readonly depth: number;
  /** Length of the drops when first a packet could leave; undefined: none could. */
  escapedAt: number | undefined;
}

function passChain(chain: FirewallChain, way: RuleBox, walk: Walk, depth: number): void {
  const visit: Visit = { chain, depth, escapedAt: undefined };
  for (const [at, rule] of chain.rules.entries()) {
    walk.budget.visits -= 1;
    if (walk.budget.visits <= 0) return;
    const boxes = narrow(way, rule.conditions, walk.direction);
    if (boxes.length === 0) continue;
    const placed = { table: walk.table, chain, position: at + 1, rule };
    passAction(rule.action, boxes, placed, { visit, walk });
    if (rule.conditions.length === 0 && endsChain(rule.action)) break;
  }
  // What left before a drop is still there for the rules behind the jump.
  if (visit.escapedAt !== undefined) walk.drops.forgetFrom(visit.escapedAt);
}

function endsChain({ kind }: RuleAction): boolean {
  return ["accept", "drop", "reject", "return", "goto"].includes(kind);
}

type PlacedRule = Pick<WideRule, "table" | "chain" | "position" | "rule">;

function passAction(
  action: RuleAction,
  boxes: readonly RuleBox[],
  placed: PlacedRule,
  { visit, walk }: { readonly visit: Visit; readonly walk: Walk },
): void {
  switch (action.kind) {
    case "accept":
      judge(boxes, placed, walk);
      return;
    case "drop":
    case "reject":
      for (const box of boxes) walk.drops.add(box);
      return;
    case "jump":
      enter(action.chain, boxes, visit, walk);
      return;
    case "goto":
      visit.escapedAt ??= walk.drops.length();
      enter(action.chain, boxes, visit, walk);
      return;
    case "return":
    case "other":
      visit.escapedAt ??= walk.drops.length();
      return;
    case "verdict-map":
      for (const entry of action.entries) {
        walk.budget.visits -= 1;
        if (walk.budget.visits <= 0) return;
        const chosen = boxes.flatMap((box) => narrow(box, entry.conditions, walk.direction));
        if (chosen.length > 0) passAction(entry.action, chosen, placed, { visit, walk });
      }
      return;
    default:
  }
}

function enter(name: string, boxes: readonly RuleBox[], visit: Visit, walk: Walk): void {
  const chain = walk.chains.get(name);
  if (chain === undefined || visit.depth >= DEEPEST_JUMP) return;
  for (const way of boxes) passChain(chain, way, walk, visit.depth + 1);
}

function judge(boxes: readonly RuleBox[], placed: PlacedRule, walk: Walk): void {
  for (const box of boxes) {
    const width = widthOf(box, walk.direction, walk.thresholds);
    if (!width.hasWideAddresses && !width.hasWidePorts) continue;
    if (walk.drops.takes(box)) continue;
    const into = box.doubt === undefined ? walk.result.found : walk.result.doubtful;
    if (!into.has(placed.rule)) into.set(placed.rule, { ...placed, box, ...width });
    if (box.doubt === undefined) return;
  }
}

type Width = Pick<WideRule, "hasWideAddresses" | "hasWidePorts">;
const NARROW: Width = { hasWideAddresses: false, hasWidePorts: false };

function widthOf(box: RuleBox, direction: Direction, thresholds: WidthThresholds): Width {
  const opensConnections = (box.states & (STATES.new | STATES.untracked)) !== 0;
  if (box.isOwnTraffic || !opensConnections) return NARROW;
  if (subtract(box.protocol, HARMLESS).length === 0) return NARROW;
  const others = direction === "input" ? box.source : box.destination;
  const strangers = subtract(others, NEVER_STRANGERS[box.family]);
  if (strangers.length === 0) return NARROW;
  const [bits, prefix] =
    box.family === "ipv4" ? [32, thresholds.ipv4Prefix] : [128, thresholds.ipv6Prefix];
  const hasWideAddresses = sizeOf(strangers) > 1n << BigInt(Math.max(bits - prefix, 0));
  const hasPorts = intersect(box.protocol, WITH_PORTS).length > 0;
  const hasWidePorts = hasPorts && sizeOf(box.destinationPort) > BigInt(thresholds.mostPorts);
  return { hasWideAddresses, hasWidePorts };
}
