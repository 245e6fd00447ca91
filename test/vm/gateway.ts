/** A virtual gateway with the package installed, and the local hub on the host that it talks to. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SecurityEvent } from "../../src/contract/event.ts";
import { isJsonObject, type JsonValue } from "../../src/contract/json.ts";
import type { LocalHub } from "../../src/localhub/hub-contract.ts";
import { startLocalHub } from "../../src/localhub/local-hub.ts";
import { systemClock } from "../../src/system/clock.ts";
import { systemRandom } from "../../src/system/random.ts";
import { RecordingLog } from "../support/recording-log.ts";
import type { ImageName } from "./images.ts";
import { HOST_NAME, pause, VirtualMachine } from "./virtual-machine.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const OBJECT = "ms_iotn:urn_azureiot_Security_SecurityAgentConfiguration";

interface Envelope {
  readonly AgentId: string;
  readonly Events: readonly SecurityEvent[];
}

export interface Gateway {
  readonly machine: VirtualMachine;
  readonly hub: LocalHub;
  readonly messages: readonly Envelope[];
  readonly folder: string;
  say(line: string): void;
  /** Everything of that name that arrived so far. */
  events(name: string): readonly SecurityEvent[];
  /** Payload items of all events of that name whose text holds this. */
  items(name: string, holding?: string): readonly Record<string, unknown>[];
  desire(properties: Readonly<Record<string, JsonValue>>): void;
  /** Copies the package in and installs it with apt. */
  install(packageFile: string): Promise<void>;
  /** `gatewarden setup` with the connection string on standard input. */
  setUp(): Promise<string>;
  until(what: string, condition: () => boolean, limitMs?: number): Promise<void>;
  /** Console, journal and what the hub got, for a person. */
  keepEvidence(): Promise<void>;
  close(): Promise<void>;
}

/** Builds the package from the bundle that was built. */
export function buildPackage(version?: string, architecture = "amd64"): string {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-deb-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const args = ["--import", "tsx", "build/package.ts", "--arch", architecture, "--out", folder];
  if (version !== undefined) args.push("--version", version);
  const output = execFileSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  return output.split(" ")[0] ?? "";
}

/**
 * Boots a fresh machine beside a fresh hub. One processor is what the host spends least on; what needs to
 * see several asks for them.
 */
export async function openGateway(image: ImageName, processors = 1): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), `gatewarden-vm-${image}-`));
  const startedAtMs = Date.now();
  const say = (line: string): void => {
    const seconds = ((Date.now() - startedAtMs) / 1_000).toFixed(0).padStart(4);
    process.stdout.write(`${seconds} s ${image}: ${line}\n`);
  };
  const machine = new VirtualMachine({ image, folder, say, processors });
  const hub = await startLocalHub({
    stateDirectory: join(folder, "hub"),
    clock: systemClock,
    random: systemRandom,
    log: new RecordingLog(),
    hostName: HOST_NAME,
  });
  const messages: Envelope[] = [];
  hub.observe({
    onMessage: ({ body, properties }) => {
      if (properties["kind"] === "security")
        messages.push(JSON.parse(Buffer.from(body).toString("utf8")));
    },
  });
  await machine.boot();

  function events(name: string): readonly SecurityEvent[] {
    return messages.flatMap(({ Events }) => Events.filter((event) => event.Name === name));
  }

  return {
    machine,
    hub,
    messages,
    folder,
    say,
    events,
    items: (name, holding = "") =>
      events(name)
        .flatMap((event) => event.Payload.filter(isJsonObject))
        .filter((item) => JSON.stringify(item).includes(holding)),
    desire(properties) {
      const wrapped = Object.entries(properties).map(([key, value]) => [key, { value }]);
      hub.patchDesired({ [OBJECT]: Object.fromEntries(wrapped) });
    },
    async install(packageFile) {
      await machine.copyIn(packageFile, "/root/gatewarden.deb");
      const apt = "DEBIAN_FRONTEND=noninteractive apt-get install -y /root/gatewarden.deb";
      await machine.must(apt, 120_000);
    },
    async setUp() {
      const secret = hub
        .connectionString()
        .replace(/GatewayHostName=.*/, `GatewayHostName=${HOST_NAME}:${hub.port}`);
      writeFileSync(join(folder, "connection-string"), secret, { mode: 0o600 });
      await machine.copyIn(join(folder, "connection-string"), "/root/connection-string");
      await machine.copyIn(hub.caFile, "/root/ca.pem");
      const command =
        "gatewarden setup --connection-string-file - --ca /root/ca.pem --yes </root/connection-string";
      return machine.must(command, 240_000);
    },
    async until(what, condition, limitMs = 120_000) {
      const endMs = Date.now() + limitMs;
      while (!condition()) {
        if (Date.now() > endMs) throw new Error(`not within ${limitMs / 1_000} s: ${what}`);
        await pause(100);
      }
    },
    async keepEvidence() {
      mkdirSync(folder, { recursive: true });
      const journal = await machine.run("journalctl --no-pager -n 500", 20_000);
      writeFileSync(join(folder, "journal.log"), journal.stdout);
      writeFileSync(join(folder, "messages.json"), JSON.stringify(messages, null, 1));
      say(`evidence kept in ${folder}`);
    },
    async close() {
      await machine.stop();
      await hub.stop();
      rmSync(join(folder, "disk.qcow2"), { force: true });
    },
  };
}
