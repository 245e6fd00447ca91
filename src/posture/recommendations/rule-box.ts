import type { Condition } from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import { intersect, type RangeSet, rangeSet, subtract } from "../exposure/range-set.ts";

/** Interfaces that a rule is for: those of `names`, or with `isNegated` all others. */
export interface InterfaceSet {
  readonly names: readonly string[];
  readonly isNegated: boolean;
}

/**
 * The packets of one family that conditions let through, as far as ranges can say: never fewer than in
 * truth. Ports, protocols and addresses are bigints, so that they are the same kind of set.
 */
export interface RuleBox {
  readonly family: AddressFamily;
  readonly source: RangeSet;
  readonly destination: RangeSet;
  readonly sourcePort: RangeSet;
  readonly destinationPort: RangeSet;
  readonly protocol: RangeSet;
  /** Bits of STATES. */
  readonly states: number;
  /** On the side of the direction that is judged; undefined: any. */
  readonly interface: InterfaceSet | undefined;
  /** It is all of these packets, as far as they are the first of their connection. */
  readonly isExact: boolean;
  /** Only what this device sends to itself, or what NAT let in elsewhere. */
  readonly isOwnTraffic: boolean;
  /** A condition that narrows addresses or ports by what is not known here. */
  readonly doubt: string | undefined;
}

/** Whose new connections are judged: those of others, or those of the device. */
export type Direction = "input" | "output";

/** Connection states as bits. */
export const STATES = { new: 1, established: 2, related: 4, invalid: 8, untracked: 16 } as const;
const STATE_BITS: ReadonlyMap<string, number> = new Map(Object.entries(STATES));
const EVERY_STATE = 31;
/** States in which a connection exists already. */
const ONGOING = STATES.established | STATES.related;

const EVERY_PORT: RangeSet = [{ from: 0n, to: 65_535n }];
const EVERY_PROTOCOL: RangeSet = [{ from: 0n, to: 255n }];
/** All addresses of a family. */
export const EVERY_ADDRESS: Readonly<Record<AddressFamily, RangeSet>> = {
  ipv4: [{ from: 0n, to: (1n << 32n) - 1n }],
  ipv6: [{ from: 0n, to: (1n << 128n) - 1n }],
};

const FLAG_SYN = 2;
/** Boxes of one rule; a set of pairs that has more is left open. */
const MOST_BOXES = 1024;
/** Conditions that ask for no address and no port. Others may, and leave the rule in doubt. */
const NOT_NARROWING: ReadonlySet<string> = new Set([
  "limit",
  "hashlimit",
  "connlimit",
  "connbytes",
  "quota",
  "statistic",
  "time",
  "comment",
  "reverse-path",
  "owner",
  "cgroup",
  "length",
  "ttl",
  "hl",
  "tos",
  "dscp",
  "ecn",
  "pkttype",
  "cpu",
]);

/** All packets of a family; untracked ones only where a rule takes packets out of connection tracking. */
export function everything(family: AddressFamily, hasUntracked: boolean): RuleBox {
  return {
    family,
    source: EVERY_ADDRESS[family],
    destination: EVERY_ADDRESS[family],
    sourcePort: EVERY_PORT,
    destinationPort: EVERY_PORT,
    protocol: EVERY_PROTOCOL,
    states: hasUntracked ? EVERY_STATE : EVERY_STATE & ~STATES.untracked,
    interface: undefined,
    isExact: true,
    isOwnTraffic: false,
    doubt: undefined,
  };
}

/**
 * The packets of a box that meet all conditions, in one box for each alternative; none where no packet can.
 */
export function narrow(
  box: RuleBox,
  conditions: readonly Condition[],
  direction: Direction,
): readonly RuleBox[] {
  let boxes: readonly RuleBox[] = [box];
  for (const condition of conditions) {
    boxes = boxes.flatMap((one) => narrowByOne(one, condition, direction));
    if (boxes.length === 0) return boxes;
    if (boxes.length > MOST_BOXES) return [inDoubt(box, "a set of many combinations")];
  }
  return boxes;
}

function narrowByOne(box: RuleBox, condition: Condition, direction: Direction): readonly RuleBox[] {
  switch (condition.kind) {
    case "family":
      return (condition.family === box.family) !== condition.isNegated ? [box] : [];
    case "protocol":
      return only(box, "protocol", condition.numbers, condition.isNegated);
    case "port":
      if (condition.side === "original-destination") return [inDoubt(box, "original port")];
      return only(box, `${condition.side}Port`, condition.ranges, condition.isNegated);
    case "address":
      if (condition.family !== box.family) return condition.isNegated ? [box] : [];
      if (condition.side === "original-destination") return [inDoubt(box, "original address")];
      return only(box, condition.side, condition.ranges, condition.isNegated);
    case "interface":
      return byInterface(box, condition, direction);
    case "connection-state":
      return byState(box, condition);
    case "connection-direction":
      return (condition.direction === "original") !== condition.isNegated
        ? [box]
        : withStates(box, ONGOING);
    case "tcp-flags":
      return ((FLAG_SYN & condition.mask) === condition.set) !== condition.isNegated
        ? [box]
        : withStates(box, ONGOING);
    case "address-type":
      return byAddressType(box, condition);
    case "any-of":
      if (condition.isNegated) return [inexact(box)];
      if (condition.alternatives.length > MOST_BOXES) return [inDoubt(box, "a large set")];
      return condition.alternatives.flatMap((all) => narrow(box, all, direction));
    case "mark":
      return [inDoubt(box, "a mark")];
    case "other":
      return [NOT_NARROWING.has(condition.name) ? inexact(box) : inDoubt(box, condition.text)];
  }
}

function inexact(box: RuleBox): RuleBox {
  return box.isExact ? { ...box, isExact: false } : box;
}

function inDoubt(box: RuleBox, doubt: string): RuleBox {
  return { ...box, isExact: false, doubt: box.doubt ?? doubt };
}

type Dimension = "source" | "destination" | "sourcePort" | "destinationPort" | "protocol";

function only(
  box: RuleBox,
  dimension: Dimension,
  ranges: readonly { readonly from: number | bigint; readonly to: number | bigint }[],
  isNegated: boolean,
): readonly RuleBox[] {
  const wanted = rangeSet(ranges.map(({ from, to }) => ({ from: BigInt(from), to: BigInt(to) })));
  const left = isNegated ? subtract(box[dimension], wanted) : intersect(box[dimension], wanted);
  return left.length === 0 ? [] : [{ ...box, [dimension]: left }];
}

function byInterface(
  box: RuleBox,
  { side, names, isNegated }: Extract<Condition, { kind: "interface" }>,
  direction: Direction,
): readonly RuleBox[] {
  if (names.includes("*")) return isNegated ? [] : [box];
  // A packet that comes in has no interface to go out by yet, and the other way round.
  if (side !== (direction === "input" ? "in" : "out")) return isNegated ? [box] : [];
  if (box.interface !== undefined) return [inexact(box)];
  const isOwnTraffic = box.isOwnTraffic || (!isNegated && names.every((name) => name === "lo"));
  return [{ ...box, interface: { names, isNegated }, isOwnTraffic }];
}

function byState(
  box: RuleBox,
  { states, isNegated }: Extract<Condition, { kind: "connection-state" }>,
): readonly RuleBox[] {
  const known = states.filter((state) => STATE_BITS.has(state));
  const bits = known.reduce((all, state) => all | (STATE_BITS.get(state) ?? 0), 0);
  // `dnat` and `snat` are no states of their own: a connection has them beside.
  const hasNat = known.length < states.length;
  if (isNegated) return withStates(hasNat ? inexact(box) : box, ~bits);
  if (!hasNat) return withStates(box, bits);
  const isOwnTraffic = box.isOwnTraffic || bits === 0;
  return [{ ...inexact(box), isOwnTraffic }];
}

function withStates(box: RuleBox, bits: number): readonly RuleBox[] {
  const states = box.states & bits;
  return states === 0 ? [] : [{ ...box, states }];
}

function byAddressType(
  box: RuleBox,
  { side, types, isNegated }: Extract<Condition, { kind: "address-type" }>,
): readonly RuleBox[] {
  const isLocal = types.length === 1 && types[0] === "local" && !isNegated;
  const isOwnTraffic = box.isOwnTraffic || (isLocal && side === "source");
  return [{ ...inexact(box), isOwnTraffic }];
}

/**
 * Whether every first packet of a connection that is in `inner` is in `outer` as well. Says no wherever
 * it cannot be sure.
 */
export function covers(outer: RuleBox, inner: RuleBox): boolean {
  const relevant = inner.states & (STATES.new | STATES.untracked);
  return (
    outer.isExact &&
    (outer.states & relevant) === relevant &&
    holds(outer.destinationPort, inner.destinationPort) &&
    holds(outer.protocol, inner.protocol) &&
    holds(outer.source, inner.source) &&
    holds(outer.destination, inner.destination) &&
    holds(outer.sourcePort, inner.sourcePort) &&
    holdsInterfaces(outer.interface, inner.interface)
  );
}

function holds(outer: RangeSet, inner: RangeSet): boolean {
  return outer === inner || subtract(inner, outer).length === 0;
}

function holdsInterfaces(
  outer: InterfaceSet | undefined,
  inner: InterfaceSet | undefined,
): boolean {
  // What comes by loopback is not counted, so a drop of all but loopback is a drop of all.
  if (outer === undefined || (outer.isNegated && outer.names.every((name) => name === "lo")))
    return true;
  if (inner === undefined) return false;
  if (!outer.isNegated)
    return !inner.isNegated && inner.names.every((name) => matchesAny(name, outer.names));
  if (inner.isNegated) return outer.names.every((name) => matchesAny(name, inner.names));
  return inner.names.every((name) => outer.names.every((other) => areApart(name, other)));
}

/** A pattern holds every name that begins like it, and patterns that begin like it. */
function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

function areApart(left: string, right: string): boolean {
  return !matchesAny(left, [right]) && !matchesAny(right, [left]);
}
