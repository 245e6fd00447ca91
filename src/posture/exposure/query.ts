import type {
  AddressRange,
  FirewallBackend,
  NumberRange,
  RuleAction,
  TableFamily,
} from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";

/** What the device says of its own addresses and routes, for rules that ask. */
export interface HostNetwork {
  readonly addresses: readonly {
    readonly interface: string;
    readonly address: string;
    readonly prefixLength: number;
  }[];
  readonly routes: readonly {
    /** Network address of the destination. */
    readonly destination: string;
    readonly prefixLength: number;
    readonly interface: string;
  }[];
}

/** A new connection, or first datagram, from a range of sources towards a port of this device. */
export interface ExposureQuery {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /**
   * Addresses of the device that the packet may be sent to: the bind address, or the addresses of the
   * interface when the socket is bound to all. Undefined: some address of the device.
   */
  readonly destinations: readonly string[] | undefined;
  /** Interface the packet comes in by; undefined: not known. */
  readonly interface: string | undefined;
  readonly sources: { readonly family: AddressFamily; readonly ranges: readonly AddressRange[] };
  /** A client chooses its port, so the default is 1 to 65535. */
  readonly sourcePorts?: NumberRange;
  readonly host: HostNetwork;
}

/** A rule that had a say, or the policy of a chain. */
export interface RuleReference {
  readonly backend: FirewallBackend;
  readonly family: TableFamily;
  readonly table: string;
  readonly chain: string;
  /** Place in the chain from 1; 0 for the policy. */
  readonly position: number;
  readonly text: string;
  readonly action: RuleAction["kind"] | "policy";
}

/** `allow`: surely let in. `deny`: surely not. `unknown`: a rule cannot be decided; `doubts` says which. */
export type ExposureVerdict = "allow" | "deny" | "unknown";

/** What happens to a part of the sources. */
export interface ExposurePiece {
  readonly sources: readonly AddressRange[];
  readonly verdict: ExposureVerdict;
  /** Rules on the way, the deciding one last. */
  readonly rules: readonly RuleReference[];
  /** Rules that may or may not match, where the verdict is `unknown`. */
  readonly doubts: readonly RuleReference[];
  /** Where the packet ends, when it is let in and a rule sends it elsewhere (DNAT, REDIRECT). */
  readonly arrivesAt?: { readonly address: string | undefined; readonly port: number };
}

/** The answer to a query. */
export interface Exposure {
  /** `allow` when any part of the sources is let in; `deny` when none is. */
  readonly verdict: ExposureVerdict;
  readonly pieces: readonly ExposurePiece[];
}
