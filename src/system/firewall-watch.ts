import type { Clock, Timer } from "../contract/clock.ts";
import { NFTABLES_GROUP_MASK } from "../parse/nf-tables.ts";
import type { FirewallParts } from "./firewall-parts.ts";
import { LEGACY_FAMILIES, legacyFingerprint } from "./legacy-tables.ts";
import { NETLINK_PROTOCOLS, type NetlinkSocket } from "./netlink.ts";

/** Changes within this time of one another are told once. */
const BURST_MS = 1_000;
/**
 * The kernel does not tell of changes to legacy tables, so they are compared this often. Where there are
 * none, which is the rule, that costs two attempts to open a file.
 */
const LEGACY_CHECK_MS = 3_000;
/** Comparing large rule sets may take no more than one part in so many of a processor. */
const LEGACY_SHARE = 200;
const MAX_NAMES_BYTES = 4_096;

/**
 * See `FirewallSource.watch`. `onChange` is called a second after a change, for all of that second at once.
 * Without CAP_NET_ADMIN nothing is noticed, and nothing runs for nftables.
 */
export function watchFirewall(parts: FirewallParts, onChange: () => void): () => void {
  const told = onceABurst(parts.clock, onChange);
  const stopNftables = watchNftables(parts, told.tell);
  const stopLegacy = watchLegacy(parts, told.tell);
  return () => {
    stopNftables();
    stopLegacy();
    told.stop();
  };
}

/** Calls back a burst after the first of several changes, so that the last is seen as well. */
function onceABurst(clock: Clock, onChange: () => void): { tell(): void; stop(): void } {
  let timer: Timer | undefined;
  return {
    tell() {
      timer ??= clock.after(BURST_MS, () => {
        timer = undefined;
        onChange();
      });
    },
    stop: () => timer?.cancel(),
  };
}

/** Every committed change is announced to the multicast group. Source: nfnetlink, NFNLGRP_NFTABLES. */
function watchNftables(parts: FirewallParts, tell: () => void): () => void {
  const netlink = parts.netlink();
  if (!netlink.ok) return () => undefined;
  const opened = netlink.value.open(NETLINK_PROTOCOLS.netfilter, {
    groups: NFTABLES_GROUP_MASK,
  });
  if (!opened.ok) return () => undefined;
  const socket = opened.value;
  socket.onReadable(() => {
    const { isChanged, isBroken } = drain(socket);
    if (isChanged) tell();
    // A socket that only ever fails would call back without end.
    if (isBroken) socket.close();
  });
  return () => socket.close();
}

/** A rule set of any size is announced in at most so many datagrams before others have their turn. */
const MOST_DATAGRAMS = 1_000;

function drain(socket: NetlinkSocket): {
  readonly isChanged: boolean;
  readonly isBroken: boolean;
} {
  for (let count = 0; count < MOST_DATAGRAMS; count += 1) {
    const received = socket.receive(0);
    // An overrun means that even more has changed; a datagram too large for us is a change as well.
    if (received.ok && received.value.kind === "nothing") {
      return { isChanged: count > 0, isBroken: false };
    }
    if (!received.ok && received.problem.code !== "too-large") {
      return { isChanged: true, isBroken: true };
    }
  }
  return { isChanged: true, isBroken: false };
}

function watchLegacy(parts: FirewallParts, tell: () => void): () => void {
  const { clock } = parts;
  let timer: Timer | undefined;
  let before: string | undefined;
  function check(): void {
    const startMs = clock.monotonicMs();
    const now = legacyState(parts);
    const tookMs = clock.monotonicMs() - startMs;
    if (before !== undefined && now !== before) tell();
    before = now;
    timer = clock.after(Math.max(LEGACY_CHECK_MS, tookMs * LEGACY_SHARE), check);
  }
  check();
  return () => timer?.cancel();
}

/** Fingerprints of all legacy tables; empty when there is none. What cannot be read counts as one state. */
function legacyState(parts: FirewallParts): string {
  const states: string[] = [];
  for (const kind of LEGACY_FAMILIES) {
    const names = parts.readText(kind.namesFile, MAX_NAMES_BYTES);
    if (!names.ok) continue;
    for (const table of names.value.split("\n").filter((name) => name !== "")) {
      const library = parts.library();
      const print = library.ok ? legacyFingerprint(library.value, kind, table) : library;
      states.push(`${kind.family} ${table} ${print.ok ? print.value : print.problem.code}`);
    }
  }
  return states.join("\n");
}
