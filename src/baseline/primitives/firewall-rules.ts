import type { AddressFamily } from "../../contract/address-family.ts";
import type { Condition, Firewall, FirewallHook } from "../../contract/firewall.ts";
import type { SocketFacts } from "../../contract/probe.ts";
import type { Device } from "../device.ts";
import {
  defaultVerdict,
  filterChains,
  type RuleOnPath,
  rulesOnPath,
} from "../facts/firewall-paths.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";

const LOOPBACK: Readonly<Record<AddressFamily, { readonly from: bigint; readonly to: bigint }>> = {
  ipv4: { from: 0x7f000000n, to: 0x7fffffffn },
  ipv6: { from: 1n, to: 1n },
};
const TCP = 6;
const UDP = 17;
const PROTOCOL_NAMES = new Map([
  [1, "ICMP"],
  [TCP, "TCP"],
  [UDP, "UDP"],
  [58, "ICMPv6"],
]);
const LISTEN = 10;
const UNCONNECTED = 7;

/** Every rule of a hook; undefined where there are too many to look at. */
function rulesOf(
  firewall: Firewall,
  family: AddressFamily,
  hooks: readonly FirewallHook[],
): readonly RuleOnPath[] | undefined {
  const all: RuleOnPath[] = [];
  for (const hook of hooks) {
    for (const placed of filterChains(firewall, family, hook)) {
      const rules = rulesOnPath(placed);
      if (rules === undefined) return undefined;
      for (const rule of rules) all.push(rule);
    }
  }
  return all;
}

const TOO_MANY = because("error", "more rules than can be looked at");

/** A look for one rule, as an outcome. */
function found(
  family: AddressFamily,
  hook: string,
  what: string,
  hit: RuleOnPath | undefined,
): Outcome {
  const text = hit?.text ?? "no such rule";
  return decide(hit !== undefined, evidence(`${family} ${hook}`, what, text, "live"));
}

function isFamily(condition: Condition, family: AddressFamily): boolean {
  return condition.kind === "family" && !condition.isNegated && condition.family === family;
}

function isLoopbackOnly(condition: Condition, side: "in" | "out"): boolean {
  return (
    condition.kind === "interface" &&
    condition.side === side &&
    !condition.isNegated &&
    condition.names.length === 1 &&
    condition.names[0] === "lo"
  );
}

function isNotLoopback(condition: Condition): boolean {
  return (
    condition.kind === "interface" &&
    condition.side === "in" &&
    condition.isNegated &&
    condition.names.includes("lo")
  );
}

function isFromLoopbackAddress(condition: Condition, family: AddressFamily): boolean {
  const { from, to } = LOOPBACK[family];
  return (
    condition.kind === "address" &&
    condition.side === "source" &&
    !condition.isNegated &&
    condition.family === family &&
    condition.ranges.some((range) => range.from <= from && range.to >= to)
  );
}

function isDeny({ action }: RuleOnPath): boolean {
  return action.kind === "drop" || action.kind === "reject";
}

/** Traffic of the loopback interface passes, and its addresses come from nowhere else. */
export function judgeLoopback(firewall: Firewall, family: AddressFamily): Outcome {
  const input = rulesOf(firewall, family, ["input"]);
  const early = rulesOf(firewall, family, ["prerouting", "input"]);
  const output = rulesOf(firewall, family, ["output"]);
  if (input === undefined || early === undefined || output === undefined) return TOO_MANY;
  const accepts = (rules: readonly RuleOnPath[], side: "in" | "out") =>
    rules.find(
      ({ conditions, action }) =>
        action.kind === "accept" &&
        conditions.some((one) => isLoopbackOnly(one, side)) &&
        conditions.every((one) => isLoopbackOnly(one, side) || isFamily(one, family)),
    );
  const refusal = early.find(
    (rule) =>
      isDeny(rule) &&
      rule.conditions.some((one) => isFromLoopbackAddress(one, family)) &&
      rule.conditions.every(
        (one) => isFromLoopbackAddress(one, family) || isNotLoopback(one) || isFamily(one, family),
      ),
  );
  const addresses = family === "ipv4" ? "127.0.0.0/8" : "::1";
  return allOf([
    found(family, "input", "interface lo accepted", accepts(input, "in")),
    found(family, "input", `${addresses} from other interfaces refused`, refusal),
    found(family, "output", "interface lo accepted", accepts(output, "out")),
  ]);
}

function isProtocol(condition: Condition, protocol: number): boolean {
  if (condition.kind !== "protocol") return false;
  const isIn = condition.numbers.some(({ from, to }) => from <= protocol && protocol <= to);
  return isIn !== condition.isNegated;
}

function statesOf(conditions: readonly Condition[]): readonly string[] | undefined {
  const states = conditions.find((one) => one.kind === "connection-state" && !one.isNegated);
  return states?.kind === "connection-state" ? states.states : undefined;
}

/** Whether packets of a protocol in a state are accepted, whatever else they are. */
function acceptsState(rule: RuleOnPath, family: AddressFamily, protocol: number, state: string) {
  if (rule.action.kind !== "accept") return false;
  const states = statesOf(rule.conditions);
  if (states !== undefined && !states.includes(state)) return false;
  return rule.conditions.every(
    (one) =>
      isProtocol(one, protocol) ||
      isFamily(one, family) ||
      (one.kind === "connection-state" && !one.isNegated),
  );
}

/** A new connection may be allowed to some places only: that is stricter, and as good. */
function acceptsSomeNew(rule: RuleOnPath, protocol: number): boolean {
  if (rule.action.kind !== "accept") return false;
  const states = statesOf(rule.conditions);
  if (states !== undefined && !states.includes("new")) return false;
  if (rule.conditions.some((one) => isLoopbackOnly(one, "out"))) return false;
  return rule.conditions.every((one) => one.kind !== "protocol" || isProtocol(one, protocol));
}

/** Answers to connections come in, and connections with their packets go out. */
export function judgeEstablished(firewall: Firewall, family: AddressFamily): Outcome {
  const input = rulesOf(firewall, family, ["input"]);
  const output = rulesOf(firewall, family, ["output"]);
  if (input === undefined || output === undefined) return TOO_MANY;
  const chains = filterChains(firewall, family, "output");
  const isOpen = chains.every((placed) => defaultVerdict(placed) === "accepted");
  const outcomes: Outcome[] = [];
  for (const protocol of [TCP, UDP, family === "ipv4" ? 1 : 58]) {
    const name = PROTOCOL_NAMES.get(protocol) ?? "";
    const back = input.find(
      (rule) =>
        statesOf(rule.conditions) !== undefined &&
        acceptsState(rule, family, protocol, "established"),
    );
    outcomes.push(found(family, "input", `${name} of established connections accepted`, back));
    const what = `${name} of new and established connections accepted`;
    if (isOpen) {
      outcomes.push(decide(true, evidence(`${family} output`, what, "all is accepted", "live")));
      continue;
    }
    const established = output.find((rule) => acceptsState(rule, family, protocol, "established"));
    const fresh = output.find((rule) => acceptsSomeNew(rule, protocol));
    outcomes.push(found(family, "output", what, fresh === undefined ? undefined : established));
  }
  return allOf(outcomes);
}

function namesPort(conditions: readonly Condition[], port: number): boolean {
  return conditions.some((one) => {
    if (one.kind === "any-of") return one.alternatives.some((some) => namesPort(some, port));
    if (one.kind !== "port" || one.side === "source" || one.isNegated) return false;
    return one.ranges.some(({ from, to }) => from <= port && port <= to);
  });
}

function isReachable(socket: SocketFacts, family: AddressFamily): boolean {
  const { protocol, state, localAddress } = socket;
  if (state !== (protocol === "tcp" ? LISTEN : UNCONNECTED)) return false;
  if (localAddress.startsWith("127.") || localAddress === "::1") return false;
  // A socket of `::` takes IPv4 as well, unless it was told not to, which cannot be seen.
  return socket.family === family || (family === "ipv4" && localAddress === "::");
}

/** Each port that others can reach is named by a rule, whatever that rule does. */
export function judgePorts(firewall: Firewall, family: AddressFamily, device: Device): Outcome {
  if (!device.isLive)
    return because("not-applicable", "nothing listens on a root that does not run");
  const sockets = device.sockets();
  if (sockets.state !== "value")
    return because("error", sockets.state === "unreadable" ? sockets.reason : "no socket tables");
  const [problem] = sockets.value.problems ?? [];
  if (problem !== undefined) return because("error", `${problem.subject}: ${problem.detail}`);
  const rules = rulesOf(firewall, family, ["input"]);
  if (rules === undefined) return TOO_MANY;
  const ports = new Map<string, SocketFacts>();
  for (const socket of sockets.value.sockets) {
    if (isReachable(socket, family)) ports.set(`${socket.protocol} ${socket.localPort}`, socket);
  }
  if (ports.size === 0) {
    const what = "a rule for each open port";
    return decide(true, evidence(`${family} input`, what, "no port is open", "live"));
  }
  const outcomes = [...ports].sort().map(([name, socket]): Outcome => {
    const protocol = socket.protocol === "tcp" ? TCP : UDP;
    const hit = rules.find(
      ({ conditions }) =>
        namesPort(conditions, socket.localPort) &&
        conditions.every((one) => one.kind !== "protocol" || isProtocol(one, protocol)),
    );
    return found(family, "input", `a rule for ${name}`, hit);
  });
  return allOf(outcomes);
}
