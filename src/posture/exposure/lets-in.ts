import type {
  Firewall,
  FirewallHook,
  FirewallTable,
  TableFamily,
} from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import { addressNumber } from "../../parse/address-number.ts";
import { combine, type Fate } from "./combine.ts";
import { type Flow, isEmpty, mergeFlows } from "./flow.ts";
import { type HostView, viewHost } from "./host-network.ts";
import type { Exposure, ExposureQuery } from "./query.ts";
import { rangeSet } from "./range-set.ts";
import { type Outcome, type PlacedChain, passBaseChain, type Question } from "./traverse.ts";

/** Comparisons of a flow with a rule per question: about ten seconds of a slow gateway at worst. */
const MOST_STEPS = 1_000_000;
const PROTOCOL_NUMBERS = { tcp: 6, udp: 17 } as const;
const TABLE_FAMILIES: Readonly<Record<AddressFamily, readonly TableFamily[]>> = {
  ipv4: ["ip", "inet", "netdev"],
  ipv6: ["ip6", "inet", "netdev"],
};

interface Journey {
  readonly firewall: Firewall;
  readonly host: HostView;
  readonly question: Question;
  readonly fates: Fate[];
}

/**
 * Whether the firewall lets the first packet of a connection from the sources reach the port, and which
 * rules decide. Follows the packet through every base chain of every backend in the kernel's order:
 * ingress, prerouting with destination NAT, then input, or forward and postrouting for what DNAT sends
 * elsewhere. A rule that cannot be decided is followed both ways; the verdict is `unknown` only where
 * the two differ.
 *
 * Taken for granted: senders do not spoof their address, and what an incomplete rule set denies stays
 * denied (what it allows is `unknown`). Bridge tables and what the routing table blackholes are not
 * considered. Source: nft(8), iptables(8), netfilter hook order of linux/netfilter_ipv4.h.
 */
export function letsIn(firewall: Firewall, query: ExposureQuery): Exposure {
  const host = viewHost(query.host);
  const journey: Journey = {
    firewall,
    host,
    question: { steps: MOST_STEPS, references: new Map() },
    fates: [],
  };
  for (const flow of firstFlows(query)) receive(flow, journey);
  return combine(journey.fates, firewall.isComplete);
}

function firstFlows(query: ExposureQuery): readonly Flow[] {
  const { from, to } = query.sourcePorts ?? { from: 1, to: 65_535 };
  const { family } = query.sources;
  const addresses = query.destinations?.map(addressNumber) ?? [undefined];
  return addresses
    .map((address) => ({ address, port: query.port }))
    .map((destination) => ({
      family,
      protocol: PROTOCOL_NUMBERS[query.protocol],
      sources: rangeSet(query.sources.ranges),
      sourcePorts: [{ from: BigInt(from), to: BigInt(to) }],
      destination,
      originalDestination: destination,
      isDestinationTranslated: false,
      isTracked: true,
      inInterface: query.interface,
      outInterface: "",
      mark: 0,
      trace: undefined,
      doubts: [],
    }));
}

function receive(flow: Flow, journey: Journey): void {
  if (isEmpty(flow)) return;
  const arrived = passHook(passHook([flow], "ingress", journey), "prerouting", journey);
  const local: Flow[] = [];
  const passing: Flow[] = [];
  for (const routed of arrived) {
    if (isForDevice(routed, journey.host)) local.push(routed);
    else passing.push({ ...routed, outInterface: interfaceTo(routed, journey.host) });
  }
  for (const reached of passHook(local, "input", journey)) end("allow", reached, false, journey);
  const forwarded = passHook(passHook(passing, "forward", journey), "postrouting", journey);
  for (const reached of forwarded) end("allow", reached, true, journey);
}

function isForDevice(flow: Flow, host: HostView): boolean {
  const { address } = flow.destination;
  if (!flow.isDestinationTranslated || address === undefined) return true;
  return host.isLocal(flow.family, address) === true;
}

function interfaceTo(flow: Flow, host: HostView): string | undefined {
  const { address } = flow.destination;
  return address === undefined ? undefined : host.routeTo(flow.family, address);
}

/** Sends flows through all base chains of a hook; returns those that every chain accepted. */
function passHook(flows: readonly Flow[], hook: FirewallHook, journey: Journey): readonly Flow[] {
  let open: readonly Outcome[] = flows.map((flow) => ({ kind: "accepted", flow }));
  for (const placed of chainsOf(hook, flows[0], journey.firewall)) {
    const outcomes: Outcome[] = [];
    for (const reached of open) outcomes.push(...passOne(reached, placed, hook, journey));
    open = settle(outcomes, journey);
    if (open.length === 0) break;
  }
  return mergeFlows(open.map((outcome) => outcome.flow));
}

function passOne(
  reached: Outcome,
  placed: PlacedChain,
  hook: FirewallHook,
  journey: Journey,
): readonly Outcome[] {
  const { flow } = reached;
  const isNat = placed.base.type === "nat";
  // NAT sees tracked connections only, and asks no further once a chain has mapped one.
  if (isNat && (!flow.isTracked || reached.isMapped === true)) return [reached];
  const { devices } = placed.base;
  // Some versions of nft do not say which devices an ingress chain is for.
  const isUnsure = hook === "ingress" && (flow.inInterface === undefined || devices.length === 0);
  if (hook === "ingress" && !isUnsure && !devices.includes(flow.inInterface ?? ""))
    return [reached];
  const place = { hook, priority: placed.base.priority, host: journey.host };
  const outcomes = passBaseChain(flow, placed, place, journey.question);
  return isUnsure ? [...outcomes, reached] : outcomes;
}

/** Ends what was dropped or is unknown; the rest goes on, alike flows together. */
function settle(outcomes: readonly Outcome[], journey: Journey): readonly Outcome[] {
  const mapped: Flow[] = [];
  const plain: Flow[] = [];
  for (const { kind, flow, isMapped } of outcomes) {
    if (isEmpty(flow)) continue;
    if (kind === "dropped") end("deny", flow, false, journey);
    else if (kind === "unknown") end("unknown", flow, false, journey);
    else (isMapped === true ? mapped : plain).push(flow);
  }
  return [
    ...mergeFlows(mapped).map((flow): Outcome => ({ kind: "accepted", flow, isMapped: true })),
    ...mergeFlows(plain).map((flow): Outcome => ({ kind: "accepted", flow })),
  ];
}

function end(verdict: Fate["verdict"], flow: Flow, isForwarded: boolean, journey: Journey): void {
  journey.fates.push({ verdict, flow, isForwarded });
}

/** Base chains that the kernel calls at a hook, in its order; nat chains all run at nat's own place. */
function chainsOf(
  hook: FirewallHook,
  flow: Flow | undefined,
  firewall: Firewall,
): readonly PlacedChain[] {
  if (flow === undefined) return [];
  const families = TABLE_FAMILIES[flow.family];
  const placed = firewall.tables
    .filter((table) => !table.isDormant && families.includes(table.family))
    .flatMap((table) => placedChains(table, hook));
  return placed.sort((a, b) => callOrder(a) - callOrder(b) || a.base.priority - b.base.priority);
}

/** Source: enum nf_ip_hook_priorities: NF_IP_PRI_NAT_DST -100, NF_IP_PRI_NAT_SRC 100. */
function callOrder({ base }: PlacedChain): number {
  if (base.type !== "nat") return base.priority;
  return base.hook === "prerouting" || base.hook === "output" ? -100 : 100;
}

function placedChains(table: FirewallTable, hook: FirewallHook): readonly PlacedChain[] {
  const bases = table.chains.filter((chain) => chain.base?.hook === hook);
  if (bases.length === 0) return [];
  const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
  return bases.flatMap((chain) =>
    chain.base === undefined ? [] : [{ table, chains, chain, base: chain.base }],
  );
}
