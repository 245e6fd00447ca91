/**
 * A client, a gateway and a container in network namespaces of their own. Rules are loaded into the gateway,
 * packets are sent by the client, and listeners say which of them were let in. Needs root, ip and the
 * programs of the rule sets; touches nothing outside the namespaces.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { type Driver, startDriver } from "./driver-handle.ts";
import type { Probe, ProgramCall, ProgramEnd } from "./driver-protocol.ts";
import {
  CONTAINER_ADDRESSES,
  GATEWAY_ADDRESSES,
  GATEWAY_ROUTES,
  PORTS,
  SOURCES,
} from "./topology.ts";

/** Where a packet was seen: at the gateway or at the container, and at which port. */
export interface Observation {
  readonly at: "gateway" | "container" | "nowhere";
  readonly port?: number;
}

export interface TestBed {
  /** Runs programs inside the gateway, one after the other. */
  run(calls: readonly ProgramCall[]): Promise<readonly ProgramEnd[]>;
  /** A source port that no packet of this test bed has used. */
  freshSourcePort(): number;
  /**
   * Sends all at once and says for each where it arrived. Waits 150 ms for packets that are not expected,
   * and up to 1.5 s for those that are.
   */
  observe(
    probes: readonly Probe[],
    isExpected: (probe: Probe) => boolean,
  ): Promise<readonly Observation[]>;
  /** Packets that arrived after their probe was given up. */
  lateArrivals(): readonly Probe[];
  close(): Promise<void>;
}

const PATIENCE_MS = 150;
const LONGEST_WAIT_MS = 1500;
const PREFIX = "gwagree";
const PROGRAMS = ["ip", "nft"];
const FIRST_SOURCE_PORT = 20_000;
const LAST_SOURCE_PORT = 60_999;

/** Why the test bed cannot be used here; undefined when it can. */
export function missingForTestBed(): string | undefined {
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const missing = [
    ...PROGRAMS,
    ...["iptables", "ip6tables"].flatMap((name) =>
      ["nft", "legacy"].flatMap((kind) => [`${name}-${kind}-save`, `${name}-${kind}-restore`]),
    ),
  ].filter((name) => !["/usr/sbin", "/sbin", "/usr/bin"].some((at) => existsSync(`${at}/${name}`)));
  if (missing.length > 0) return `not installed: ${missing.join(", ")}`;
  const trial = `${PREFIX}-${process.pid}-trial`;
  try {
    ip(`netns add ${trial}`);
    return undefined;
  } catch {
    return "network namespaces cannot be made here";
  } finally {
    removeNamespace(trial);
  }
}

function ip(line: string): void {
  execFileSync("ip", line.split(" "), { stdio: ["ignore", "ignore", "pipe"] });
}

function removeNamespace(name: string): void {
  try {
    ip(`netns del ${name}`);
  } catch {
    // It was never made, or is gone already.
  }
}

/** Namespaces of processes that were killed before they could remove them. */
function removeLeftovers(): void {
  if (!existsSync("/run/netns")) return;
  for (const name of readdirSync("/run/netns")) {
    const owner = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) removeNamespace(name);
  }
}

interface Names {
  readonly client: string;
  readonly gateway: string;
  readonly container: string;
}

/** A cable: the end in the gateway, the end elsewhere, and their hardware addresses. */
interface Cable {
  readonly gatewayEnd: string;
  readonly farEnd: string;
  readonly far: "client" | "container";
  readonly number: number;
}

const CABLES: readonly Cable[] = [
  { gatewayEnd: "eth0", farEnd: "c0", far: "client", number: 1 },
  { gatewayEnd: "eth1", farEnd: "c1", far: "client", number: 2 },
  { gatewayEnd: "docker0", farEnd: "k0", far: "container", number: 3 },
];

const gatewayMac = (cable: Cable): string => `02:00:00:00:01:0${cable.number}`;
const farMac = (cable: Cable): string => `02:00:00:00:02:0${cable.number}`;

const SYSCTLS: Readonly<Record<string, string>> = {
  "ipv4/ip_forward": "1",
  "ipv4/conf/all/rp_filter": "0",
  "ipv4/conf/default/rp_filter": "0",
  "ipv6/conf/all/forwarding": "1",
  "ipv6/conf/all/accept_dad": "0",
  "ipv6/conf/default/accept_dad": "0",
};

/** Runs one shell per namespace: hundreds of programs would take seconds. */
function configure(namespace: string, lines: readonly string[]): void {
  const script = ["set -e", ...lines].join("\n");
  execFileSync("ip", ["netns", "exec", namespace, "sh"], {
    input: script,
    stdio: ["pipe", "ignore", "pipe"],
  });
}

const sysctlLines = Object.entries(SYSCTLS).map(
  ([key, value]) => `echo ${value} > /proc/sys/net/${key}`,
);

const familyFlag = (address: string): string => (address.includes(":") ? "-6" : "-4");

/** Neighbours are told, because rules that drop everything drop neighbour discovery too (RFC 4861). */
const neighbourLine = (address: string, mac: string, device: string): string =>
  `ip neigh replace ${address} lladdr ${mac} dev ${device} nud permanent`;

function gatewayLines(): readonly string[] {
  return [
    ...sysctlLines,
    "ip link set lo up",
    ...CABLES.map((cable) => `ip link set ${cable.gatewayEnd} up`),
    ...GATEWAY_ADDRESSES.filter(({ interface: name }) => name !== "lo").map(
      ({ interface: name, address, prefixLength }) =>
        `ip address add ${address}/${prefixLength} dev ${name}${address.includes(":") ? " nodad" : ""}`,
    ),
    ...CABLES.flatMap((cable) => {
      const addresses =
        cable.far === "container"
          ? Object.values(CONTAINER_ADDRESSES)
          : SOURCES.filter((source) => source.gatewayInterface === cable.gatewayEnd).map(
              (source) => source.address,
            );
      return addresses.map((address) => neighbourLine(address, farMac(cable), cable.gatewayEnd));
    }),
    ...GATEWAY_ROUTES.filter((route) => route.via !== undefined).map(
      (route) =>
        `ip ${familyFlag(route.destination)} route add ${route.destination}/${route.prefixLength} via ${route.via} dev ${route.interface}`,
    ),
  ];
}

/** Packets from the addresses of a cable leave through it, whatever they are sent to. */
function clientLines(): readonly string[] {
  const cables = CABLES.filter((cable) => cable.far === "client");
  return [
    ...sysctlLines,
    "ip link set lo up",
    ...cables.flatMap((cable) => {
      const table = 100 + cable.number;
      const hops = GATEWAY_ADDRESSES.filter(({ interface: name }) => name === cable.gatewayEnd);
      const sources = SOURCES.filter((source) => source.gatewayInterface === cable.gatewayEnd);
      return [
        `ip link set ${cable.farEnd} up`,
        ...sources.map(
          ({ address, family }) =>
            `ip address add ${address}/${family === "ipv6" ? "128 nodad" : "32"} dev ${cable.farEnd}`,
        ),
        ...hops.map(({ address }) => neighbourLine(address, gatewayMac(cable), cable.farEnd)),
        ...["-4", "-6"].flatMap((flag) => {
          const hop = hops.find(({ address }) => familyFlag(address) === flag)?.address;
          return [
            `ip ${flag} route add ${hop} dev ${cable.farEnd}`,
            `ip ${flag} route add ${hop} dev ${cable.farEnd} table ${table}`,
            `ip ${flag} route add default via ${hop} dev ${cable.farEnd} table ${table}`,
          ];
        }),
        ...sources.map(
          ({ address }) =>
            `ip ${familyFlag(address)} rule add from ${address} lookup ${table} priority 1000`,
        ),
      ];
    }),
  ];
}

function containerLines(): readonly string[] {
  return [
    ...sysctlLines,
    "ip link set lo up",
    "ip link set k0 up",
    `ip address add ${CONTAINER_ADDRESSES.ipv4}/16 dev k0`,
    `ip address add ${CONTAINER_ADDRESSES.ipv6}/64 dev k0 nodad`,
    ...CABLES.filter((cable) => cable.far === "container").flatMap((cable) =>
      GATEWAY_ADDRESSES.filter(({ interface: name }) => name === cable.gatewayEnd).flatMap(
        ({ address }) => [
          neighbourLine(address, gatewayMac(cable), "k0"),
          `ip ${familyFlag(address)} route add default via ${address} dev k0`,
        ],
      ),
    ),
  ];
}

function build(names: Names): void {
  for (const name of Object.values(names)) ip(`netns add ${name}`);
  for (const cable of CABLES)
    ip(
      `link add ${cable.gatewayEnd} netns ${names.gateway} address ${gatewayMac(cable)} type veth ` +
        `peer name ${cable.farEnd} netns ${names[cable.far]} address ${farMac(cable)}`,
    );
  configure(names.gateway, gatewayLines());
  configure(names.client, clientLines());
  configure(names.container, containerLines());
}

const key = (packet: { readonly protocol: string; readonly sourcePort: number }): string =>
  `${packet.protocol}/${packet.sourcePort}`;

let opened = 0;

/** Throws where a namespace or a driver cannot be made; leaves nothing behind then. */
export async function openTestBed(): Promise<TestBed> {
  removeLeftovers();
  opened += 1;
  const stem = `${PREFIX}-${process.pid}-${opened}`;
  const names = { client: `${stem}-a`, gateway: `${stem}-b`, container: `${stem}-c` };
  const removeAll = (): void => {
    for (const name of Object.values(names)) removeNamespace(name);
  };
  const endOnSignal = (): never => process.exit(1);
  process.once("exit", removeAll);
  process.once("SIGTERM", endOnSignal);
  const drivers: Driver[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(drivers.map((driver) => driver.stop()));
    removeAll();
    process.off("exit", removeAll);
    process.off("SIGTERM", endOnSignal);
  };
  try {
    build(names);
    const [client, gateway, container] = [names.client, names.gateway, names.container].map(
      startDriver,
    ) as [Driver, Driver, Driver];
    drivers.push(client, gateway, container);
    await Promise.all([gateway, container].map((driver) => driver.listen(PORTS)));
    return { ...observer(client, gateway, container), run: gateway.run, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

function observer(
  client: Driver,
  gateway: Driver,
  container: Driver,
): Pick<TestBed, "observe" | "freshSourcePort" | "lateArrivals"> {
  const seen = new Map<string, Observation>();
  const givenUp: Probe[] = [];
  let sourcePort = FIRST_SOURCE_PORT - 1;
  const collect = async (): Promise<void> => {
    const [atGateway, atContainer] = await Promise.all([gateway.collect(), container.collect()]);
    for (const packet of atGateway) seen.set(key(packet), { at: "gateway", port: packet.port });
    for (const packet of atContainer) seen.set(key(packet), { at: "container", port: packet.port });
  };
  return {
    freshSourcePort() {
      sourcePort += 1;
      if (sourcePort > LAST_SOURCE_PORT) throw new Error("no source port is left");
      return sourcePort;
    },
    lateArrivals: () => givenUp.filter((probe) => seen.has(key(probe))),
    async observe(probes, isExpected) {
      await client.probe(probes);
      const startedMs = performance.now();
      for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, 200)) {
        await collect();
        const unseen = probes.filter((probe) => !seen.has(key(probe)));
        const elapsedMs = performance.now() - startedMs;
        if (unseen.length === 0 || elapsedMs > LONGEST_WAIT_MS) break;
        if (elapsedMs > PATIENCE_MS && !unseen.some(isExpected)) break;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
      await client.abort();
      givenUp.push(...probes.filter((probe) => !seen.has(key(probe))));
      return probes.map((probe) => seen.get(key(probe)) ?? { at: "nowhere" });
    },
  };
}
