import type {
  Condition,
  ConditionTest,
  FirewallHook,
  PacketSide,
} from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import type { Destination, Flow } from "./flow.ts";
import { isEmpty } from "./flow.ts";
import type { HostView } from "./host-network.ts";
import { intersect, type RangeSet, rangeSet, subtract } from "./range-set.ts";

/** Where the packet is when a rule asks. */
export interface MatchPlace {
  readonly hook: FirewallHook;
  /** Of the base chain: connection tracking works from -200 on. Source: NF_IP_PRI_CONNTRACK. */
  readonly priority: number;
  readonly host: HostView;
}

/** A flow, divided: for the packets of `possible` the conditions cannot be decided. */
export interface Division {
  readonly matched: readonly Flow[];
  readonly possible: readonly Flow[];
  readonly rest: readonly Flow[];
}

const PRIORITY_CONNTRACK = -200;
const LAST_ADDRESS = { ipv4: 0xffffffffn, ipv6: (1n << 128n) - 1n } as const;
/** Of a connection's first packet: SYN alone. Offering congestion notification (ECN) is not the default. */
const FLAG_SYN = 2;

/** Divides a flow by conditions that hold together. */
export function divide(flow: Flow, conditions: readonly Condition[], place: MatchPlace): Division {
  let matched: readonly Flow[] = [flow];
  let possible: readonly Flow[] = [];
  const rest: Flow[] = [];
  for (const condition of conditions) {
    const sure = divideAll(matched, condition, place);
    const unsure = divideAll(possible, condition, place);
    matched = sure.matched;
    possible = [...sure.possible, ...unsure.matched, ...unsure.possible];
    rest.push(...sure.rest, ...unsure.rest);
    if (matched.length === 0 && possible.length === 0)
      return { matched: [], possible: [], rest: [flow] };
  }
  return { matched, possible, rest };
}

function divideAll(flows: readonly Flow[], condition: Condition, place: MatchPlace): Division {
  const [only] = flows;
  if (only === undefined) return { matched: [], possible: [], rest: [] };
  if (flows.length === 1) return divideByOne(only, condition, place);
  const divisions = flows.map((flow) => divideByOne(flow, condition, place));
  return {
    matched: divisions.flatMap((division) => division.matched),
    possible: divisions.flatMap((division) => division.possible),
    rest: divisions.flatMap((division) => division.rest),
  };
}

function divideByOne(flow: Flow, condition: Condition, place: MatchPlace): Division {
  const { matched, possible, rest } = test(flow, condition, place);
  return condition.isNegated
    ? { matched: rest, possible, rest: matched }
    : { matched, possible, rest };
}

function yes(flow: Flow): Division {
  return { matched: [flow], possible: [], rest: [] };
}
function no(flow: Flow): Division {
  return { matched: [], possible: [], rest: [flow] };
}
function maybe(flow: Flow): Division {
  return { matched: [], possible: [flow], rest: [] };
}
function decide(flow: Flow, holds: boolean | undefined): Division {
  if (holds === undefined) return maybe(flow);
  return holds ? yes(flow) : no(flow);
}

function test(flow: Flow, condition: ConditionTest, place: MatchPlace): Division {
  switch (condition.kind) {
    case "protocol":
      return decide(flow, includes(condition.numbers, flow.protocol));
    case "family":
      return decide(flow, condition.family === flow.family);
    case "address":
      if (condition.family !== flow.family) return no(flow);
      if (condition.side === "source") return bySources(flow, rangeSet(condition.ranges));
      return decide(
        flow,
        holdsAddress(sideOf(flow, condition.side), flow.family, condition.ranges),
      );
    case "port":
      if (condition.side === "source") {
        const ports = condition.ranges.map(({ from, to }) => ({
          from: BigInt(from),
          to: BigInt(to),
        }));
        return bySourcePorts(flow, rangeSet(ports));
      }
      return decide(flow, includes(condition.ranges, sideOf(flow, condition.side).port));
    case "interface": {
      const name = condition.side === "in" ? flow.inInterface : flow.outInterface;
      return decide(flow, holdsInterface(name, condition.names));
    }
    case "connection-state":
      return decide(
        flow,
        statesOf(flow, place).some((state) => condition.states.includes(state)),
      );
    case "connection-direction":
      return decide(flow, isTrackedAt(flow, place) && condition.direction === "original");
    case "address-type":
      return byAddressType(flow, condition, place);
    case "tcp-flags":
      return decide(flow, (FLAG_SYN & condition.mask) === condition.set);
    case "mark":
      return decide(flow, (flow.mark & condition.mask) >>> 0 === condition.value >>> 0);
    case "any-of":
      return byAlternatives(flow, condition.alternatives, place);
    case "other":
      // An honest sender comes in by the interface that leads back to it.
      if (condition.name === "reverse-path") return yes(flow);
      return condition.name === "reverse-path-missing" ? no(flow) : maybe(flow);
  }
}

function includes(ranges: readonly { from: number; to: number }[], value: number): boolean {
  return ranges.some((range) => value >= range.from && value <= range.to);
}

function sideOf(flow: Flow, side: Exclude<PacketSide, "source">): Destination {
  return side === "destination" ? flow.destination : flow.originalDestination;
}

function holdsAddress(
  { address }: Destination,
  family: AddressFamily,
  ranges: readonly { from: bigint; to: bigint }[],
): boolean | undefined {
  if (address !== undefined) return ranges.some(({ from, to }) => address >= from && address <= to);
  // Not known, but where every address will do that does not matter.
  return ranges.some(({ from, to }) => from === 0n && to >= LAST_ADDRESS[family])
    ? true
    : undefined;
}

function holdsInterface(name: string | undefined, names: readonly string[]): boolean | undefined {
  if (names.includes("*")) return true;
  if (name === undefined) return undefined;
  return names.some((wanted) =>
    wanted.endsWith("*") ? name.startsWith(wanted.slice(0, -1)) : name === wanted,
  );
}

function isTrackedAt(flow: Flow, place: MatchPlace): boolean {
  if (!flow.isTracked) return false;
  const isEarly = place.hook === "ingress" || place.hook === "prerouting";
  return !isEarly || place.priority > PRIORITY_CONNTRACK;
}

/** A new connection is `new`; before tracking has seen it, it counts as `invalid`. Source: nft_ct_get_eval. */
function statesOf(flow: Flow, place: MatchPlace): readonly string[] {
  if (!flow.isTracked) return ["untracked"];
  if (!isTrackedAt(flow, place)) return ["invalid"];
  return flow.isDestinationTranslated ? ["new", "dnat"] : ["new"];
}

function bySources(flow: Flow, wanted: RangeSet): Division {
  const sources = intersect(flow.sources, wanted);
  if (sources.length === 0) return no(flow);
  const outside = subtract(flow.sources, wanted);
  if (outside.length === 0) return yes(flow);
  return { matched: [{ ...flow, sources }], possible: [], rest: [{ ...flow, sources: outside }] };
}

function bySourcePorts(flow: Flow, wanted: RangeSet): Division {
  const sourcePorts = intersect(flow.sourcePorts, wanted);
  if (sourcePorts.length === 0) return no(flow);
  const outside = subtract(flow.sourcePorts, wanted);
  if (outside.length === 0) return yes(flow);
  const rest = [{ ...flow, sourcePorts: outside }];
  return { matched: [{ ...flow, sourcePorts }], possible: [], rest };
}

function byAddressType(
  flow: Flow,
  condition: Extract<ConditionTest, { kind: "address-type" }>,
  place: MatchPlace,
): Division {
  const wantsLocal = condition.types.includes("local");
  const wantsUnicast = condition.types.includes("unicast");
  const local = place.host.localAddresses(flow.family);
  if (condition.side === "source") {
    if (local === undefined) return maybe(flow);
    const own = bySources(flow, local);
    // Sources that are not the device's own are unicast, unless nothing leads to them.
    const foreign = wantsUnicast
      ? { matched: own.rest, rest: [] }
      : { matched: [], rest: own.rest };
    return {
      matched: [...(wantsLocal ? own.matched : []), ...foreign.matched],
      possible: [],
      rest: [...(wantsLocal ? [] : own.matched), ...foreign.rest],
    };
  }
  const { address } = flow.destination;
  if (address === undefined) return decide(flow, wantsLocal);
  const isLocal = place.host.isLocal(flow.family, address);
  if (isLocal === undefined)
    return flow.isDestinationTranslated ? maybe(flow) : decide(flow, wantsLocal);
  return decide(flow, isLocal ? wantsLocal : wantsUnicast);
}

function byAlternatives(
  flow: Flow,
  alternatives: readonly (readonly Condition[])[],
  place: MatchPlace,
): Division {
  const matched: Flow[] = [];
  let open: readonly Flow[] = [flow];
  let possible: readonly Flow[] = [];
  for (const conditions of alternatives) {
    const fromOpen = open.map((part) => divide(part, conditions, place));
    const fromPossible = possible.map((part) => divide(part, conditions, place));
    for (const division of [...fromOpen, ...fromPossible]) matched.push(...division.matched);
    open = fromOpen.flatMap((division) => division.rest).filter((part) => !isEmpty(part));
    possible = [
      ...fromOpen.flatMap((division) => division.possible),
      ...fromPossible.flatMap((division) => [...division.possible, ...division.rest]),
    ];
    if (open.length === 0 && possible.length === 0) break;
  }
  return { matched, possible, rest: open };
}
