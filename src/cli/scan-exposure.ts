import type { AddressFamily } from "../contract/probe.ts";
import { addressNumber } from "../parse/address-number.ts";
import { addressFamily, isLoopbackAddress } from "../parse/addresses.ts";
import { createSecretMask } from "../parse/mask-secrets.ts";
import { plainText } from "../parse/plain-text.ts";
import type { HostNetwork } from "../posture/exposure/query.ts";
import { type AllowedPort, isAllowed } from "../posture/recommendations/allowed-ports.ts";
import type { SocketExposure } from "../posture/recommendations/exposure-details.ts";
import { boundAddress } from "../posture/recommendations/listening-socket.ts";
import { exposeSockets } from "../posture/recommendations/socket-exposure.ts";
import type { ExposureMap, Reach, ReportedSocket } from "../report/scan-report.ts";
import type { DeviceFacts } from "./scan-device.ts";

const MASK = createSecretMask([]);
/** Most sockets that the map draws; beyond, a page is of no use to anybody. */
const MOST_SOCKETS = 500;

/**
 * Networks from which no packet comes over the internet: private, shared, link-local, loopback.
 * Source: IANA special-purpose address registries; RFC 1918, 6598, 3927, 4193, 4291.
 */
const NEAR: readonly (readonly [string, number])[] = [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
  ["169.254.0.0", 16],
  ["127.0.0.0", 8],
  ["fc00::", 7],
  ["fe80::", 10],
];

/** The sockets of the device with who can reach them. */
export function exposureMapOf(facts: DeviceFacts, allowed: readonly AllowedPort[]): ExposureMap {
  const { sockets, firewall, host, userNames } = facts;
  const exposed = exposeSockets({ sockets: sockets.list, firewall: firewall.firewall, host });
  const places = new Map<string, string[]>();
  for (const { interface: name, address } of host?.addresses ?? []) {
    if (!isLoopbackAddress(address)) places.set(name, [...(places.get(name) ?? []), address]);
  }
  return {
    sockets: exposed
      .slice(0, MOST_SOCKETS)
      .map((one) => socketOf(one, { allowed, host, userNames })),
    firewall: { summary: summaryOf(facts), isComplete: firewall.firewall.isComplete },
    interfaces: [...places].map(([name, own]) => plainText(`${name} ${own.join(", ")}`)),
  };
}

interface View {
  readonly allowed: readonly AllowedPort[];
  readonly host: HostNetwork | undefined;
  readonly userNames: ReadonlyMap<number, string>;
}

function socketOf(one: SocketExposure, { allowed, host, userNames }: View): ReportedSocket {
  const { listener, kind, interfaces, sources, rule, reason, arrivesAt } = one;
  const { socket, process } = listener;
  const decides = rule ?? reason;
  const to = arrivesAt === undefined ? "" : `; sent on to ${arrivesAt}`;
  const name = process?.name;
  return {
    protocol: socket.protocol,
    address: socket.localAddress,
    port: socket.localPort,
    reach: reachOf(one, host),
    isBlocked: kind === "blocked",
    isAllowed: isAllowed(listener, allowed),
    interfaces,
    ...(sources === undefined ? {} : { sources }),
    ...(decides === undefined ? {} : { because: MASK.text(plainText(`${decides}${to}`, 400)) }),
    ...(name === undefined ? {} : { process: plainText(name, 64) }),
    ...(process?.unit === undefined ? {} : { unit: plainText(process.unit) }),
    ...(process?.container === undefined ? {} : { container: plainText(process.container.id, 12) }),
    user: userNames.get(socket.userId) ?? String(socket.userId),
  };
}

/** The farthest place. Without a default route of its family, packets of the internet find no way back. */
export function reachOf(one: SocketExposure, host: HostNetwork | undefined): Reach {
  if (one.kind === "unknown") return "unknown";
  if (one.kind === "container") return "containers";
  if (one.kind !== "reachable") return "device";
  if (boundAddress(one.listener.socket).startsWith("fe80:")) return "networks";
  const routed = (["ipv4", "ipv6"] as const).filter((family) => hasDefaultRoute(family, host));
  const isFar = (one.sources ?? "any").split(/,| and /).some((text) => isFromFar(text, routed));
  return isFar ? "internet" : "networks";
}

function hasDefaultRoute(family: AddressFamily, host: HostNetwork | undefined): boolean {
  if (host === undefined || host.routes.length === 0) return true;
  return host.routes.some(
    ({ destination, prefixLength, interface: name }) =>
      prefixLength === 0 && name !== "lo" && addressFamily(destination) === family,
  );
}

/** `any`, `any ipv4`, `192.0.2.0/24`, `192.0.2.1-192.0.2.9`, or `3 more`: of those nothing is known. */
function isFromFar(text: string, routed: readonly AddressFamily[]): boolean {
  if (text === "any") return routed.length > 0;
  const named = /^any (ipv4|ipv6)$/.exec(text)?.[1];
  if (named !== undefined) return routed.some((family) => family === named);
  const [first = ""] = text.split(/[/-]/);
  const family = addressFamily(first);
  if (family === undefined) return routed.length > 0;
  return routed.includes(family) && !isNear(text, family);
}

function isNear(text: string, family: AddressFamily): boolean {
  const bits = family === "ipv4" ? 32 : 128;
  const [address = "", prefix] = text.split("/");
  const [low = "", high = low] = address.split("-");
  const from = addressNumber(low);
  const last = addressNumber(high);
  if (from === undefined || last === undefined) return false;
  const size = prefix === undefined ? 1n : 1n << BigInt(Math.max(0, bits - Number(prefix)));
  const to = last + size - 1n;
  return NEAR.some(([base, length]) => {
    const start = addressNumber(base);
    if (start === undefined || addressFamily(base) !== family) return false;
    return from >= start && to < start + (1n << BigInt(bits - length));
  });
}

function summaryOf({ firewall }: DeviceFacts): string {
  const { tables } = firewall.firewall;
  const backends = [...new Set(tables.map(({ backend }) => backend))].sort();
  const texts = backends.map((backend) => {
    const own = tables.filter((table) => table.backend === backend);
    const rules = own.flatMap(({ chains }) => chains.flatMap((chain) => chain.rules)).length;
    return `${backend}: ${count(own.length, "table")}, ${count(rules, "rule")}`;
  });
  const unknown = firewall.unknown.map(
    ({ backend, problem }) => `${backend} could not be read: ${problem.detail}`,
  );
  const all = [...texts, ...new Set(unknown)];
  return all.length === 0 ? "there is none" : plainText(all.join("; "), 400);
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}
