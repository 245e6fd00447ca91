import type { Firewall, FirewallRule } from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import { addressFamily, isLoopbackAddress } from "../../parse/addresses.ts";
import { letsIn } from "../exposure/lets-in.ts";
import type { Exposure, ExposurePiece, HostNetwork } from "../exposure/query.ts";
import { type RangeSet, subtract, union } from "../exposure/range-set.ts";
import {
  type DeviceInterface,
  type DeviceInterfaces,
  deviceInterfaces,
} from "./device-interfaces.ts";
import {
  boundAddress,
  isWildcard,
  type ListeningSocket,
  waitingSockets,
} from "./listening-socket.ts";
import { type PlaceClasses, placeClasses } from "./place-classes.ts";
import { type PortClasses, portClasses } from "./port-classes.ts";
import { addressesText } from "./range-text.ts";

/**
 * Who can reach a socket. `loopback`: this device alone. `container`: containers of this device. `blocked`:
 * nobody, because of the firewall. `reachable`: hosts of the network.
 */
export type ExposureKind = "reachable" | "unknown" | "container" | "blocked" | "loopback";

export interface SocketExposure {
  readonly listener: ListeningSocket;
  readonly kind: ExposureKind;
  /** Interfaces that it can be reached by; for `unknown` perhaps. */
  readonly interfaces: readonly string[];
  /** Who may reach it: `any`, or networks. */
  readonly sources?: string;
  /** Where packets end that NAT sends elsewhere. */
  readonly arrivesAt?: string;
  /** The rule that decides, or that cannot be decided, with its chain. */
  readonly rule?: string;
  /** Why, where no rule says it. */
  readonly reason?: string;
}

export interface ExposureInput {
  readonly sockets: readonly ListeningSocket[];
  /** Incomplete where part of it could not be read. */
  readonly firewall: Firewall;
  readonly host: HostNetwork | undefined;
  /** See CONTAINER_INTERFACES. */
  readonly containerInterfaces?: readonly string[];
}

/** Rules passed for all sockets together: some seconds of a slow gateway. */
const MOST_RULES_PASSED = 20_000_000;
const NO_HOST: HostNetwork = { addresses: [], routes: [] };

interface Look {
  readonly host: HostNetwork;
  readonly device: DeviceInterfaces;
  readonly classes: PortClasses;
  readonly places: PlaceClasses;
  readonly answers: Map<string, { readonly port: number; readonly exposure: Exposure }>;
  readonly firewalls: Map<number, { readonly firewall: Firewall; readonly rules: number }>;
  /** Ports of `tcp 0.0.0.0`, `udp 0.0.0.0`: a socket of IPv6 beside it does not serve IPv4. */
  readonly ipv4Wildcards: ReadonlySet<string>;
  budget: number;
}

/**
 * The exposure of every socket that waits for strangers, in the order of protocol, port and address. Asks
 * the firewall once for all ports, interfaces and addresses that no rule tells apart. Cost: sockets plus classes of ports × rules.
 */
export function exposeSockets(input: ExposureInput): readonly SocketExposure[] {
  const sockets = waitingSockets(input.sockets);
  const look: Look = {
    host: input.host ?? NO_HOST,
    device: deviceInterfaces(input.host, input.containerInterfaces),
    classes: portClasses(input.firewall),
    places: placeClasses(input.firewall),
    answers: new Map(),
    firewalls: new Map(),
    ipv4Wildcards: new Set(
      sockets
        .filter(({ socket }) => socket.localAddress === "0.0.0.0")
        .map(({ socket }) => `${socket.protocol} ${socket.localPort}`),
    ),
    budget: MOST_RULES_PASSED,
  };
  return sockets.map((listener) => exposeOne(listener, look));
}

/** A way in, with the firewall's answer. */
interface Answer {
  readonly from: DeviceInterface | undefined;
  readonly family: AddressFamily;
  /** Undefined: not asked, the budget is used up. */
  readonly exposure: Exposure | undefined;
}

function exposeOne(listener: ListeningSocket, look: Look): SocketExposure {
  const { socket, interfaceName } = listener;
  const alone = { listener, kind: "loopback", interfaces: [] } as const;
  if (isLoopbackAddress(socket.localAddress)) return { ...alone, reason: "bound to loopback" };
  if (interfaceName === "lo") return { ...alone, reason: "bound to interface lo" };
  const answers = familiesOf(listener, look).flatMap((family) =>
    waysTo(listener, family, look.device).map((from) => ({
      from,
      family,
      exposure: ask(listener, family, from, look),
    })),
  );
  if (answers.length === 0)
    return { ...alone, reason: "no interface but loopback has an address for it" };
  return judge(listener, answers, look.device);
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

function ask(
  { socket }: ListeningSocket,
  family: AddressFamily,
  from: DeviceInterface | undefined,
  look: Look,
): Exposure | undefined {
  const { protocol, localPort: port } = socket;
  const destinations = isWildcard(socket) ? from?.addresses : [boundAddress(socket)];
  const known = destinations === undefined || destinations.length === 0 ? undefined : destinations;
  const portClass = look.classes.classOf(port);
  const { interfaceClass, addressClass } = look.places;
  const at = known === undefined ? "" : [...new Set(known.map(addressClass))].sort().join(";");
  const by = from === undefined ? "?" : interfaceClass(from.name);
  const key = `${protocol} ${family} by ${by} to ${at} ${portClass}`;
  const before = look.answers.get(key);
  if (before !== undefined) return forPort(before.exposure, before.port, port);
  const { firewall, rules } = firewallFor(port, portClass, look);
  look.budget -= rules + 100;
  if (look.budget < 0) return undefined;
  const exposure = letsIn(firewall, {
    protocol,
    port,
    destinations: known,
    interface: from?.name,
    sources: { family, ranges: look.device.strangers(family) },
    host: look.host,
  });
  look.answers.set(key, { port, exposure });
  return exposure;
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

function firewallFor(
  port: number,
  portClass: number,
  look: Look,
): { readonly firewall: Firewall; readonly rules: number } {
  const known = look.firewalls.get(portClass);
  if (known !== undefined) return known;
  const firewall = look.classes.firewallFor(port);
  const rules = firewall.tables
    .flatMap(({ chains }) => chains)
    .reduce((sum, chain) => sum + chain.rules.reduce((all, rule) => all + weightOf(rule), 0), 0);
  // Sockets come in the order of ports, so the one before is not needed again.
  look.firewalls.clear();
  look.firewalls.set(portClass, { firewall, rules });
  return { firewall, rules };
}

/** A map asks once per entry. */
function weightOf({ action }: FirewallRule): number {
  return action.kind === "verdict-map" ? 1 + action.entries.length : 1;
}

function judge(
  listener: ListeningSocket,
  answers: readonly Answer[],
  device: DeviceInterfaces,
): SocketExposure {
  const outside = answers.filter(({ from }) => from?.isContainer !== true);
  const open = outside.filter(({ exposure }) => exposure?.verdict === "allow");
  if (open.length > 0) return { listener, kind: "reachable", ...detailsOf(open, "allow", device) };
  const unsure = outside.filter(
    ({ exposure }) => exposure === undefined || exposure.verdict === "unknown",
  );
  if (unsure.some(({ exposure }) => exposure === undefined)) {
    const reason = "there are too many sockets and rules to judge all";
    return { listener, kind: "unknown", interfaces: namesOf(unsure), reason };
  }
  if (unsure.length > 0)
    return { listener, kind: "unknown", ...detailsOf(unsure, "unknown", device) };
  if (device.isCut) {
    const reason = "there are too many interfaces to judge all";
    return { listener, kind: "unknown", interfaces: [], reason };
  }
  const inside = answers.filter(({ exposure }) => exposure?.verdict !== "deny");
  if (inside.length > 0)
    return { listener, kind: "container", ...detailsOf(inside, "allow", device) };
  return { listener, kind: "blocked", ...detailsOf(answers, "deny", device), interfaces: [] };
}

type Details = Omit<SocketExposure, "listener" | "kind">;

/** What the answers of one verdict have in common to tell. */
function detailsOf(
  answers: readonly Answer[],
  verdict: Exposure["verdict"],
  device: DeviceInterfaces,
): Details {
  const pieces = answers.flatMap(({ exposure, family }) =>
    (exposure?.pieces ?? [])
      .filter((piece) => piece.verdict === verdict)
      .map((piece) => ({ piece, family })),
  );
  const [first] = pieces;
  const isUnseen = verdict === "unknown" && first?.piece.doubts.length === 0;
  const rule = first === undefined || isUnseen ? undefined : ruleText(first.piece);
  const reason = isUnseen
    ? "rules that could not be read may block it"
    : "no rule of a firewall speaks of it";
  const arrivesAt = pieces.find(({ piece }) => piece.arrivesAt !== undefined)?.piece.arrivesAt;
  return {
    interfaces: namesOf(answers),
    ...(verdict === "deny" ? {} : { sources: sourcesText(pieces, device) }),
    ...(arrivesAt === undefined
      ? {}
      : { arrivesAt: `${arrivesAt.address ?? "this device"} port ${arrivesAt.port}` }),
    ...(rule === undefined ? { reason } : { rule }),
  };
}

function namesOf(answers: readonly Answer[]): readonly string[] {
  return [...new Set(answers.flatMap(({ from }) => (from === undefined ? [] : [from.name])))];
}

function ruleText({ rules, doubts }: ExposurePiece): string | undefined {
  const decisive = doubts.at(-1) ?? rules.at(-1);
  return decisive === undefined ? undefined : `${decisive.chain}: ${decisive.text}`;
}

function sourcesText(
  pieces: readonly { readonly piece: ExposurePiece; readonly family: AddressFamily }[],
  device: DeviceInterfaces,
): string {
  const texts = (["ipv4", "ipv6"] as const).flatMap((family) => {
    const own = pieces.filter((one) => one.family === family);
    if (own.length === 0) return [];
    const all = own.reduce<RangeSet>((sum, { piece }) => union(sum, piece.sources), []);
    const isAny = subtract(device.strangers(family), all).length === 0;
    return [isAny ? `any ${family}` : (addressesText(family, all) ?? `any ${family}`)];
  });
  return texts.length === 2 && texts.every((text) => text.startsWith("any"))
    ? "any"
    : texts.join(",");
}
