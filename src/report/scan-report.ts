/**
 * A scan of one device, in values of its own: the command fills it from posture, baseline and collectors,
 * and every format is a pure function of it. Texts may hold whatever a device says; each format escapes.
 */

/** How bad something is, worst first. One scale for recommendations and checks of the baseline. */
export const LEVELS = ["high", "medium", "low", "informational"] as const;
/** One of them. */
export type Level = (typeof LEVELS)[number];

/** Everything that a format may show. */
export interface ScanReport {
  readonly made: MadeBy;
  /** What the device is, in the order of reading: label and text. */
  readonly device: readonly Fact[];
  /** Short name of the device: its host name, or the root that was looked at. */
  readonly name: string;
  readonly recommendations: readonly ReportedRecommendation[];
  readonly exposure: ExposureMap;
  readonly baseline: ReportedBaseline;
  /** Accounts that somebody could log in with. */
  readonly users: readonly ReportedUser[];
  readonly hardware: readonly ReportedHardware[];
  /** What could not be read, and so is missing above. */
  readonly gaps: readonly string[];
}

/** One line of what the device is. */
export interface Fact {
  readonly label: string;
  readonly text: string;
}

/** How the report was made. */
export interface MadeBy {
  readonly version: string;
  /** Start of the scan, ISO 8601, UTC. */
  readonly at: string;
  readonly durationMs: number;
  readonly root: string;
  /** False for a root file system that does not run. */
  readonly isLive: boolean;
  /** Without root some things cannot be read. */
  readonly isRoot: boolean;
  /** `debian-12`. */
  readonly system: string;
  /** Entries of the list of allowed ports. */
  readonly allowedPorts: readonly string[];
  /** Files and folders that a walk has looked at; absent without one. */
  readonly walkedEntries?: number;
}

/** A verdict with its words. */
export interface ReportedRecommendation {
  /** `IoT_OpenPorts`. */
  readonly type: string;
  readonly title: string;
  readonly level: Level;
  readonly state: "healthy" | "unhealthy" | "unknown";
  /** How many things are wrong. */
  readonly count: number;
  readonly description: string;
  readonly remediation: string;
  /** When it is unhealthy, in one sentence. */
  readonly rule: string;
  readonly evidence: readonly Readonly<Record<string, string>>[];
  readonly missing: readonly string[];
}

/** The farthest from which a port can be reached. `unknown`: a rule or an address could not be seen. */
export const REACHES = ["internet", "networks", "unknown", "containers", "device"] as const;
/** One of them. */
export type Reach = (typeof REACHES)[number];

/** A socket that waits for others, with who can reach it. */
export interface ReportedSocket {
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
  readonly reach: Reach;
  /** The firewall is what keeps others out. */
  readonly isBlocked: boolean;
  /** On the list of allowed ports. */
  readonly isAllowed: boolean;
  readonly interfaces: readonly string[];
  /** Who may reach it, as networks; absent where nobody else may. */
  readonly sources?: string;
  /** The rule or the reason that decides. */
  readonly because?: string;
  readonly process?: string;
  readonly unit?: string;
  readonly container?: string;
  readonly user?: string;
}

/** Sockets by firewall. */
export interface ExposureMap {
  readonly sockets: readonly ReportedSocket[];
  readonly firewall: {
    /** `nftables: 2 tables, 14 rules`; or that there is none. */
    readonly summary: string;
    readonly isComplete: boolean;
  };
  /** `eth0 192.0.2.2, fd00::2`. */
  readonly interfaces: readonly string[];
}

/** How a check of the baseline came out. */
export type CheckStanding = "passed" | "failed" | "error" | "not-applicable" | "manual" | "waived";

/** A check of the baseline with its words and what was seen. */
export interface ReportedCheck {
  readonly id: string;
  readonly title: string;
  readonly group: string;
  readonly level: Level;
  /** The word of the baseline for the level: Critical, Important, Warning, Informational. */
  readonly severity: string;
  readonly standing: CheckStanding;
  readonly reason?: string;
  readonly evidence: readonly CheckEvidence[];
  readonly rationale: string;
  readonly remediation: string;
}

/** One look of a check at the device. */
export interface CheckEvidence {
  /** Often the path of a file. */
  readonly source: string;
  readonly expected: string;
  readonly found: string;
  readonly state?: "live" | "persistent";
}

/** The checks that were judged, and those that were not. */
export interface ReportedBaseline {
  readonly checks: readonly ReportedCheck[];
  /** Checks that were not judged, by reason. */
  readonly skipped: readonly { readonly reason: string; readonly ids: readonly string[] }[];
}

/** An account that somebody could log in with. */
export interface ReportedUser {
  readonly name: string;
  readonly userId: string;
  readonly canLogIn: string;
  readonly isAdministrator: boolean;
  readonly groups: string;
  /** `2 keys`, or empty. */
  readonly keys: string;
}

/** A device that is built in or plugged in. */
export interface ReportedHardware {
  readonly category: string;
  readonly kind: string;
  readonly name: string;
}
