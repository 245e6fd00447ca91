import type { AddressFamily } from "./address-family.ts";

/** The kernel interface and rule language that a table came through. */
export type FirewallBackend = "iptables-legacy" | "iptables-nft" | "nftables";

/** Address family of a table. Tables of iptables are `ip` or `ip6`. Source: nft(8), address families. */
export type TableFamily = "ip" | "ip6" | "inet" | "arp" | "bridge" | "netdev";

/** Where in a packet's way a base chain is called. Source: nft(8), chains; netfilter hooks. */
export type FirewallHook =
  | "ingress"
  | "prerouting"
  | "input"
  | "forward"
  | "output"
  | "postrouting"
  | "egress";

/** Inclusive. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** Inclusive, as numbers of 32 (IPv4) or 128 (IPv6) bits. */
export interface AddressRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** Whose address or port: `original-destination` is the destination before DNAT, as conntrack knows it. */
export type PacketSide = "source" | "destination" | "original-destination";

/** Something a packet is asked. What a condition cannot be reduced to is `other`, kept as text. */
export type ConditionTest =
  /** IP protocol numbers, e.g. 6 is TCP. Source: /etc/protocols, IANA. */
  | { readonly kind: "protocol"; readonly numbers: readonly NumberRange[] }
  | { readonly kind: "family"; readonly family: AddressFamily }
  | {
      readonly kind: "address";
      readonly side: PacketSide;
      readonly family: AddressFamily;
      readonly ranges: readonly AddressRange[];
    }
  /** Ports of TCP, UDP, UDP-Lite, SCTP or DCCP; the protocol is a condition of its own. */
  | { readonly kind: "port"; readonly side: PacketSide; readonly ranges: readonly NumberRange[] }
  /** Interface names; one that ends in `*` matches every name that begins so. */
  | {
      readonly kind: "interface";
      readonly side: "in" | "out";
      readonly names: readonly string[];
    }
  /** Lower case: new, established, related, invalid, untracked, and the states snat and dnat. */
  | { readonly kind: "connection-state"; readonly states: readonly string[] }
  /** Original (towards the listening side) or reply direction of the connection. */
  | { readonly kind: "connection-direction"; readonly direction: "original" | "reply" }
  /** Lower case kinds of address by the routing table: local, unicast, broadcast, multicast, … */
  | {
      readonly kind: "address-type";
      readonly side: "source" | "destination";
      readonly types: readonly string[];
    }
  /** Of the flags in `mask`, exactly those in `set`; FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128. */
  | { readonly kind: "tcp-flags"; readonly mask: number; readonly set: number }
  /** `(mark & mask) == value`. */
  | { readonly kind: "mark"; readonly value: number; readonly mask: number }
  /** One of the alternatives holds, each being conditions that hold together: concatenated sets. */
  | { readonly kind: "any-of"; readonly alternatives: readonly (readonly Condition[])[] }
  /** Cannot be decided from a socket and a source: `name` says of what sort (`limit`, `time`, `set`, …). */
  | { readonly kind: "other"; readonly name: string; readonly text: string };

export type Condition = ConditionTest & { readonly isNegated: boolean };

/** What a rule does with a packet that meets all conditions. */
export type RuleAction =
  | { readonly kind: "accept" }
  | { readonly kind: "drop" }
  | { readonly kind: "reject" }
  /** Nothing that ends the way: counting, logging. */
  | { readonly kind: "continue" }
  | { readonly kind: "jump"; readonly chain: string }
  | { readonly kind: "goto"; readonly chain: string }
  | { readonly kind: "return" }
  /** DNAT and REDIRECT. Without `addresses` the destination stays (`isRedirect`: becomes local). */
  | {
      readonly kind: "destination-nat";
      readonly addresses?: AddressRange;
      readonly ports?: NumberRange;
      readonly isRedirect: boolean;
    }
  /** SNAT, MASQUERADE, NETMAP of sources: ends the nat chain, lets the packet go on. */
  | { readonly kind: "source-nat" }
  /** Takes the packet out of connection tracking, and goes on. */
  | { readonly kind: "untrack" }
  /** `mark = (mark & ~mask) ^ value`, and goes on. */
  | { readonly kind: "set-mark"; readonly value: number; readonly mask: number }
  /** The first entry whose conditions hold decides; where none does, the next rule follows. */
  | { readonly kind: "verdict-map"; readonly entries: readonly VerdictMapEntry[] }
  /** Ends or diverts the way in a manner that cannot be foreseen here: queue, tproxy, synproxy, unknown targets. */
  | { readonly kind: "other"; readonly name: string; readonly text: string };

export interface VerdictMapEntry {
  readonly conditions: readonly Condition[];
  readonly action: RuleAction;
}

export interface TrafficCounters {
  readonly packets: bigint;
  readonly bytes: bigint;
}

export interface FirewallRule {
  readonly conditions: readonly Condition[];
  /** Done before the action, by the same packets: set-mark and untrack. */
  readonly effects?: readonly RuleAction[];
  readonly action: RuleAction;
  /** The rule in the language of its backend, one line, without counters. */
  readonly text: string;
  readonly comment?: string;
  readonly counters?: TrafficCounters;
}

/** What makes a chain a base chain: the kernel calls it. */
export interface BaseChain {
  readonly hook: FirewallHook;
  /** Lower is called earlier. Source: nft(8), standard priority names. */
  readonly priority: number;
  readonly type: "filter" | "nat" | "route";
  readonly policy: "accept" | "drop";
  /** Of ingress and egress chains. */
  readonly devices: readonly string[];
  /** Packets that the policy decided. */
  readonly counters?: TrafficCounters;
}

export interface FirewallChain {
  readonly name: string;
  /** Absent for chains that only jumps and gotos reach. */
  readonly base?: BaseChain;
  /** In evaluation order. */
  readonly rules: readonly FirewallRule[];
}

export interface FirewallTable {
  readonly backend: FirewallBackend;
  readonly family: TableFamily;
  readonly name: string;
  /** `dormant` tables are kept but not called by the kernel. Source: nft(8), table flags. */
  readonly isDormant: boolean;
  readonly chains: readonly FirewallChain[];
}

/** One rule set as far as it could be read. */
export interface Firewall {
  readonly tables: readonly FirewallTable[];
  /** False where a backend could not be asked or an answer was cut: then "no rule" proves nothing. */
  readonly isComplete: boolean;
}
