import type { FirewallBackend, TableFamily } from "./firewall.ts";
import type { Problem } from "./result.ts";

/**
 * What one tool said about a backend, as it said it. Rules of iptables-nft are in the text of nftables as
 * well; that of iptables-nft spells out the matches that nft knows by name alone.
 */
export interface FirewallText {
  /** Rules of `iptables-legacy` and `iptables-nft` as iptables-save text; of `nftables` as JSON. */
  readonly backend: FirewallBackend;
  /** `ip` or `ip6` for iptables; nftables answers for all families at once. */
  readonly family: "ip" | "ip6" | "all";
  readonly text: string;
  /** The text is only the beginning. */
  readonly isCut: boolean;
}

/** A backend that may have rules, and could not be asked. */
export interface UnknownBackend {
  readonly backend: FirewallBackend;
  readonly family: "ip" | "ip6" | "all";
  /** Why, and what would help. */
  readonly problem: Problem;
}

/** A table that the kernel lists. */
export interface KernelTable {
  readonly family: TableFamily;
  readonly name: string;
  /** Kept by the kernel, and not called. */
  readonly isDormant: boolean;
}

/**
 * The rule sets in force, as texts of the tools that read them. A backend that is in neither list has no
 * table in the kernel: that is certain.
 */
export interface FirewallReading {
  readonly texts: readonly FirewallText[];
  readonly unknown: readonly UnknownBackend[];
  /** Tables that the kernel keeps without calling them; some versions of nft do not say so. */
  readonly dormant?: readonly KernelTable[];
  /** What went wrong beside. */
  readonly problems: readonly Problem[];
}

/** The way to the rule sets of the kernel. */
export interface FirewallSource {
  /**
   * Asks the kernel which backends have tables, and runs a tool only for those: none has, no process.
   * Resolves at the latest some seconds after `signal` aborts.
   */
  read(signal: AbortSignal): Promise<FirewallReading>;
  /**
   * What the last `read` of this Probe found, by whomever; undefined before it. For those that may run no
   * process of their own.
   */
  last?(): FirewallReading | undefined;
  /**
   * Calls back when a rule set changed: at once where the kernel tells (nftables, iptables-nft), within
   * seconds where it must be asked (iptables-legacy). Returns what ends it.
   */
  watch(onChange: () => void): () => void;
}
