/** What `test-bed.ts` and `driver.ts` say to each other. */

export interface Probe {
  readonly protocol: "tcp" | "udp";
  readonly source: string;
  /** Used once in the life of a test bed: it names the probe, and no older flow can answer for it. */
  readonly sourcePort: number;
  readonly destination: string;
  readonly port: number;
}

/** A packet that a listener saw. */
export interface Arrival {
  readonly protocol: "tcp" | "udp";
  readonly sourcePort: number;
  /** The port it arrived at, after DNAT. */
  readonly port: number;
}

export interface ProgramCall {
  readonly file: string;
  readonly args: readonly string[];
  readonly stdin?: string;
}

export interface ProgramEnd {
  /** -1 where the program could not be started or was killed. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type DriverRequest =
  | { readonly command: "listen"; readonly ports: readonly number[] }
  | { readonly command: "probe"; readonly probes: readonly Probe[] }
  | { readonly command: "abort" }
  | { readonly command: "collect" }
  | { readonly command: "run"; readonly calls: readonly ProgramCall[] };
