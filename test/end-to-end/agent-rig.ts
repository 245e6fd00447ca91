import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SecurityEvent } from "../../src/contract/event.ts";
import type { ExtensionEvent } from "../../src/contract/extension.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/contract/json.ts";
import type { LocalHub } from "../../src/localhub/hub-contract.ts";
import { startLocalHub } from "../../src/localhub/local-hub.ts";
import { systemClock } from "../../src/system/clock.ts";
import { systemRandom } from "../../src/system/random.ts";
import { type RunningBundle, startBundle } from "../support/bundle.ts";
import { RecordingLog } from "../support/recording-log.ts";

export const OBJECT = "ms_iotn:urn_azureiot_Security_SecurityAgentConfiguration";

export interface Envelope {
  readonly AgentId: string;
  readonly Events: readonly SecurityEvent[];
}

export interface ExtensionMessage {
  readonly body: { readonly Events: readonly ExtensionEvent[] };
  readonly properties: Readonly<Record<string, string>>;
}

/** A local hub in this process and the built agent against it. */
export interface AgentRig {
  readonly hub: LocalHub;
  /** Security messages. */
  readonly messages: readonly Envelope[];
  /** Extension messages, and what the hub was told with each. */
  readonly extensions: readonly ExtensionMessage[];
  readonly folder: string;
  start(): RunningBundle;
  /** Desired properties of the security configuration, wrapped. */
  desire(properties: Readonly<Record<string, JsonValue>>): void;
  /** The value the agent reports in force. */
  reported(property: string): JsonValue | undefined;
  events(name: string): readonly SecurityEvent[];
  close(): Promise<void>;
}

export async function agentRig(
  transport: "iothub" | "iothub-sdk",
  twin: Readonly<Record<string, JsonValue>> = {},
  /** Of the local configuration, beside what the rig needs. */
  configuration: JsonObject = {},
): Promise<AgentRig> {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-rig-"));
  const hub = await startLocalHub({
    stateDirectory: join(folder, "hub"),
    clock: systemClock,
    random: systemRandom,
    log: new RecordingLog(),
    desired: { [OBJECT]: wrapped(twin) },
  });
  const messages: Envelope[] = [];
  const extensions: ExtensionMessage[] = [];
  hub.observe({
    onMessage: ({ body, properties }) => {
      const read = JSON.parse(Buffer.from(body).toString("utf8"));
      if (properties["kind"] === "security") messages.push(read);
      else extensions.push({ body: read, properties });
    },
  });
  const connectionStringFile = join(folder, "connection-string");
  writeFileSync(connectionStringFile, hub.connectionString(), { mode: 0o600 });
  const config = join(folder, "config.json");
  writeFileSync(
    config,
    JSON.stringify({
      transport,
      iothub: { connectionStringFile, caFile: hub.caFile },
      stateDirectory: join(folder, "state"),
      firstSnapshotDelaySeconds: 0,
      firstSnapshotJitterSeconds: 0,
      ...configuration,
    }),
  );
  const running: RunningBundle[] = [];
  return {
    hub,
    messages,
    extensions,
    folder,
    start() {
      const started = startBundle(["run", "--config", config]);
      running.push(started);
      return started;
    },
    desire: (properties) => {
      hub.patchDesired({ [OBJECT]: wrapped(properties) });
    },
    reported(property) {
      const object = hub.twin().reported[OBJECT];
      const wrappedValue = isJsonObject(object) ? object[property] : undefined;
      return isJsonObject(wrappedValue) ? wrappedValue["value"] : undefined;
    },
    events: (name) =>
      messages.flatMap((message) => message.Events.filter((event) => event.Name === name)),
    async close() {
      for (const { child, exit } of running) {
        child.kill("SIGKILL");
        await exit;
      }
      await hub.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** `null` deletes, everything else is wrapped as the twin wants it. */
function wrapped(properties: Readonly<Record<string, JsonValue>>): JsonObject {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, value === null ? null : { value }]),
  );
}
