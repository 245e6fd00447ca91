import type { Timer } from "../contract/clock.ts";
import { NFTABLES_GROUP_MASK } from "../parse/nf-tables.ts";
import type { FirewallParts } from "./firewall-parts.ts";
import { LEGACY_FAMILIES, legacyFingerprint } from "./legacy-tables.ts";
import { NETLINK_PROTOCOLS } from "./netlink.ts";

/**
 * The kernel does not tell of changes to legacy tables, so they are compared this often. Where there are
 * none, which is the rule, that costs two attempts to open a file.
 */
const LEGACY_CHECK_MS = 3_000;
const MAX_NAMES_BYTES = 4_096;

/** See `FirewallSource.watch`. Without CAP_NET_ADMIN nothing is noticed, and nothing runs for nftables. */
export function watchFirewall(parts: FirewallParts, onChange: () => void): () => void {
  const stopNftables = watchNftables(parts, onChange);
  const stopLegacy = watchLegacy(parts, onChange);
  return () => {
    stopNftables();
    stopLegacy();
  };
}

/** Every committed change is announced to the multicast group. Source: nfnetlink, NFNLGRP_NFTABLES. */
function watchNftables(parts: FirewallParts, onChange: () => void): () => void {
  const netlink = parts.netlink();
  if (!netlink.ok) return () => undefined;
  const opened = netlink.value.open(NETLINK_PROTOCOLS.netfilter, NFTABLES_GROUP_MASK);
  if (!opened.ok) return () => undefined;
  const socket = opened.value;
  socket.onReadable(() => {
    let isChanged = false;
    for (;;) {
      const received = socket.receive(0);
      // An overrun means that even more has changed; a datagram too large for us is a change as well.
      if (received.ok && received.value.kind === "nothing") break;
      isChanged = true;
      if (!received.ok && received.problem.code !== "too-large") break;
    }
    if (isChanged) onChange();
  });
  return () => socket.close();
}

function watchLegacy(parts: FirewallParts, onChange: () => void): () => void {
  let timer: Timer | undefined;
  let before: string | undefined;
  function check(): void {
    const now = legacyState(parts);
    if (before !== undefined && now !== before) onChange();
    before = now;
    timer = parts.clock.after(LEGACY_CHECK_MS, check);
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
