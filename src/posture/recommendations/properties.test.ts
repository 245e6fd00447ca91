import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { randomFirewall } from "../../../test/posture/random-rules.ts";
import { assertSound } from "../../../test/posture/sound-verdict.ts";
import type { Firewall, FirewallRule } from "../../contract/firewall.ts";
import type { SocketFacts } from "../../contract/probe.ts";
import { letsIn } from "../exposure/lets-in.ts";
import type { Exposure, HostNetwork } from "../exposure/query.ts";
import { rangeSet } from "../exposure/range-set.ts";
import { deviceInterfaces } from "./device-interfaces.ts";
import type { ExposureKind } from "./exposure-details.ts";
import { judgeFirewallPolicy } from "./firewall-policy.ts";
import { judgeOpenPorts } from "./open-ports.ts";
import { judgeInputRules, judgeOutputRules } from "./permissive-rules.ts";
import { exposeSockets } from "./socket-exposure.ts";
import { findWideRules, WIDTH_THRESHOLDS } from "./wide-rules.ts";

const HOST: HostNetwork = {
  addresses: [
    { interface: "lo", address: "127.0.0.1", prefixLength: 8 },
    { interface: "eth0", address: "192.0.2.7", prefixLength: 24 },
    { interface: "eth1", address: "198.51.100.7", prefixLength: 24 },
    { interface: "eth2", address: "203.0.113.7", prefixLength: 24 },
    { interface: "docker0", address: "172.17.0.1", prefixLength: 16 },
  ],
  routes: [],
};
const PORTS = [21, 22, 25, 53, 80, 443, 450, 451, 5000, 8080];

function socketAt(protocol: "tcp" | "udp", localAddress: string, localPort: number): SocketFacts {
  return {
    protocol,
    family: "ipv4",
    state: protocol === "tcp" ? 10 : 7,
    localAddress,
    localPort,
    remoteAddress: "0.0.0.0",
    remotePort: 0,
    userId: 0,
    inode: 1,
    interfaceIndex: 0,
  };
}
const SOCKETS = PORTS.flatMap((port) =>
  (["tcp", "udp"] as const).flatMap((protocol) =>
    ["0.0.0.0", "192.0.2.7"].map((address) => ({ socket: socketAt(protocol, address, port) })),
  ),
);

const device = deviceInterfaces(HOST);

/** The firewall asked about one socket and interface, without any short cut. */
function askPlainly(
  firewall: Firewall,
  { protocol, localAddress, localPort }: SocketFacts,
  name: string,
  own: readonly string[],
) {
  return letsIn(firewall, {
    protocol,
    port: localPort,
    destinations: localAddress === "0.0.0.0" ? own : [localAddress],
    interface: name,
    sources: { family: "ipv4", ranges: device.strangers("ipv4") },
    host: HOST,
  });
}

function kindOf(
  asked: readonly { readonly isContainer: boolean; readonly exposure: Exposure }[],
): ExposureKind {
  const has = (isContainer: boolean, verdict: Exposure["verdict"]) =>
    asked.some((one) => one.isContainer === isContainer && one.exposure.verdict === verdict);
  if (has(false, "allow")) return "reachable";
  if (has(false, "unknown")) return "unknown";
  return has(true, "allow") || has(true, "unknown") ? "container" : "blocked";
}

describe("the short cuts for many sockets", () => {
  it("answer as the firewall does when each socket is asked about by itself", () => {
    fc.assert(
      fc.property(randomFirewall, (firewall) => {
        for (const found of exposeSockets({ sockets: SOCKETS, firewall, host: HOST })) {
          const { socket } = found.listener;
          const asked = device.of("ipv4").map(({ name, addresses, isContainer }) => ({
            name,
            isContainer,
            exposure: askPlainly(firewall, socket, name, addresses),
          }));
          assert.equal(found.kind, kindOf(asked));
          if (found.kind !== "reachable") continue;
          const open = asked.filter((one) => !one.isContainer && one.exposure.verdict === "allow");
          assert.deepEqual(
            found.interfaces,
            open.map(({ name }) => name),
          );
          const at = open
            .flatMap(({ exposure }) => exposure.pieces)
            .flatMap(({ arrivesAt }) =>
              arrivesAt === undefined ? [] : [`${arrivesAt.address} port ${arrivesAt.port}`],
            );
          if (found.arrivesAt !== undefined)
            assert.ok(at.includes(found.arrivesAt), found.arrivesAt);
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** The firewall with other rules in its input chain. */
function withInput(
  firewall: Firewall,
  change: (rules: readonly FirewallRule[]) => readonly FirewallRule[],
): Firewall {
  const tables = firewall.tables.map((table) => ({
    ...table,
    chains: table.chains.map((chain) =>
      chain.base?.hook === "input" ? { ...chain, rules: change(chain.rules) } : chain,
    ),
  }));
  return { ...firewall, tables };
}

/** Who is let in, and who perhaps, at some ports and interfaces. */
function answersOf(firewall: Firewall): readonly unknown[] {
  return ["eth0", "eth1"].flatMap((name) =>
    [21, 22, 53, 80, 5000].flatMap((port) =>
      (["tcp", "udp"] as const).map((protocol) => {
        const socket = socketAt(protocol, "192.0.2.7", port);
        const { pieces } = askPlainly(firewall, socket, name, []);
        return (["allow", "unknown"] as const).map((verdict) =>
          rangeSet(
            pieces.filter((piece) => piece.verdict === verdict).flatMap((piece) => piece.sources),
          ),
        );
      }),
    ),
  );
}

describe("a rule that counts as shadowed", () => {
  it("may go, and the firewall lets in the same", () => {
    let shadowed = 0;
    fc.assert(
      fc.property(randomFirewall, (firewall) => {
        const whole = findWideRules(firewall, "input", WIDTH_THRESHOLDS);
        const told = new Set([...whole.found, ...whole.doubtful].map(({ rule }) => rule));
        const input = firewall.tables
          .flatMap(({ chains }) => chains)
          .find(({ base }) => base?.hook === "input");
        for (const rule of input?.rules ?? []) {
          const alone = findWideRules(
            withInput(firewall, () => [rule]),
            "input",
            WIDTH_THRESHOLDS,
          );
          if (rule.action.kind !== "accept" || told.has(rule) || alone.found.length === 0) continue;
          shadowed += 1;
          const without = withInput(firewall, (rules) => rules.filter((other) => other !== rule));
          assert.deepEqual(answersOf(without), answersOf(firewall), rule.text);
        }
      }),
      { numRuns: 200 },
    );
    assert.ok(shadowed >= 10, `${shadowed} shadowed rules are too few to show anything`);
  });
});

describe("the verdicts on a firewall", () => {
  it("are bounded, sound and the same each time", () => {
    fc.assert(
      fc.property(randomFirewall, fc.boolean(), (firewall, isComplete) => {
        const facts = { firewall: { ...firewall, isComplete }, unknown: [] };
        const judgeAll = () => [
          judgeInputRules(facts),
          judgeOutputRules(facts),
          judgeFirewallPolicy(facts, HOST),
          judgeOpenPorts({ sockets: { list: SOCKETS }, firewall: facts, host: HOST, allowed: [] }),
        ];
        const verdicts = judgeAll();
        for (const verdict of verdicts) assertSound(verdict);
        assert.deepEqual(judgeAll(), verdicts);
      }),
      { numRuns: 60 },
    );
  });
});
