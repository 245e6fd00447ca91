import type { Clock } from "../contract/clock.ts";
import type { JsonObject, JsonValue } from "../contract/json.ts";
import type { Log } from "../contract/log.ts";
import type { Random } from "../contract/random.ts";
import type { PemPair } from "./authority.ts";
import type { HubFaults, HubIdentity, LocalHub } from "./hub-contract.ts";
import { HubCore, type IdentityRecord } from "./hub-core.ts";
import { createHubFaults } from "./hub-faults.ts";
import { openHubState } from "./hub-state.ts";
import { identityName, METHOD_CALLS } from "./hub-topics.ts";
import { type Listener, listen } from "./listener.ts";
import { notifyDesired } from "./twin-desk.ts";

export interface LocalHubOptions {
  /** Folder of the CA and of the identities' keys; reused by the next run. */
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
  readonly identities?: readonly HubIdentity[];
  /** Desired properties of every identity at start. */
  readonly desired?: JsonObject;
  /** Id scope of the provisioning service played on the same port. */
  readonly idScope?: string;
}

export const DEFAULT_IDENTITY: HubIdentity = { deviceId: "gateway", moduleId: "azureiotsecurity" };
const DEFAULT_METHOD_TIMEOUT_MS = 30_000;
const MAX_METHOD_CHARACTERS = 131_072;

/** Starts a local IoT Hub. Rejects with the system's error when a port or the folder cannot be used. */
export async function startLocalHub(options: LocalHubOptions): Promise<LocalHub> {
  const { clock, random, log } = options;
  const hostName = options.hostName ?? "gatewarden-local";
  const state = await openHubState(options.stateDirectory, clock.nowMs());
  const core = new HubCore({
    clock,
    random,
    log,
    hostName,
    state,
    idScope: options.idScope ?? "0ne00000000",
  });
  const identities = options.identities ?? [DEFAULT_IDENTITY];
  for (const identity of identities) core.register(identity, options.desired ?? {});
  const host = options.bindAddress ?? "127.0.0.1";
  const names = ["localhost", hostName, "127.0.0.1", "::1"];
  const ownPair = await state.authority.issue({ commonName: hostName, names, usage: "server" });
  const caPem = state.authority.ca.certificatePem;
  let pair: PemPair = ownPair;
  let ports = { port: options.port ?? 0, webSocketPort: options.webSocketPort ?? 0 };
  let listener: Listener | undefined = await openListener();

  async function openListener(): Promise<Listener> {
    const opened = await listen(core, { host, ...ports }, pair, caPem);
    ports = { port: opened.port, webSocketPort: opened.webSocketPort };
    core.hostNames = [hostName, "localhost", "127.0.0.1"].flatMap((name) => [
      name,
      `${name}:${ports.port}`,
      `${name}:${ports.webSocketPort}`,
    ]);
    return opened;
  }

  const faults: HubFaults = createHubFaults(core, {
    dropAll: () => listener?.dropAll(),
    async goDown() {
      const closing = listener;
      listener = undefined;
      await closing?.close();
    },
    async resume() {
      listener ??= await openListener();
    },
    async present(next) {
      pair = next ?? ownPair;
      listener?.present(pair, caPem);
    },
    names,
  });

  function recordOf(identity: HubIdentity = identities[0] ?? DEFAULT_IDENTITY): IdentityRecord {
    const record = core.find(identity);
    if (record === undefined) throw new Error(`the hub has no identity ${identityName(identity)}`);
    return record;
  }

  function change(side: "merge" | "replace", desired: JsonObject, identity?: HubIdentity): number {
    const record = recordOf(identity);
    const changed = record.twin[side]("desired", desired, clock.nowMs());
    if (!changed.ok) throw new Error(changed.problem.detail);
    notifyDesired(record, desired, changed.value);
    return changed.value;
  }

  return {
    hostName,
    get port() {
      return ports.port;
    },
    get webSocketPort() {
      return ports.webSocketPort;
    },
    caFile: state.caFile,
    connectionString(identity) {
      const record = recordOf(identity);
      const { deviceId, moduleId } = record.identity;
      const module = moduleId === undefined ? "" : `ModuleId=${moduleId};`;
      return (
        `HostName=${hostName};DeviceId=${deviceId};${module}` +
        `SharedAccessKey=${record.key};GatewayHostName=localhost:${ports.port}`
      );
    },
    issueCertificate: (identity) =>
      state.authority.issue({ commonName: identityName(identity), names: [], usage: "client" }),
    twin: (identity) => recordOf(identity).twin.document(),
    patchDesired: (patch, identity) => change("merge", patch, identity),
    replaceDesired: (desired, identity) => change("replace", desired, identity),
    invokeMethod: (name, payload, call = {}) =>
      invokeMethod(core, recordOf(call.identity), { name, payload }, call.timeoutMs),
    get connections() {
      return core.all().flatMap((record) => record.client?.connection ?? []);
    },
    faults,
    observe: (events) => core.observe(events),
    async stop() {
      await faults.goDown();
    },
  };
}

/** Calls a direct method and waits for its answer. Rejects when nobody answers in time. */
function invokeMethod(
  core: HubCore,
  record: IdentityRecord,
  call: { readonly name: string; readonly payload: JsonValue },
  timeoutMs = DEFAULT_METHOD_TIMEOUT_MS,
): Promise<{ readonly status: number; readonly payload: JsonValue }> {
  return new Promise((resolve, reject) => {
    const text = JSON.stringify(call.payload);
    const requestId = core.random.uuid();
    const topic = `$iothub/methods/POST/${call.name}/?$rid=${requestId}`;
    if (text.length > MAX_METHOD_CHARACTERS) reject(new Error("the payload is larger than 128 KB"));
    else if (record.client?.publish(METHOD_CALLS, topic, text) !== true) {
      reject(new Error(`${identityName(record.identity)} is not connected or takes no methods`));
    } else {
      const timer = core.clock.after(timeoutMs, () => {
        core.calls.delete(requestId);
        reject(new Error(`no answer to method '${call.name}' within ${timeoutMs} ms`));
      });
      core.calls.set(requestId, {
        resolve: (reply) => {
          timer.cancel();
          resolve(reply);
        },
      });
    }
  });
}
