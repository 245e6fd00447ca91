import type { Firewall } from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import { addressFamily, isLoopbackAddress } from "../../parse/addresses.ts";
import { letsIn } from "../exposure/lets-in.ts";
import type { Exposure, HostNetwork } from "../exposure/query.ts";
import {
  type DeviceInterface,
  type DeviceInterfaces,
  deviceInterfaces,
} from "./device-interfaces.ts";
import {
  type Answer,
  detailsOf,
  namesOf,
  type SocketExposure,
  type TextMemory,
} from "./exposure-details.ts";
import {
  boundAddress,
  isWildcard,
  type ListeningSocket,
  waitingSockets,
} from "./listening-socket.ts";
import { type PlaceClasses, placeClasses } from "./place-classes.ts";
import { type PortClasses, type PortFirewall, portClasses } from "./port-classes.ts";

/** Sockets, and what decides who reaches them. */
export interface ExposureInput {
  readonly sockets: readonly ListeningSocket[];
  /** Incomplete where part of it could not be read. */
  readonly firewall: Firewall;
  readonly host: HostNetwork | undefined;
  /** See CONTAINER_INTERFACES. */
  readonly containerInterfaces?: readonly string[];
}

/** Rules looked at for all sockets together: some seconds, ten of a slow gateway. */
const MOST_RULES_PASSED = 1_500_000;
/** What a question costs beside, in rules. */
const QUESTION_COST = 20;
/** Classes of ports whose answers are kept: ports between those of rules are one class, met again and again. */
const MOST_OPENED = 16;
const TOO_MANY = "there are too many sockets and rules to judge all";
const NO_HOST: HostNetwork = { addresses: [], routes: [] };

/** The rules for the ports of a class, and what was asked of them. */
interface PortClass extends TextMemory {
  readonly part: PortFirewall;
  readonly answers: Map<string, { readonly port: number; readonly exposure: Exposure }>;
}

interface Look {
  readonly host: HostNetwork;
  readonly device: DeviceInterfaces;
  readonly classes: PortClasses;
  readonly places: PlaceClasses;
  /** By class of ports, the latest used last. */
  readonly opened: Map<string, PortClass>;
  /** Ports of `tcp 0.0.0.0`, `udp 0.0.0.0`: a socket of IPv6 beside it does not serve IPv4. */
  readonly ipv4Wildcards: ReadonlySet<string>;
  budget: number;
}

/**
 * The exposure of every socket that waits for strangers, in the order of protocol, port and address. Asks
 * the firewall once for all ports, interfaces and addresses that no rule tells apart. Cost: sockets, plus
 * for each class of ports the rules that may concern it, up to a bound beyond which sockets are unknown.
 */
export function exposeSockets(input: ExposureInput): readonly SocketExposure[] {
  const sockets = waitingSockets(input.sockets);
  const look: Look = {
    host: input.host ?? NO_HOST,
    device: deviceInterfaces(input.host, input.containerInterfaces),
    classes: portClasses(input.firewall),
    places: placeClasses(input.firewall),
    opened: new Map(),
    ipv4Wildcards: new Set(
      sockets
        .filter(({ socket }) => socket.localAddress === "0.0.0.0")
        .map(({ socket }) => `${socket.protocol} ${socket.localPort}`),
    ),
    budget: MOST_RULES_PASSED,
  };
  return sockets.map((listener) => exposeOne(listener, look));
}

function exposeOne(listener: ListeningSocket, look: Look): SocketExposure {
  const { socket, interfaceName } = listener;
  const alone = { listener, kind: "loopback", interfaces: [] } as const;
  if (isLoopbackAddress(socket.localAddress)) return { ...alone, reason: "bound to loopback" };
  if (interfaceName === "lo") return { ...alone, reason: "bound to interface lo" };
  const ways = familiesOf(listener, look).flatMap((family) =>
    waysTo(listener, family, look.device).map((from) => ({ family, from })),
  );
  if (ways.length === 0)
    return { ...alone, reason: "no interface but loopback has an address for it" };
  const portClass = openClass(listener, look);
  if (portClass === undefined) {
    const interfaces = namesOf(ways.filter(({ from }) => from?.isContainer !== true));
    return { listener, kind: "unknown", interfaces, reason: TOO_MANY };
  }
  const answers = ways.map((way) => ({ ...way, ...ask(listener, way, portClass, look) }));
  return judge(listener, answers, portClass);
}

function familiesOf({ socket, isIpv6Only }: ListeningSocket, look: Look): readonly AddressFamily[] {
  if (socket.localAddress !== "::") return [addressFamily(boundAddress(socket)) ?? socket.family];
  const key = `${socket.protocol} ${socket.localPort}`;
  const servesBoth = isIpv6Only !== true && !look.ipv4Wildcards.has(key);
  return servesBoth ? ["ipv6", "ipv4"] : ["ipv6"];
}

/** Interfaces that a packet to the socket may come in by; undefined: by one that is not known. */
function waysTo(
  { socket, interfaceName }: ListeningSocket,
  family: AddressFamily,
  device: DeviceInterfaces,
): readonly (DeviceInterface | undefined)[] {
  const all = device.of(family);
  const isBound = socket.interfaceIndex !== 0;
  if (isBound && interfaceName !== undefined) {
    const own = all.find(({ name }) => name === interfaceName);
    return [own ?? { name: interfaceName, addresses: [], isContainer: false }];
  }
  if (isBound || !device.isKnown) return [undefined];
  if (isWildcard(socket)) return all;
  const address = boundAddress(socket);
  const owner = all.find(({ addresses }) => addresses.includes(address));
  // The network does not route to addresses of a container bridge or of a single link.
  const isNear = owner?.isContainer === true || address.startsWith("fe80:");
  return isNear && owner !== undefined ? [owner] : all;
}

type Way = Pick<Answer, "family" | "from">;

function ask(
  { socket }: ListeningSocket,
  { family, from }: Way,
  { part, answers }: PortClass,
  look: Look,
): Pick<Answer, "exposure" | "key"> {
  const { protocol, localPort: port } = socket;
  const destinations = isWildcard(socket) ? from?.addresses : [boundAddress(socket)];
  const known = destinations === undefined || destinations.length === 0 ? undefined : destinations;
  const { interfaceClass, addressClass } = look.places;
  const at = known === undefined ? "" : [...new Set(known.map(addressClass))].sort().join(";");
  const by = from === undefined ? "?" : interfaceClass(from.name);
  const key = `${family} by ${by} to ${at}`;
  const before = answers.get(key);
  if (before !== undefined) return { key, exposure: forPort(before.exposure, before.port, port) };
  look.budget -= part.cost + QUESTION_COST;
  if (look.budget < 0) return { key, exposure: undefined };
  const exposure = letsIn(part.firewall, {
    protocol,
    port,
    destinations: known,
    interface: from?.name,
    sources: { family, ranges: look.device.strangers(family) },
    host: look.host,
  });
  answers.set(key, { port, exposure });
  return { key, exposure };
}

/** An answer about another port of the class: where NAT kept the port, it keeps this one. */
function forPort(exposure: Exposure, asked: number, port: number): Exposure {
  if (asked === port) return exposure;
  return {
    ...exposure,
    pieces: exposure.pieces.map((piece) =>
      piece.arrivesAt?.port === asked
        ? { ...piece, arrivesAt: { ...piece.arrivesAt, port } }
        : piece,
    ),
  };
}

/** The class of a socket's port; undefined where it was not opened before and nothing is left to spend. */
function openClass({ socket }: ListeningSocket, look: Look): PortClass | undefined {
  const { opened, classes, device } = look;
  const key = `${socket.protocol} ${classes.classOf(socket.localPort)}`;
  const before = opened.get(key);
  if (before === undefined && look.budget < 0) return undefined;
  const portClass = before ?? {
    part: classes.firewallFor(socket.localPort),
    answers: new Map(),
    sourcesTexts: new Map(),
    device,
  };
  opened.delete(key);
  opened.set(key, portClass);
  for (const [oldest] of opened) {
    if (opened.size <= MOST_OPENED) break;
    opened.delete(oldest);
  }
  return portClass;
}

function judge(
  listener: ListeningSocket,
  answers: readonly Answer[],
  memory: PortClass,
): SocketExposure {
  const outside = answers.filter(({ from }) => from?.isContainer !== true);
  const open = outside.filter(({ exposure }) => exposure?.verdict === "allow");
  if (open.length > 0) return { listener, kind: "reachable", ...detailsOf(open, "allow", memory) };
  const unsure = outside.filter(
    ({ exposure }) => exposure === undefined || exposure.verdict === "unknown",
  );
  if (unsure.some(({ exposure }) => exposure === undefined)) {
    return { listener, kind: "unknown", interfaces: namesOf(unsure), reason: TOO_MANY };
  }
  if (unsure.length > 0)
    return { listener, kind: "unknown", ...detailsOf(unsure, "unknown", memory) };
  if (memory.device.isCut) {
    const reason = "there are too many interfaces to judge all";
    return { listener, kind: "unknown", interfaces: [], reason };
  }
  const inside = answers.filter(({ exposure }) => exposure?.verdict !== "deny");
  if (inside.length > 0)
    return { listener, kind: "container", ...detailsOf(inside, "allow", memory) };
  return { listener, kind: "blocked", ...detailsOf(answers, "deny", memory), interfaces: [] };
}
