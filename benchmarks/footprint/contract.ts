import type { Activity, Memory } from "./meter.ts";

export type TransportName = "iothub" | "iothub-sdk" | "mqtt";

/** A program to run beside the agents. */
export interface Program {
  readonly command: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  /** Asked for every `SCRAPE_SECONDS`, as its server would. */
  readonly scrapeUrl?: string;
}

export const SCRAPE_SECONDS = 15;

/** What one driver measures, in namespaces of its own. */
export interface FootprintRequest {
  /** A transport of the agent, or a command to run beside it. */
  readonly subject:
    | { readonly kind: "agent"; readonly transport: TransportName }
    | { readonly kind: "program"; readonly program: Program };
  /** Before the first look. */
  readonly settleSeconds: number;
  readonly idleSeconds: number;
  /** Under the standard load; 0 leaves it out. */
  readonly loadSeconds: number;
  /** Under the standard load at `speed`; 0 leaves it out. */
  readonly acceleratedSeconds: number;
  readonly speed: number;
  readonly starts: number;
}

/** A stretch of time, cut into parts of equal length. */
export interface Window {
  readonly seconds: number;
  /** What each part added. */
  readonly parts: readonly Activity[];
  readonly partSeconds: number;
  readonly memory: Memory;
  /** Of the JavaScript heap; undefined for other programs. */
  readonly heapBytes?: number;
  readonly traffic: Traffic;
}

export interface Traffic {
  /** Inside TCP, TLS included. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** At the local hub; 0 for a plain broker. */
  readonly messages: number;
  readonly units: number;
  readonly events: number;
}

/** Memory over the accelerated load. */
export interface MemoryPoint {
  readonly seconds: number;
  readonly rss: number;
}

export interface FootprintReply {
  readonly starts: readonly { readonly connectedMs: number; readonly firstEventMs: number }[];
  readonly idle: Window;
  readonly load?: Window;
  readonly accelerated?: Window & {
    readonly curve: readonly MemoryPoint[];
    readonly processes: number;
    readonly connections: number;
  };
}
