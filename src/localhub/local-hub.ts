import type { Clock } from "../contract/clock.ts";
import { AgentError, describeError } from "../contract/errors.ts";
import type { JsonObject } from "../contract/json.ts";
import type { Log } from "../contract/log.ts";
import type { Random } from "../contract/random.ts";
import type { Result } from "../contract/result.ts";
import type { PemPair } from "./authority.ts";
import { createOutbox, sendToDevice } from "./cloud-to-device.ts";
import { openHubCertificates } from "./hub-certificates.ts";
import type { HubFaults, HubIdentity, LocalHub } from "./hub-contract.ts";
import { createHubCore } from "./hub-core.ts";
import { createHubFaults } from "./hub-faults.ts";
import type { HubCore, IdentityRecord } from "./hub-model.ts";
import { type KeyBook, openHubState, openKeyBook } from "./hub-state.ts";
import { identityName, isUsableIdentity } from "./hub-topics.ts";
import { type Listener, listen } from "./listener.ts";
import { notifyDesired } from "./twin-desk.ts";
import { createTwin, type TwinChange } from "./twin-store.ts";

export interface LocalHubOptions {
  /** Folder of the CA, the server certificate and the keys; reused by the next run. One hub at a time. */
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** MQTT over TLS; 0, the default, picks a free port. */
  readonly port?: number;
  /** HTTPS and MQTT over WebSockets; 0, the default, picks a free port. */
  readonly webSocketPort?: number;
  readonly bindAddress?: string;
  /** Name of the hub in tokens. */
  readonly hostName?: string;
  /** The devices of modules are added by themselves. The first one is meant where none is named. */
  readonly identities?: readonly HubIdentity[];
  /** Desired properties of every named identity at start. */
  readonly desired?: JsonObject;
  /** Refuses API versions that are well-formed and new enough, but were never published. */
  readonly requireKnownApiVersion?: boolean;
  /** SHA-1 or SHA-256, hex, of client certificates that are accepted without the hub's CA. */
  readonly allowedThumbprints?: readonly string[];
  /** Id scope of the provisioning service that is played on the same port. */
  readonly idScope?: string;
  /** Key of a symmetric-key enrolment group, base64. */
  readonly enrollmentGroupKey?: string;
  /** Registrations that the provisioning service answers as disabled. */
  readonly disabledRegistrations?: readonly string[];
  /** The hub that provisioning assigns; `localhost` with the HTTPS port by default. */
  readonly assignedHub?: string;
}

export const DEFAULT_IDENTITY: HubIdentity = { deviceId: "gateway", moduleId: "azureiotsecurity" };
const DEFAULT_HOST_NAME = "gatewarden-local";
const DEFAULT_METHOD_TIMEOUT_MS = 30_000;

/** Starts a local IoT Hub. Rejects with AGENT_HUB_FAILED (ports, options) or AGENT_STATE_UNUSABLE. */
export async function startLocalHub(options: LocalHubOptions): Promise<LocalHub> {
  const { clock, log } = options;
  const host = options.bindAddress ?? "127.0.0.1";
  const hostName = options.hostName ?? DEFAULT_HOST_NAME;
  const state = openHubState(options.stateDirectory);
  const certificates = await openHubCertificates(state, {
    hostName,
    bindAddress: host,
    clock,
    log,
  });
  const core = createCore(options, hostName, host);
  const identities = options.identities ?? [DEFAULT_IDENTITY];
  addIdentities(core, identities, openKeyBook(state), options.desired ?? {});

  let pair: PemPair = certificates.server;
  let ports = { port: options.port ?? 0, webSocketPort: options.webSocketPort ?? 0 };
  let listener: Listener | undefined;
  async function open(): Promise<void> {
    const opened = await listen(core, { host, ...ports }, pair, certificates.caPem).catch(
      (error: unknown) => {
        throw new AgentError("AGENT_HUB_FAILED", `cannot listen: ${describeError(error)}`, {
          remedy: "choose a free port, or 0 for any",
          cause: error,
        });
      },
    );
    listener = opened;
    ports = { port: opened.port, webSocketPort: opened.webSocketPort };
    core.assignedHub = options.assignedHub ?? `localhost:${opened.webSocketPort}`;
  }
  const closeSockets = async (): Promise<void> => {
    const closing = listener;
    listener = undefined;
    await closing?.close();
  };
  await open();

  let isStopped = false;
  const faults = createHubFaults(
    core,
    {
      dropAll: () => listener?.dropAll(),
      goDown: closeSockets,
      async resume() {
        if (listener === undefined && !isStopped) await open();
      },
      present(next) {
        pair = next ?? certificates.server;
        listener?.present(pair);
      },
    },
    certificates,
  );
  return {
    ...hubSurface(core, identities[0] ?? DEFAULT_IDENTITY, faults),
    hostName,
    get port() {
      return ports.port;
    },
    get webSocketPort() {
      return ports.webSocketPort;
    },
    get connections() {
      return core.all().flatMap((record) => record.client?.connection ?? []);
    },
    caFile: certificates.caFile,
    issueCertificate: (identity) => certificates.issueFor(identity),
    connectionString(identity = identities[0] ?? DEFAULT_IDENTITY) {
      const { key } = recordOf(core, identity);
      const { deviceId, moduleId } = identity;
      const module = moduleId === undefined ? "" : `ModuleId=${moduleId};`;
      return (
        `HostName=${hostName};DeviceId=${deviceId};${module}` +
        `SharedAccessKey=${key};GatewayHostName=localhost:${ports.port}`
      );
    },
    async stop() {
      isStopped = true;
      await closeSockets();
      core.calls.abandon(undefined, "the hub stopped");
    },
  };
}

type Surface = Pick<
  LocalHub,
  | "twin"
  | "patchDesired"
  | "replaceDesired"
  | "invokeMethod"
  | "sendToDevice"
  | "faults"
  | "observe"
>;

/** The part of a hub that owners use and that needs no sockets. */
function hubSurface(core: HubCore, standard: HubIdentity, faults: HubFaults): Surface {
  function changed(record: IdentityRecord, change: Result<TwinChange>): number {
    if (!change.ok) throw refused(`desired properties: ${change.problem.detail}`);
    notifyDesired(record, change.value);
    return change.value.version;
  }
  const device: HubIdentity = { deviceId: standard.deviceId };
  return {
    twin: (identity = standard) => recordOf(core, identity).twin.document(),
    patchDesired(patch, identity = standard) {
      const record = recordOf(core, identity);
      return changed(record, record.twin.patchDesired(patch));
    },
    replaceDesired(desired, identity = standard) {
      const record = recordOf(core, identity);
      return changed(record, record.twin.replaceDesired(desired));
    },
    async invokeMethod(name, payload, call = {}) {
      const { identity = standard, timeoutMs = DEFAULT_METHOD_TIMEOUT_MS } = call;
      return core.calls.call(recordOf(core, identity), { name, payload, timeoutMs });
    },
    sendToDevice(body, { identity = device, properties = {}, messageId } = {}) {
      const id = messageId ?? core.random.uuid();
      sendToDevice(recordOf(core, identity), { body, properties, messageId: id });
    },
    faults,
    observe: (events) => core.observe(events),
  };
}

function createCore(options: LocalHubOptions, hostName: string, host: string): HubCore {
  const { clock, random, log } = options;
  const names = [hostName, host, "localhost", "127.0.0.1", "::1"];
  return createHubCore({
    clock,
    random,
    log,
    traits: {
      hostName,
      hostNames: new Set(names.map((name) => name.toLowerCase())),
      mustKnowApiVersion: options.requireKnownApiVersion ?? false,
      thumbprints: new Set(
        (options.allowedThumbprints ?? []).map((print) => print.replaceAll(":", "").toLowerCase()),
      ),
      idScope: options.idScope ?? "0ne00000000",
      enrollmentGroupKey: options.enrollmentGroupKey,
      disabledRegistrations: new Set(options.disabledRegistrations ?? []),
    },
  });
}

function addIdentities(
  core: HubCore,
  identities: readonly HubIdentity[],
  keys: KeyBook,
  desired: JsonObject,
): void {
  const devices = identities.map(({ deviceId }): HubIdentity => ({ deviceId }));
  for (const [identity, properties] of [
    ...devices.map((device) => [device, {}] as const),
    ...identities.map((named) => [named, desired] as const),
  ]) {
    if (!isUsableIdentity(identity)) {
      throw refused(`'${identityName(identity)}' is no usable name of a device or module`);
    }
    const twin = createTwin(properties, core.clock);
    if (!twin.ok) throw refused(`desired properties: ${twin.problem.detail}`);
    core.add({
      identity,
      key: keys.keyOf(identityName(identity)),
      twin: twin.value,
      outbox: createOutbox(),
      keptSession: undefined,
      client: undefined,
    });
  }
}

function recordOf(core: HubCore, identity: HubIdentity): IdentityRecord {
  const record = core.find(identity);
  if (record === undefined) throw refused(`the hub has no identity ${identityName(identity)}`);
  return record;
}

function refused(message: string): AgentError {
  return new AgentError("AGENT_HUB_FAILED", message, {
    remedy: "see docs/local-hub.md for names, limits and the options of the hub",
  });
}
