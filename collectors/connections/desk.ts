import type { Timer } from "../../src/contract/clock.ts";
import type { CollectorContext } from "../../src/contract/collector.ts";
import type { EventDraft } from "../../src/contract/event.ts";
import type { ProcessFacts, SocketFacts, SocketList } from "../../src/contract/probe.ts";
import type { Infer } from "../../src/contract/schema.ts";
import { isLoopbackAddress } from "../../src/parse/addresses.ts";
import type { ConntrackFlow } from "../../src/parse/conntrack.ts";
import type { SocketEnd } from "../../src/parse/inet-diag.ts";
import { createConnectionBook } from "./book.ts";
import { createClaims } from "./claims.ts";
import {
  type Direction,
  type Endpoints,
  endpointsOf,
  endpointsOfFlow,
  keyOf,
} from "./connection.ts";
import { connectionItem, type SeenConnection } from "./items.ts";
import { createListeners } from "./listeners.ts";
import { createOrigins } from "./origins.ts";
import { createOwners } from "./owners.ts";
import type { connectionsSettings } from "./schema.ts";

export type ConnectionsContext = CollectorContext<Infer<typeof connectionsSettings>>;

/** Kernel states. Source: include/net/tcp_states.h. */
const SYN_SENT = 2;
const SYN_RECV = 3;
const NEW_SYN_RECV = 12;
/** Events are handed over together, this long after the first of them. */
const GATHER_MS = 100;
/** A connection whose process is not found at once is tried again for so long. */
const OWNER_WAIT_MS = 2_000;
const MOST_WAITING = 10_000;
const MOST_KNOWN = 65_536;
/** How old the list of listening sockets may be; and where a socket must be newer than it. */
const LISTENERS_MS = 1_000;
const NEW_SOCKET_MS = 20;
/** Two looks at all sockets are at least so far apart. */
const LOOK_GAP_MS = 5;

interface Found {
  readonly key: string;
  readonly ends: Endpoints;
  readonly socket: SocketFacts;
}

/** A live connection whose process is not found yet. */
interface Unowned {
  readonly seen: SeenConnection;
  readonly inode: number;
  readonly occurredAtMs: number;
  readonly untilMs: number;
}

/** Turns what is seen of connections into events. */
export interface Desk {
  /** Looks at all sockets. `isFirst`: what is there was there before the agent. */
  look(isFirst?: boolean): void;
  /** Something began: looks soon. */
  noticed(): void;
  /** Connection tracking met a flow. */
  tracked(flow: ConntrackFlow): void;
  ended(end: SocketEnd): void;
  stop(): void;
}

/** `hasEnds`: the kernel tells of destroyed sockets, so what ends between two looks is not lost. */
export function createDesk(
  context: ConnectionsContext,
  emit: (drafts: readonly EventDraft[]) => void,
  hasEnds: () => boolean,
): Desk {
  const { probe, clock, agent, settings } = context;
  const owners = createOwners(probe, clock);
  const listeners = createListeners(probe, clock, owners);
  const origins = createOrigins(probe, clock);
  const lose = (reason: string): void => agent.countLoss("ConnectionCreate", reason, 1);
  const book = createConnectionBook(MOST_KNOWN, () => lose("table-full"));
  const claims = createClaims();
  let drafts: EventDraft[] = [];
  let unowned: Unowned[] = [];
  let handOverTimer: Timer | undefined;
  let ownerTimer: Timer | undefined;
  let lookTimer: Timer | undefined;
  let lookedAtMs = Number.NEGATIVE_INFINITY;

  function report(seen: SeenConnection, occurredAtMs: number): void {
    if (seen.process === undefined) lose("process-unknown");
    if (drafts.length >= MOST_WAITING) {
      lose("queue-full");
      return;
    }
    const payload = [connectionItem(seen, context.mask)];
    drafts.push({ name: "ConnectionCreate", payload, occurredAtMs });
    handOverTimer ??= clock.after(GATHER_MS, handOver);
  }

  function handOver(): void {
    handOverTimer?.cancel();
    handOverTimer = undefined;
    const ready = drafts;
    drafts = [];
    if (ready.length > 0) emit(ready);
  }

  function isWanted({ remoteAddress, remotePort }: Endpoints): boolean {
    return remotePort !== 0 && (settings.includeLoopback || !isLoopbackAddress(remoteAddress));
  }

  function directionOf(ends: Endpoints): Direction {
    const told = origins.directionOf(keyOf(ends));
    return told ?? (listeners.has(ends.protocol, ends.localPort) ? "In" : "Out");
  }

  function listenerProcess(ends: Endpoints, direction: Direction): Partial<SeenConnection> {
    const owner = direction === "In" ? listeners.ownerOf(ends.protocol, ends.localPort) : undefined;
    const process = owner === undefined ? undefined : owners.factsOf(owner);
    return process === undefined ? {} : { process, isByListener: true };
  }

  /** What has come about since the last look, and what is about to. */
  function newIn(list: SocketList): { readonly fresh: Found[]; readonly begun: Found[] } {
    const keys = new Set<string>();
    const fresh: Found[] = [];
    const begun: Found[] = [];
    for (const socket of list.sockets) {
      const ends = endpointsOf(socket);
      const key = keyOf(ends);
      keys.add(key);
      if (!isWanted(ends)) continue;
      const found = { socket, ends, key };
      if (isUnfinished(socket.state)) {
        if (!claims.has(key) && socket.inode !== 0) begun.push(found);
      } else if (hasEnds() && socket.inode === 0) {
        // Nobody holds it any more: its end is told, or has been, and would count twice.
      } else if (book.add(key, socket.inode)) fresh.push(found);
    }
    book.keep(keys, clock.monotonicMs());
    return { fresh, begun };
  }

  function look(isFirst = false): void {
    lookedAtMs = clock.monotonicMs();
    const list = probe.connectedSockets();
    if (!list.ok) return;
    const { fresh, begun } = newIn(list.value);
    if (fresh.length + begun.length === 0) return;
    if (fresh.some(({ key }) => origins.directionOf(key) === undefined)) listeners.refresh(0);
    const held = owners.find(new Set([...fresh, ...begun].map(({ socket }) => socket.inode)));
    for (const { key, socket } of begun) claim(key, held.get(socket.inode));
    for (const { key, ends, socket } of fresh) {
      const seen: SeenConnection = {
        ends,
        direction: directionOf(ends),
        source: list.value.source,
        userId: socket.userId,
        ...(isFirst ? { state: "existing" } : {}),
      };
      const owner = held.get(socket.inode);
      const process = owner === undefined ? claims.get(key) : owners.factsOf(owner);
      place(seen, socket.inode, process);
    }
  }

  function claim(key: string, owner: number | undefined): void {
    const process = owner === undefined ? undefined : owners.factsOf(owner);
    if (process !== undefined) claims.set(key, process);
  }

  function place(seen: SeenConnection, inode: number, process: ProcessFacts | undefined): void {
    const occurredAtMs = clock.nowMs();
    if (process !== undefined) report({ ...seen, process }, occurredAtMs);
    else if (inode === 0 || unowned.length >= MOST_WAITING) {
      report({ ...seen, ...listenerProcess(seen.ends, seen.direction) }, occurredAtMs);
    } else {
      const untilMs = clock.monotonicMs() + OWNER_WAIT_MS;
      unowned.push({ seen, inode, occurredAtMs, untilMs });
      armOwnerSearch();
    }
  }

  function armOwnerSearch(): void {
    const waitMs = Math.min(OWNER_WAIT_MS, Math.max(GATHER_MS, owners.waitMs()));
    ownerTimer ??= clock.after(waitMs, searchAgain);
  }

  function searchAgain(isLast = false): void {
    ownerTimer = undefined;
    const found = owners.find(new Set(unowned.map(({ inode }) => inode)));
    const nowMs = clock.monotonicMs();
    const left: Unowned[] = [];
    for (const one of unowned) {
      const owner = found.get(one.inode);
      const process = owner === undefined ? undefined : owners.factsOf(owner);
      const { seen } = one;
      if (process !== undefined) report({ ...seen, process }, one.occurredAtMs);
      else if (!isLast && nowMs < one.untilMs && book.has(keyOf(seen.ends))) left.push(one);
      else {
        const instead = listenerProcess(seen.ends, seen.direction);
        report({ ...seen, ...instead }, one.occurredAtMs);
      }
    }
    unowned = left;
    if (left.length > 0) armOwnerSearch();
  }

  function noticed(): void {
    if (lookTimer !== undefined) return;
    const waitMs = lookedAtMs + LOOK_GAP_MS - clock.monotonicMs();
    if (waitMs <= 0) {
      look();
      return;
    }
    lookTimer = clock.after(waitMs, () => {
      lookTimer = undefined;
      look();
    });
  }

  /** UDP without a connection has no socket of its own: the flow is all that there is. */
  function reportFlow(ends: Endpoints, direction: Direction): void {
    const isKnown = listeners.has("udp", ends.localPort);
    listeners.refresh(isKnown ? LISTENERS_MS : NEW_SOCKET_MS);
    const owner = listeners.ownerOf("udp", ends.localPort);
    const process = owner === undefined ? undefined : owners.factsOf(owner);
    const seen: SeenConnection = { ends, direction, source: "conntrack" };
    report(process === undefined ? seen : { ...seen, process }, clock.nowMs());
  }

  return {
    look,
    noticed,
    tracked(flow) {
      for (const direction of origins.directionsOf(flow)) {
        const ends = endpointsOfFlow(flow, direction);
        if (!isWanted(ends)) continue;
        origins.remember(keyOf(ends), direction);
        if (flow.protocol === "tcp") noticed();
        else if (!book.has(keyOf(ends))) reportFlow(ends, direction);
      }
    },
    ended({ socket, tcp }) {
      const ends = endpointsOf(socket);
      if (!isWanted(ends) || book.remove(keyOf(ends))) return;
      listeners.refresh(LISTENERS_MS);
      const direction = directionOf(ends);
      const process = claims.get(keyOf(ends));
      const bytes =
        tcp === undefined ? {} : { bytes: { sent: tcp.bytesSent, received: tcp.bytesReceived } };
      const seen: SeenConnection = {
        ends,
        direction,
        source: "socket_end",
        state: tcp?.wasEstablished === false ? "failed" : "ended",
        ...bytes,
        ...(process === undefined ? listenerProcess(ends, direction) : { process }),
      };
      report(seen, clock.nowMs());
    },
    stop() {
      lookTimer?.cancel();
      ownerTimer?.cancel();
      searchAgain(true);
      handOver();
    },
  };
}

function isUnfinished(state: number): boolean {
  return state === SYN_SENT || state === SYN_RECV || state === NEW_SYN_RECV;
}
