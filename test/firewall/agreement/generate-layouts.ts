/** Rule sets in the shape that Docker and ufw leave behind, with random contents. */
import { conditions, target } from "./generate-iptables-rule.ts";
import { port, sourceNetwork } from "./ingredients.ts";
import type { Dice } from "./random.ts";
import { CONTAINER_ADDRESSES, type Family } from "./topology.ts";

/** Published ports, isolation, DOCKER-USER; FORWARD drops. Source: docs.docker.com, packet filtering. */
export function dockerTables(dice: Dice, family: Family, extra: readonly string[]): string {
  const container = CONTAINER_ADDRESSES[family];
  const [host, bits, written] =
    family === "ipv4" ? ["172.17.0.0/16", 32, container] : ["fd17::/64", 128, `[${container}]`];
  const published = Array.from({ length: dice.whole(1, 3) }, () => ({
    protocol: dice.pick(["tcp", "udp"]),
    outside: port(dice),
    inside: port(dice),
  }));
  const loopback = family === "ipv4" ? "127.0.0.0/8" : "::1/128";
  return [
    "*nat",
    ":PREROUTING ACCEPT [12:3456]",
    ":INPUT ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ":POSTROUTING ACCEPT [0:0]",
    ":DOCKER - [0:0]",
    "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
    `-A OUTPUT ! -d ${loopback} -m addrtype --dst-type LOCAL -j DOCKER`,
    `-A POSTROUTING -s ${host} ! -o docker0 -j MASQUERADE`,
    "-A DOCKER -i docker0 -j RETURN",
    ...published.map(
      ({ protocol, outside, inside }) =>
        `-A DOCKER ! -i docker0 -p ${protocol} -m ${protocol} --dport ${outside} -j DNAT --to-destination ${written}:${inside}`,
    ),
    "COMMIT",
    "*filter",
    `:INPUT ${dice.pick(["ACCEPT", "DROP"])} [0:0]`,
    ":FORWARD DROP [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ":DOCKER - [0:0]",
    ":DOCKER-ISOLATION-STAGE-1 - [0:0]",
    ":DOCKER-ISOLATION-STAGE-2 - [0:0]",
    ":DOCKER-USER - [0:0]",
    "-A INPUT -i lo -j ACCEPT",
    ...randomRules(dice, family, "INPUT", dice.whole(1, 5)),
    ...extra,
    "-A FORWARD -j DOCKER-USER",
    "-A FORWARD -j DOCKER-ISOLATION-STAGE-1",
    "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-A FORWARD -o docker0 -j DOCKER",
    "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT",
    "-A FORWARD -i docker0 -o docker0 -j ACCEPT",
    ...published.map(
      ({ protocol, inside }) =>
        `-A DOCKER -d ${container}/${bits} ! -i docker0 -o docker0 -p ${protocol} -m ${protocol} --dport ${inside} -j ACCEPT`,
    ),
    "-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2",
    "-A DOCKER-ISOLATION-STAGE-1 -j RETURN",
    "-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP",
    "-A DOCKER-ISOLATION-STAGE-2 -j RETURN",
    ...(dice.chance(0.6) ? randomRules(dice, family, "DOCKER-USER", dice.whole(1, 2)) : []),
    "-A DOCKER-USER -j RETURN",
    "COMMIT\n",
  ].join("\n");
}

/** Chains before, user and after, with the catch-all lists. Source: ufw-framework(8). */
export function ufwTables(dice: Dice, family: Family, extra: readonly string[]): string {
  const ufw = family === "ipv4" ? "ufw" : "ufw6";
  const parts = ["before-logging-input", "before-input", "after-input", "after-logging-input"];
  const chains = [
    ...parts,
    "reject-input",
    "track-input",
    "user-input",
    "not-local",
    "skip-to-policy-input",
  ];
  const skipped = family === "ipv4" ? ["udp --dport 137", "tcp --dport 445"] : ["udp --dport 546"];
  const userRules = Array.from({ length: dice.whole(2, 6) }, () => {
    const protocol = dice.pick(["tcp", "udp"]);
    const source = dice.chance(0.5) ? `-s ${sourceNetwork(dice, family)} ` : "";
    return `-A ${ufw}-user-input ${source}-p ${protocol} -m ${protocol} --dport ${port(dice)} -j ${dice.pick(["ACCEPT", "ACCEPT", "DROP", "REJECT"])}`;
  });
  return [
    "*filter",
    `:INPUT ${dice.chance(0.8) ? "DROP" : "ACCEPT"} [0:0]`,
    ":FORWARD DROP [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ...chains.map((chain) => `:${ufw}-${chain} - [0:0]`),
    ...extra,
    ...parts.map((part) => `-A INPUT -j ${ufw}-${part}`),
    `-A INPUT -j ${ufw}-reject-input`,
    `-A INPUT -j ${ufw}-track-input`,
    `-A ${ufw}-before-input -i lo -j ACCEPT`,
    `-A ${ufw}-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    `-A ${ufw}-before-input -m conntrack --ctstate INVALID -j DROP`,
    `-A ${ufw}-before-input -j ${ufw}-not-local`,
    `-A ${ufw}-before-input -j ${ufw}-user-input`,
    `-A ${ufw}-not-local -m addrtype --dst-type LOCAL -j RETURN`,
    `-A ${ufw}-not-local -m addrtype --dst-type MULTICAST -j RETURN`,
    `-A ${ufw}-not-local -j DROP`,
    ...userRules,
    ...skipped.map((what) => `-A ${ufw}-after-input -p ${what} -j ${ufw}-skip-to-policy-input`),
    `-A ${ufw}-skip-to-policy-input -j ${dice.pick(["DROP", "ACCEPT"])}`,
    ...(dice.chance(0.5) ? [`-A ${ufw}-reject-input -j REJECT`] : []),
    "COMMIT\n",
  ].join("\n");
}

function randomRules(dice: Dice, family: Family, chain: string, count: number): readonly string[] {
  const site = { family, table: "filter", hook: chain === "INPUT" ? "INPUT" : "FORWARD" } as const;
  return Array.from({ length: count }, () =>
    `-A ${chain} ${conditions(dice, site)} ${target(dice, site)}`.trim(),
  );
}
