import type { Clock } from "../contract/clock.ts";
import type { Log } from "../contract/log.ts";
import type { Random } from "../contract/random.ts";
import type { BackoffBounds } from "./backoff.ts";

/** What a transport needs from the agent. Files are read through the agent, which checks their modes. */
export interface TransportDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /**
   * Text of a secret file, trailing newline or not. `subject` names the secret in errors. Rejects with
   * an AgentError when the file is missing or open to others.
   */
  readSecret(path: string, subject: string): Promise<string> | string;
  /** UTF-8 text of a file that is no secret, such as a CA certificate. Rejects when unreadable. */
  readFile(path: string): Promise<string> | string;
  /** Semantic version of the agent, shown to the hub. */
  readonly agentVersion: string;
  /** Whether the kernel holds the clock for synchronised; undefined when unknown. Source: adjtimex(2). */
  isClockSynchronised?(): boolean | undefined;
  /** Keeps what provisioning answered over restarts; absent: provisioning runs at every start. */
  readonly assignments?: AssignmentStore;
}

/** Where provisioning sent this device. No secret. */
export interface HubAssignment {
  readonly hostName: string;
  readonly deviceId: string;
}

export interface AssignmentStore {
  load(): Promise<HubAssignment | undefined> | HubAssignment | undefined;
  save(assignment: HubAssignment): Promise<void> | void;
}

/** Every wait of the transports, milliseconds. Tests scale them down; operators need none of them. */
export interface Timing {
  readonly backoff: BackoffBounds;
  /** A connection that lived this long resets the backoff. */
  readonly stableAfterMs: number;
  /** TCP, proxy, TLS, WebSocket and CONNACK together. */
  readonly connectDeadlineMs: number;
  readonly subscribeDeadlineMs: number;
  readonly twinDeadlineMs: number;
  readonly pubackDeadlineMs: number;
  readonly methodDeadlineMs: number;
}

/** Waits that let the twin be in force within 30 s of the end of a fault, however long it lasted. */
export const DEFAULT_TIMING: Timing = {
  backoff: { floorMs: 1_000, capMs: 15_000 },
  stableAfterMs: 60_000,
  connectDeadlineMs: 20_000,
  subscribeDeadlineMs: 10_000,
  twinDeadlineMs: 10_000,
  pubackDeadlineMs: 30_000,
  methodDeadlineMs: 30_000,
};

/** How the hub is reached. Files are PEM. */
export interface NetworkOptions {
  /** `mqtt` is TLS on 8883, `websockets` is TLS on 443. Default `mqtt`. */
  readonly protocol?: "mqtt" | "websockets";
  /** Overrides the port of the host name and the default. */
  readonly port?: number;
  /** CA certificates trusted besides the system roots. */
  readonly caFile?: string;
  readonly proxy?: ProxyOptions;
}

/** An HTTP proxy that takes CONNECT. */
export interface ProxyOptions {
  /** `http://host:port` or `https://host:port`, without user and password. */
  readonly url: string;
  /** Secret file with `user:password`. */
  readonly credentialsFile?: string;
}

/** Who the agent is at the hub. */
export type IdentityOptions =
  | {
      readonly source: "connection-string";
      /** Secret file with the connection string of the device or module. */
      readonly connectionStringFile: string;
      /** Needed when the connection string says `x509=true`. */
      readonly certificateFile?: string;
      readonly keyFile?: string;
    }
  | {
      readonly source: "x509";
      readonly hostName: string;
      readonly deviceId: string;
      readonly moduleId?: string;
      readonly gatewayHostName?: string;
      readonly certificateFile: string;
      readonly keyFile: string;
    }
  | ProvisioningOptions;

/** Device Provisioning Service over MQTT. Exactly one of the two attestations is given. */
export interface ProvisioningOptions {
  readonly source: "provisioning";
  /** Default `global.azure-devices-provisioning.net`; may carry `:port`. */
  readonly endpoint?: string;
  readonly idScope: string;
  readonly registrationId: string;
  /** Module to act as once the device is known; absent: the device itself. */
  readonly moduleId?: string;
  readonly attestation:
    | { readonly kind: "symmetric-key"; readonly keyFile: string }
    /** The enrolment group's key: the device's own key is derived from it. */
    | { readonly kind: "group-key"; readonly keyFile: string }
    | { readonly kind: "x509"; readonly certificateFile: string; readonly keyFile: string };
}

/** Largest keep-alive that the hub accepts. Source: IoT Hub documentation, "Use MQTT", keep-alive. */
export const MOST_KEEP_ALIVE_SECONDS = 1_177;

export interface HubOptions {
  readonly identity: IdentityOptions;
  readonly network?: NetworkOptions;
  /** Digital twin model id announced at connect, `dtmi:…`. */
  readonly modelId?: string;
  /** Life of a SAS token, minutes, 5 to 1440; default 60. */
  readonly tokenLifetimeMinutes?: number;
  /** MQTT keep-alive, seconds, 10 to 1177; default 240. */
  readonly keepAliveSeconds?: number;
  /** Sends the interface id that diverts messages to the retired cloud service. Default false. */
  readonly markAsSecurity?: boolean;
  readonly timing?: Partial<Timing>;
}

/** Any MQTT broker. */
export interface BrokerOptions {
  /** `mqtts://host[:port]`, `mqtt://…` (no TLS), `wss://host[:port]/path` or `ws://…`. */
  readonly url: string;
  /** Names the device and the agent in topics and in the client id. */
  readonly deviceId: string;
  readonly agentId: string;
  /** Topic with the placeholders `{deviceId}`, `{agentId}`, `{kind}`. */
  readonly topic?: string;
  readonly protocolVersion?: 4 | 5;
  readonly userName?: string;
  readonly passwordFile?: string;
  readonly certificateFile?: string;
  readonly keyFile?: string;
  readonly caFile?: string;
  readonly proxy?: ProxyOptions;
  readonly keepAliveSeconds?: number;
  /** Largest message the broker takes, bytes; default 262144. */
  readonly maxMessageBytes?: number;
  readonly timing?: Partial<Timing>;
}

/** JSON Lines on disk. */
export interface FileOptions {
  readonly path: string;
  /** When the file is forced to disk. Default `each-message`. */
  readonly fsync?: "each-message" | "never";
  /** Size at which the file is rotated, bytes; default 10 MB. */
  readonly maxBytes?: number;
  /** Rotated files kept besides the current one, at least 1; default 5. */
  readonly maxFiles?: number;
}

export type TransportOptions =
  | ({ readonly kind: "iothub" } & HubOptions)
  | ({ readonly kind: "iothub-sdk" } & HubOptions)
  | ({ readonly kind: "mqtt" } & BrokerOptions)
  | ({ readonly kind: "file" } & FileOptions);

/** Fills what the caller left out. */
export function timingOf(options: { readonly timing?: Partial<Timing> }): Timing {
  return { ...DEFAULT_TIMING, ...options.timing };
}
