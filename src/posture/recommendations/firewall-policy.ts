import type { FirewallChain, FirewallHook, FirewallTable } from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import { addressFamily, isLoopbackAddress } from "../../parse/addresses.ts";
import type { HostNetwork } from "../exposure/query.ts";
import { type DefaultDecision, defaultDecision } from "./default-decision.ts";
import { type FirewallFacts, missingOfFirewall } from "./firewall-facts.ts";
import { carries } from "./stranger.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

const TYPE = "IoT_PermissiveFirewallPolicy";
type Direction = "input" | "output" | "forward";

/** Hooks that every packet of a direction passes, of which any may refuse it. */
const HOOKS: Readonly<Record<Direction, readonly FirewallHook[]>> = {
  input: ["prerouting", "input"],
  output: ["output", "postrouting"],
  forward: ["prerouting", "forward", "postrouting"],
};

/** A base chain with what it does by default. */
interface JudgedChain extends DefaultDecision {
  readonly table: FirewallTable;
  readonly chain: FirewallChain;
}

/** What happens by default to the packets of a direction and family. */
interface JudgedDirection {
  readonly direction: Direction;
  readonly family: AddressFamily;
  readonly decision: DefaultDecision["decision"];
  readonly chains: readonly JudgedChain[];
}

/**
 * IoT_PermissiveFirewallPolicy. All base chains that a packet passes are asked together, whatever backend
 * they belong to: one that drops by default is enough. Where none does, the direction is permissive; where
 * that could be the work of a chain that cannot be seen or decided, it is unknown. Forwarding is evidence
 * without being counted. `host` says which address families are in use; without it both are judged.
 */
export function judgeFirewallPolicy(
  facts: FirewallFacts | undefined,
  host: HostNetwork | undefined,
): Verdict {
  if (facts === undefined)
    return verdictOf(TYPE, { state: "unknown", missing: missingOfFirewall(facts) });
  const judged = familiesOf(host).flatMap((family) =>
    (["input", "output", "forward"] as const).map((direction) =>
      judgeDirection(direction, family, facts),
    ),
  );
  const counted = judged.filter(({ direction }) => direction !== "forward");
  const permissive = counted.filter(({ decision }) => decision === "accept");
  const unknown = counted.filter(({ decision }) => decision === "unknown");
  const forward = judged.filter((one) => one.direction === "forward" && one.decision !== "drop");
  const state = permissive.length > 0 ? "unhealthy" : unknown.length > 0 ? "unknown" : "healthy";
  const isBare = !facts.firewall.tables.some((table) => !table.isDormant && hasBase(table));
  return verdictOf(TYPE, {
    state,
    count: permissive.length,
    evidence: [...permissive, ...unknown, ...forward].flatMap((one) => recordsOf(one, isBare)),
    missing: [
      ...(unknown.length > 0 || permissive.length > 0 ? missingOfFirewall(facts) : []),
      ...unknown.flatMap(undecided),
    ],
  });
}

/** A family without an address beyond loopback carries nothing; no address at all says nothing. */
function familiesOf(host: HostNetwork | undefined): readonly AddressFamily[] {
  const used = new Set<AddressFamily>();
  for (const { address } of host?.addresses ?? []) {
    const family = addressFamily(address);
    if (family !== undefined && !isLoopbackAddress(address)) used.add(family);
  }
  const all: readonly AddressFamily[] = ["ipv4", "ipv6"];
  return used.size === 0 ? all : all.filter((family) => used.has(family));
}

function judgeDirection(
  direction: Direction,
  family: AddressFamily,
  { firewall }: FirewallFacts,
): JudgedDirection {
  const chains = firewall.tables
    .filter((table) => !table.isDormant && carries(table.family, family))
    .flatMap((table) =>
      table.chains
        .filter(({ base }) => base !== undefined && base.type !== "nat")
        .filter(({ base }) => HOOKS[direction].some((hook) => hook === base?.hook))
        .map((chain) => ({ table, chain, ...defaultDecision(table, chain, family) })),
    );
  const isDropped = chains.some(({ decision }) => decision === "drop");
  const isUnsure = !firewall.isComplete || chains.some(({ decision }) => decision === "unknown");
  const decision = isDropped ? "drop" : isUnsure ? "unknown" : "accept";
  return { direction, family, decision, chains };
}

function hasBase(table: FirewallTable): boolean {
  return table.chains.some(({ base }) => base !== undefined);
}

function recordsOf(
  { direction, family, decision, chains }: JudgedDirection,
  isBare: boolean,
): readonly Readonly<Record<string, string>>[] {
  const told = chains.filter((judged) => isTold(judged, direction));
  const place = { direction, family, default: decision };
  if (told.length === 0) {
    const reason = isBare ? "there is no firewall" : `no chain filters at the ${direction} hook`;
    return [{ ...place, reason }];
  }
  return told.map(({ table, chain, decidedBy, decision: own }) => ({
    ...place,
    default: own,
    backend: table.backend,
    table: `${table.family} ${table.name}`,
    chain: chain.name,
    policy: chain.base?.policy ?? "",
    decidedBy,
  }));
}

/** Tables that mark and rewrite accept by default everywhere: that is no news. */
function isTold({ table, chain, decision }: JudgedChain, direction: Direction): boolean {
  if (decision !== "accept") return true;
  const isFilter = table.backend === "nftables" || table.name === "filter";
  return isFilter && chain.base?.hook === direction;
}

function undecided({ direction, family, chains }: JudgedDirection): readonly string[] {
  return chains
    .filter(({ decision }) => decision === "unknown")
    .map(
      ({ chain, decidedBy }) =>
        `what ${decidedBy} does with ${family} packets in chain ${chain.name} (${direction})`,
    );
}
