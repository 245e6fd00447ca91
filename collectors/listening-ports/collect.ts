import {
  abandonedSnapshot,
  type CollectorContext,
  type Snapshot,
} from "../../src/contract/collector.ts";
import { knownDetails, type PayloadItem } from "../../src/contract/event.ts";
import type { Probe, SocketFacts, SocketList } from "../../src/contract/probe.ts";
import type { Problem } from "../../src/contract/result.ts";
import type { Infer } from "../../src/contract/schema.ts";
import { isIpAddress } from "../../src/parse/addresses.ts";
import { interfaceNamesOf, userNamesOf } from "./names.ts";
import { networkNamespace, ownerDetails, sharedByText } from "./owner-details.ts";
import { byAge, findOwners, type Owner, type OwnerSearch } from "./owners.ts";
import type { listeningPortsSettings } from "./schema.ts";

type Context = CollectorContext<Infer<typeof listeningPortsSettings>>;

type Details = Readonly<Record<string, string>>;

/** Kernel states of a socket that waits for strangers. Source: include/net/tcp_states.h */
const LISTEN = 10;
const CLOSE = 7;

/** Most items of one event: any local user can open sockets, and the event must stay bounded. */
const MOST_LISTENERS = 2000;

/** The sockets that share protocol, address and port: several under SO_REUSEPORT, mostly one. */
interface Listener {
  readonly protocol: "tcp" | "tcp6" | "udp" | "udp6";
  readonly address: string;
  readonly port: number;
  readonly sockets: readonly SocketFacts[];
}

/** Listening TCP sockets and unconnected, bound UDP sockets, with what is known of their owners. */
export async function collectListeningPorts(context: Context): Promise<Snapshot> {
  if (context.signal.aborted) return abandonedSnapshot("sockets");
  const list = context.probe.listeningSockets();
  if (!list.ok) return { events: [], problems: [list.problem] };
  const all = listenersOf(list.value.sockets);
  const listeners = all.slice(0, MOST_LISTENERS);
  const search = await searchOwners(context, listeners);
  if (search === undefined) return abandonedSnapshot("/proc/[pid]/fd");
  const describe = itemWriter(context, list.value, search);
  const problems = [
    ...(list.value.problems ?? []),
    ...tooMany(all.length),
    ...unknownOwners(listeners, search),
  ];
  return { events: [{ name: "ListeningPorts", payload: listeners.map(describe) }], problems };
}

function isListening(socket: SocketFacts): boolean {
  if (socket.protocol === "tcp") return socket.state === LISTEN;
  return socket.state === CLOSE && socket.remotePort === 0 && socket.localPort !== 0;
}

function listenersOf(sockets: readonly SocketFacts[]): readonly Listener[] {
  /** By protocol and address, then by port: thousands of sockets have a few addresses. */
  const groups = new Map<string, Map<number, Listener & { readonly sockets: SocketFacts[] }>>();
  for (const socket of sockets) {
    if (!isListening(socket)) continue;
    const { family, localAddress: address, localPort: port } = socket;
    const protocol = family === "ipv6" ? (`${socket.protocol}6` as const) : socket.protocol;
    const key = `${protocol} ${address}`;
    let byPort = groups.get(key);
    if (byPort === undefined) {
      if (!isIpAddress(address)) continue;
      byPort = new Map();
      groups.set(key, byPort);
    }
    const known = byPort.get(port);
    if (known === undefined) byPort.set(port, { protocol, address, port, sockets: [socket] });
    else known.sockets.push(socket);
  }
  const listeners = [...groups.values()].flatMap((byPort) => [...byPort.values()]);
  for (const { sockets: members } of listeners) {
    if (members.length > 1) members.sort((a, b) => a.inode - b.inode);
  }
  return listeners.sort(byProtocolAndPort);
}

function byProtocolAndPort(a: Listener, b: Listener): number {
  return (
    compareText(a.protocol, b.protocol) || a.port - b.port || compareText(a.address, b.address)
  );
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

const NO_SEARCH: OwnerSearch = { owners: new Map(), deniedProcesses: 0 };

async function searchOwners(
  context: Context,
  listeners: readonly Listener[],
): Promise<OwnerSearch | undefined> {
  if (!context.settings.includeOwners || listeners.length === 0) return NO_SEARCH;
  const inodes = new Set<number>();
  for (const { sockets } of listeners) for (const { inode } of sockets) inodes.add(inode);
  inodes.delete(0);
  return findOwners(context, inodes);
}

function itemWriter(
  context: Context,
  list: SocketList,
  search: OwnerSearch,
): (listener: Listener) => PayloadItem {
  const { probe } = context;
  const isAnyBound = list.sockets.some((socket) => socket.interfaceIndex !== 0);
  const interfaces = isAnyBound ? interfaceNamesOf(probe) : NO_NAMES;
  const commonDetails = commonDetailsWriter(probe, list.source);
  return (listener) => {
    const { protocol, address, port, sockets } = listener;
    const owners = ownersOf(sockets, search);
    const [first] = sockets;
    return {
      Protocol: protocol,
      LocalAddress: address,
      LocalPort: String(port),
      RemoteAddress: protocol.endsWith("6") ? "::" : "0.0.0.0",
      RemotePort: "*",
      ExtraDetails: withInode(
        commonDetails(owners[0], first?.userId),
        ownDetails(sockets, owners, interfaces),
        String(first?.inode ?? ""),
      ),
    };
  };
}

/** One spread in a literal is a copy for V8; two are a walk over the names, and this is done for each socket. */
function withInode(common: Details, own: Details, inode: string): Details {
  return own === NONE ? { ...common, Inode: inode } : { ...common, ...own, Inode: inode };
}

const NONE: Details = {};
const NO_NAMES: ReadonlyMap<number, string> = new Map();

/**
 * What all sockets of one owner and one user have in common: a server with a thousand sockets is read, and
 * its details are put together, once.
 */
function commonDetailsWriter(
  probe: Probe,
  source: SocketList["source"],
): (owner: Owner | undefined, userId: number | undefined) => Details {
  const userNames = userNamesOf(probe);
  const ownNamespace = networkNamespace(probe, "self");
  const known = new Map<string, Details>();
  return (owner, userId) => {
    const key = `${owner?.processId ?? ""} ${userId}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const { ExtraDetails: details = NONE } = knownDetails({
      ...(owner === undefined ? {} : ownerDetails(probe, owner)),
      UserId: String(userId ?? ""),
      User: userId === undefined ? undefined : userNames.get(userId),
      NetworkNamespace:
        ownNamespace ??
        (owner === undefined ? undefined : networkNamespace(probe, String(owner.processId))),
      Source: source,
    });
    known.set(key, details);
    return details;
  };
}

/** What few sockets have. */
function ownDetails(
  sockets: readonly SocketFacts[],
  owners: readonly Owner[],
  interfaces: ReadonlyMap<number, string>,
): Details {
  if (sockets.length === 1 && owners.length < 2 && sockets[0]?.interfaceIndex === 0) return NONE;
  const { ExtraDetails: details = NONE } = knownDetails({
    SharedBy: sharedByText(owners.slice(1)),
    Interface: interfaceText(sockets, interfaces),
    Count: sockets.length > 1 ? String(sockets.length) : undefined,
  });
  return details;
}

function ownersOf(sockets: readonly SocketFacts[], search: OwnerSearch): readonly Owner[] {
  const [only] = sockets;
  // As findOwners has ordered them, and each process once.
  if (sockets.length === 1 && only !== undefined) return search.owners.get(only.inode) ?? [];
  const byProcess = new Map<number, Owner>();
  for (const socket of sockets) {
    for (const owner of search.owners.get(socket.inode) ?? []) {
      byProcess.set(owner.processId, owner);
    }
  }
  return [...byProcess.values()].sort(byAge);
}

/** Interfaces the sockets are bound to; nothing as soon as one of them takes packets from any. */
function interfaceText(
  sockets: readonly SocketFacts[],
  names: ReadonlyMap<number, string>,
): string | undefined {
  if (sockets.some((socket) => socket.interfaceIndex === 0)) return undefined;
  const texts = sockets.map(
    ({ interfaceIndex }) => names.get(interfaceIndex) ?? `index:${interfaceIndex}`,
  );
  return [...new Set(texts)].sort(compareText).join(";");
}

function tooMany(count: number): readonly Problem[] {
  if (count <= MOST_LISTENERS) return [];
  const detail = `${count} listeners; the first ${MOST_LISTENERS} are reported`;
  return [{ code: "too-large", subject: "sockets", detail }];
}

/** One problem for all: what is unknown, and what would make it known. */
function unknownOwners(listeners: readonly Listener[], search: OwnerSearch): readonly Problem[] {
  if (search.deniedProcesses === 0) return [];
  const unknown = listeners
    .flatMap((listener) => listener.sockets)
    .filter((socket) => socket.inode !== 0 && !search.owners.has(socket.inode)).length;
  if (unknown === 0) return [];
  const detail = `sockets with unknown owner: ${unknown}; processes that may not be looked into: ${search.deniedProcesses}; CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH together allow it`;
  return [{ code: "not-permitted", subject: "/proc/[pid]/fd", detail }];
}
