/** What the driver is asked for. */
export interface DriverRequest {
  readonly collector: "listeningPorts" | "firewall";
  /** Over the defaults of the collector. */
  readonly settings: object;
  /** Warm snapshots, and runs of each peer; with 0 only the first one of the process is taken. */
  readonly repetitions: number;
  /** A program with its arguments, or the name of a function that the driver knows. */
  readonly peers: readonly (readonly string[])[];
}

export interface Timing {
  readonly ms: number;
  readonly cpuMs: number;
}

export interface DriverReply {
  /** Payload items of the last snapshot. */
  readonly items: number;
  /** The first snapshot of the process: nothing compiled, nothing cached. */
  readonly first: Timing;
  /** With everything that survives between snapshots. */
  readonly warm: readonly Timing[];
  /** Compiled code, but a new probe for each. */
  readonly empty: readonly Timing[];
  /** By command; those that are not installed are missing, those that failed have none. */
  readonly peers: Readonly<Record<string, readonly Timing[]>>;
}
