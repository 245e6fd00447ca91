/** Makes the network of `topology.ts` out of namespaces, and takes it away again. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { CONTAINER_ADDRESSES, GATEWAY_ADDRESSES, GATEWAY_ROUTES, SOURCES } from "./topology.ts";

const PREFIX = "gwagree";

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

export interface Namespaces {
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

/** A refused answer would end a connection that has begun, before anybody saw it begin. */
const DEAF_TO_REFUSALS = `nft -f - <<'END'
table inet deaf {
  chain input {
    type filter hook input priority 0; policy accept;
    meta l4proto { icmp, icmpv6 } drop
    tcp flags & rst == rst drop
  }
}
END`;

function containerLines(): readonly string[] {
  return [
    DEAF_TO_REFUSALS,
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

export interface Network extends Namespaces {
  /** Removes the namespaces; may be called twice. */
  remove(): void;
}

let built = 0;

/** Throws where a namespace cannot be made; leaves nothing behind then, nor when this process ends. */
export function buildNetwork(): Network {
  removeLeftovers();
  built += 1;
  const stem = `${PREFIX}-${process.pid}-${built}`;
  const names = { client: `${stem}-a`, gateway: `${stem}-b`, container: `${stem}-c` };
  const removeAll = (): void => {
    for (const name of Object.values(names)) removeNamespace(name);
  };
  const endOnSignal = (): never => process.exit(1);
  process.once("exit", removeAll);
  process.once("SIGTERM", endOnSignal);
  const remove = (): void => {
    removeAll();
    process.off("exit", removeAll);
    process.off("SIGTERM", endOnSignal);
  };
  try {
    connect(names);
  } catch (cause) {
    remove();
    throw cause;
  }
  return { ...names, remove };
}

/** Whether this process may make namespaces at all. */
export function canMakeNamespaces(): boolean {
  const trial = `${PREFIX}-${process.pid}-trial`;
  try {
    ip(`netns add ${trial}`);
    return true;
  } catch {
    return false;
  } finally {
    removeNamespace(trial);
  }
}

function connect(names: Namespaces): void {
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
