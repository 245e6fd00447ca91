import type { JsonObject, JsonValue } from "../contract/json.ts";

/** Who connects: a module of a device, or a device itself when `moduleId` is absent. */
export interface HubIdentity {
  readonly deviceId: string;
  readonly moduleId?: string;
}

/** One device-to-cloud message that the hub took. */
export interface ReceivedMessage {
  readonly identity: HubIdentity;
  readonly receivedAtMs: number;
  readonly body: Uint8Array;
  /** Application properties, decoded. */
  readonly properties: Readonly<Record<string, string>>;
  /** System properties without `$.`: `mid`, `ct`, `ce`, `ifid`, … */
  readonly systemProperties: Readonly<Record<string, string>>;
  /** Body plus system property values plus application property names and values. */
  readonly meteredBytes: number;
  /** Metering units of 4096 bytes. */
  readonly units: number;
  readonly isDuplicate: boolean;
}

export interface HubConnection {
  readonly identity: HubIdentity;
  readonly remote: string;
  readonly tlsVersion: string;
  /** Server name the client asked for (SNI), empty when it sent none. */
  readonly serverName: string;
  readonly isSessionResumed: boolean;
  readonly via: "mqtt" | "websocket";
}

/** A rule of the protocol that a client broke, or an authentication that was refused. */
export interface Violation {
  readonly identity: HubIdentity | undefined;
  readonly what: string;
}

export interface TwinDocument {
  /** With `$version` and `$metadata`. */
  readonly desired: JsonObject;
  readonly reported: JsonObject;
}

export interface HubEvents {
  onMessage?(message: ReceivedMessage): void;
  onConnection?(connection: HubConnection): void;
  onDisconnection?(identity: HubIdentity, why: string): void;
  onReported?(identity: HubIdentity, patch: JsonObject, version: number): void;
  onViolation?(violation: Violation): void;
}

/** Status and body of a twin reply; the body may be absent, as real hubs do on 429. */
export interface TwinReply {
  readonly status: number;
  readonly body?: JsonValue;
}

/** Faults on demand. Each stays in force until it is undone, unless it says otherwise. */
export interface HubFaults {
  /** Cuts every connection at once (TCP reset), as a failing network does. */
  dropConnections(): void;
  /** Stops listening and drops connections; `resume` listens again on the same ports. */
  goDown(): Promise<void>;
  resume(): Promise<void>;
  /** Forgets all MQTT sessions: the next CONNACK says that none is present. */
  loseSessions(): void;
  /** Takes messages but does not acknowledge them; false acknowledges again (new publishes only). */
  withholdPuback(on: boolean): void;
  /** Milliseconds before each SUBACK; 0 undoes. */
  delaySuback(delayMs: number): void;
  /** Applies this desired patch once, between a client's twin subscription and its next twin GET. */
  patchBeforeNextTwinGet(patch: JsonObject): void;
  /** Answers the next `count` twin GETs with this. */
  answerTwinGets(reply: TwinReply, count: number): void;
  /** Answers the next `count` reported patches with this. */
  answerReports(reply: TwinReply, count: number): void;
  /** Leaves the next `count` twin GETs unanswered. */
  ignoreTwinGets(count: number): void;
  /** Terminates the connection on each of the next `count` device-to-cloud messages (MQTT throttling). */
  throttle(count: number): void;
  /** Refuses authentication (CONNACK 5) until false. */
  rejectAuthentication(on: boolean): void;
  /** Ends connections whose token has expired, now: as if their expiry had come. */
  expireTokens(): void;
  /** Presents this certificate instead of its own on new connections; undefined undoes. */
  presentCertificate(which: "other-host" | "untrusted" | "expired" | undefined): Promise<void>;
  /** Sends raw bytes as the payload of a desired patch, for hostile twins. */
  pushRawDesired(payload: string): void;
}

export interface LocalHub {
  /** Hub name in tokens and topics, such as `gatewarden-local`. */
  readonly hostName: string;
  readonly port: number;
  readonly webSocketPort: number;
  /** PEM file of the CA that signs the hub's certificate. */
  readonly caFile: string;
  /**
   * `HostName=…;DeviceId=…;ModuleId=…;SharedAccessKey=…;GatewayHostName=localhost:PORT`: the name
   * the token is for, and the address to dial.
   */
  connectionString(identity?: HubIdentity): string;
  /** Issues a client certificate of that identity from the hub's CA; returns PEM texts. */
  issueCertificate(identity: HubIdentity): Promise<{ certificatePem: string; keyPem: string }>;
  twin(identity?: HubIdentity): TwinDocument;
  /** Merges a patch into desired properties (null deletes) and notifies the connected client. */
  patchDesired(patch: JsonObject, identity?: HubIdentity): number;
  /** Replaces all desired properties. */
  replaceDesired(desired: JsonObject, identity?: HubIdentity): number;
  /** Calls a direct method; rejects with a clear error when nobody answers in time. */
  invokeMethod(
    name: string,
    payload: JsonValue,
    options?: { readonly identity?: HubIdentity; readonly timeoutMs?: number },
  ): Promise<{ readonly status: number; readonly payload: JsonValue }>;
  /**
   * Queues a cloud-to-device message: at most 50, delivered once the device subscribes and, at quality of
   * service 1, until it acknowledges. Devices only. Throws over a limit.
   */
  sendToDevice(
    body: Uint8Array,
    options?: {
      readonly identity?: HubIdentity;
      readonly properties?: Readonly<Record<string, string>>;
      readonly messageId?: string;
    },
  ): void;
  readonly connections: readonly HubConnection[];
  readonly faults: HubFaults;
  /** Adds a listener; returns a function that removes it. */
  observe(events: HubEvents): () => void;
  stop(): Promise<void>;
}
