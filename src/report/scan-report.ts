/**
 * What a command reports, in values of its own: the command fills it from posture, baseline and collectors,
 * and every format is a pure function of it. Texts may hold whatever a device says; each format escapes.
 */

/** How bad something is, worst first. One scale for recommendations and checks of the baseline. */
export const LEVELS = ["high", "medium", "low", "informational"] as const;
/** One of them. */
export type Level = (typeof LEVELS)[number];

/** A scan of one device, or a look at a hub and its fleet. */
export type Report = ScanReport | HubReport;

/** What every report has. */
interface CommonReport {
  /** What the device or the hub is, in the order of reading: label and text. */
  readonly device: readonly Fact[];
  /** Short name: of a device its host name or the root that was looked at, of a hub its own. */
  readonly name: string;
  readonly recommendations: readonly ReportedRecommendation[];
  /** What could not be read, and so is missing above. */
  readonly gaps: readonly string[];
}

/** A scan of one device: everything that a format may show. */
export interface ScanReport extends CommonReport {
  readonly made: MadeBy;
  readonly exposure: ExposureMap;
  readonly baseline: ReportedBaseline;
  /** Accounts that somebody could log in with. */
  readonly users: readonly ReportedUser[];
  readonly hardware: readonly ReportedHardware[];
}

/** A look at a hub, its registry and its deployments. */
export interface HubReport extends CommonReport {
  readonly made: MadeOf;
  /** Where records came from, and how many. */
  readonly sources: readonly ReportedSource[];
  /** Records that could not be read and were left out. */
  readonly skipped: {
    readonly count: number;
    /** The first of them. */
    readonly records: readonly SkippedRecord[];
  };
}

/** Whether a report is one of a device. */
export function isScan(report: Report): report is ScanReport {
  return "baseline" in report;
}

/** Where records came from. */
export interface ReportedSource {
  /** Name of a file, or the query that was asked. */
  readonly name: string;
  /** Records by what they were taken for, such as `12 twins, 3 logs`. */
  readonly records: string;
  readonly skipped: number;
}

/** A record that could not be read. */
export interface SkippedRecord {
  readonly source: string;
  /** A device, a module or a line. */
  readonly subject: string;
  readonly reason: string;
}

/** One line of what the device is. */
export interface Fact {
  readonly label: string;
  readonly text: string;
}

interface Made {
  readonly version: string;
  /** Start of the work, ISO 8601, UTC. */
  readonly at: string;
  readonly durationMs: number;
}

/** How the report of a hub was made. */
export interface MadeOf extends Made {
  /** Read from the services of Azure, and not from files. */
  readonly isLive: boolean;
  /** Most addresses of an accept rule. */
  readonly maxAddresses: number;
}

/** How the report of a device was made. */
export interface MadeBy extends Made {
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
