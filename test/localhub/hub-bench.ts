/** A local hub under test, with everything it told, and clients that log in. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { ConnectionOptions } from "node:tls";
import type {
  HubConnection,
  HubIdentity,
  LocalHub,
  ReceivedMessage,
  Violation,
} from "../../src/localhub/hub-contract.ts";
import { type LocalHubOptions, startLocalHub } from "../../src/localhub/local-hub.ts";
import { systemRandom } from "../../src/system/random.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";
import {
  type ConnectFields,
  connectPacket,
  dialHub,
  field,
  nameOf,
  type RawClient,
  sasToken,
} from "./raw-client.ts";

export const MODULE: HubIdentity = { deviceId: "gw1", moduleId: "azureiotsecurity" };
export const DEVICE: HubIdentity = { deviceId: "gw1" };
export const OTHER: HubIdentity = { deviceId: "gw2" };

/** One folder for a test file: certificates are made once. */
const stateDirectory = mkdtempSync(join(tmpdir(), "hub-state-"));
after(() => rmSync(stateDirectory, { recursive: true, force: true }));

export interface HubBench {
  readonly hub: LocalHub;
  readonly clock: FakeClock;
  readonly log: RecordingLog;
  readonly caPem: string;
  readonly messages: ReceivedMessage[];
  readonly connections: HubConnection[];
  readonly disconnections: string[];
  readonly violations: Violation[];
  readonly reported: { readonly patch: object; readonly version: number }[];
  /** Fields of a sound CONNECT of that identity. */
  sound(identity?: HubIdentity): ConnectFields;
  token(identity: HubIdentity, overrides?: Partial<Parameters<typeof sasToken>[0]>): string;
  dial(options?: ConnectionOptions): Promise<RawClient>;
  /** Dials, says CONNECT with these changes, and returns the client before CONNACK. */
  knock(
    identity?: HubIdentity,
    overrides?: Partial<ConnectFields>,
    tls?: ConnectionOptions,
  ): Promise<RawClient>;
  /** As `knock`, and requires CONNACK 0. */
  enter(identity?: HubIdentity, overrides?: Partial<ConnectFields>): Promise<RawClient>;
  stop(): Promise<void>;
}

export async function startBench(options: Partial<LocalHubOptions> = {}): Promise<HubBench> {
  const clock = new FakeClock({ startMs: Date.now() });
  const log = new RecordingLog();
  const hub = await startLocalHub({
    stateDirectory,
    clock,
    random: systemRandom,
    log,
    identities: [MODULE, DEVICE, OTHER],
    ...options,
  });
  const caPem = readFileSync(hub.caFile, "utf8");
  const clients = new Set<RawClient>();
  const bench: HubBench = {
    hub,
    clock,
    log,
    caPem,
    messages: [],
    connections: [],
    disconnections: [],
    violations: [],
    reported: [],
    token: (identity, overrides = {}) =>
      sasToken({
        resource: `${hub.hostName}/devices/${nameOf(identity).replace("/", "/modules/")}`,
        keyBase64: field(hub.connectionString(identity), "SharedAccessKey"),
        expirySeconds: Math.floor(clock.nowMs() / 1_000) + 3_600,
        ...overrides,
      }),
    sound: (identity = MODULE) => ({
      clientId: nameOf(identity),
      userName: `${hub.hostName}/${nameOf(identity)}/?api-version=2021-04-12`,
      password: bench.token(identity),
    }),
    async dial(tls) {
      const client = await dialHub(hub, caPem, tls);
      clients.add(client);
      return client;
    },
    async knock(identity = MODULE, overrides = {}, tls = {}) {
      const client = await bench.dial(tls);
      client.send(connectPacket({ ...bench.sound(identity), ...overrides }));
      return client;
    },
    async enter(identity = MODULE, overrides = {}) {
      const client = await bench.knock(identity, overrides);
      const { code } = await client.connack();
      if (code !== 0) throw new Error(`CONNACK ${code}: ${bench.violations.at(-1)?.what}`);
      return client;
    },
    async stop() {
      for (const client of clients) client.destroy();
      await hub.stop();
    },
  };
  hub.observe({
    onMessage: (message) => bench.messages.push(message),
    onConnection: (connection) => bench.connections.push(connection),
    onDisconnection: (_identity, why) => bench.disconnections.push(why),
    onViolation: (violation) => bench.violations.push(violation),
    onReported: (_identity, patch, version) => bench.reported.push({ patch, version }),
  });
  return bench;
}

/** Runs a case with a hub of its own and stops it in any case. */
export function withHub(
  body: (bench: HubBench) => Promise<void>,
  options: Partial<LocalHubOptions> = {},
): () => Promise<void> {
  return async () => {
    const bench = await startBench(options);
    try {
      await body(bench);
    } finally {
      await bench.stop();
    }
  };
}

/** Waits for something that sockets bring about. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  const endMs = performance.now() + 5_000;
  while (!isTrue()) {
    if (performance.now() > endMs) throw new Error(`waited in vain: ${what}`);
    await new Promise((done) => setTimeout(done, 2));
  }
}
