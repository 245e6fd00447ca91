/** The built agent beside a hub or broker of its own, with its flags of the unit and counted traffic. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { startLocalHub } from "../../src/localhub/local-hub.ts";
import { systemClock } from "../../src/system/clock.ts";
import { systemRandom } from "../../src/system/random.ts";
import { testAuthority } from "../../test/support/certificates.ts";
import { mosquittoMissing, startMosquitto } from "../../test/support/mosquitto.ts";
import { ROOT } from "../benchmark.ts";
import { unitSettings } from "../support/unit-settings.ts";
import type { Traffic, TransportName } from "./contract.ts";

const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
const LATEST_START_MS = 60_000;

export interface StartedAgent {
  readonly child: ChildProcess;
  readonly connectedMs: number;
  readonly firstEventMs: number;
}

/** Another side for agents, one after the other. */
export interface AgentStand {
  readonly traffic: () => Traffic;
  /** Starts an agent with an empty state folder; resolves when it is connected and stored an event. */
  start(settings: Readonly<Record<string, string>>): Promise<StartedAgent>;
  close(): Promise<void>;
}

/** Opens the other side of a transport. `folder` takes all files. */
export async function openAgentStand(
  transport: TransportName,
  folder: string,
): Promise<AgentStand> {
  const counts = { sentBytes: 0, receivedBytes: 0, messages: 0, units: 0, events: 0 };
  const side = transport === "mqtt" ? await brokerSide(folder) : await hubSide(folder, counts);
  const relay = await countingRelay(side.port, counts);
  let started = 0;
  return {
    traffic: () => ({ ...counts }),
    start(settings) {
      started += 1;
      const config = {
        transport,
        ...side.config(relay.port),
        settings,
        stateDirectory: join(folder, `state-${started}`),
        firstSnapshotDelaySeconds: 0,
        firstSnapshotJitterSeconds: 0,
      };
      return startAgent(folder, config);
    },
    async close() {
      relay.server.close();
      await side.close();
    },
  };
}

interface Side {
  readonly port: number;
  config(relayPort: number): object;
  close(): Promise<void>;
}

async function hubSide(
  folder: string,
  counts: { messages: number; units: number; events: number },
): Promise<Side> {
  const hub = await startLocalHub({
    stateDirectory: join(folder, "hub"),
    clock: systemClock,
    random: systemRandom,
    log: quiet,
  });
  hub.observe({
    onMessage({ body, units }) {
      const { Events }: { readonly Events?: readonly unknown[] } = JSON.parse(
        Buffer.from(body).toString("utf8"),
      );
      counts.messages += 1;
      counts.units += units;
      counts.events += Events?.length ?? 0;
    },
  });
  return {
    port: hub.port,
    config(relayPort) {
      const connectionStringFile = join(folder, "connection-string");
      const text = hub.connectionString().replace(`:${hub.port}`, `:${relayPort}`);
      writeFileSync(connectionStringFile, text, { mode: 0o600 });
      return { iothub: { connectionStringFile, caFile: hub.caFile } };
    },
    close: () => hub.stop(),
  };
}

async function brokerSide(folder: string): Promise<Side> {
  if (mosquittoMissing !== undefined) throw new Error(mosquittoMissing);
  const authority = await testAuthority("benchmark CA");
  const pair = await authority.issue({ commonName: "localhost", names: ["localhost"] });
  const broker = await startMosquitto(pair, authority.caPem);
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, authority.caPem);
  return {
    port: broker.tlsPort,
    config: (relayPort) => ({ mqtt: { url: `mqtts://localhost:${relayPort}`, caFile } }),
    close: () => broker.stop(),
  };
}

/** Passes bytes on and counts them. */
async function countingRelay(
  target: number,
  counts: { sentBytes: number; receivedBytes: number },
): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer((inner) => {
    const outer = connect({ port: target, host: "127.0.0.1", noDelay: true });
    inner.setNoDelay(true);
    inner.on("data", (chunk: Buffer) => {
      counts.sentBytes += chunk.length;
      outer.write(chunk);
    });
    outer.on("data", (chunk: Buffer) => {
      counts.receivedBytes += chunk.length;
      inner.write(chunk);
    });
    const end = (): void => {
      inner.destroy();
      outer.destroy();
    };
    for (const socket of [inner, outer]) socket.on("error", end).on("close", end);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
}

/** Writes the heap's size to a file at SIGUSR2; nothing runs before. */
const HEAP_REPORTER = `process.on("SIGUSR2", () => require("node:fs").writeFileSync(process.env.GATEWARDEN_HEAP_FILE, JSON.stringify(process.memoryUsage())));`;

/** Bytes of the JavaScript heap in use; without a forced collection. */
export async function heapOf(child: ChildProcess, folder: string): Promise<number> {
  const file = join(folder, "heap.json");
  writeFileSync(file, "");
  child.kill("SIGUSR2");
  for (let wait = 0; wait < 100; wait += 1) {
    await systemClock.sleep(20);
    const text = readFileSync(file, "utf8");
    if (text === "") continue;
    const { heapUsed }: { readonly heapUsed: number } = JSON.parse(text);
    return heapUsed;
  }
  return 0;
}

async function startAgent(
  folder: string,
  config: { readonly stateDirectory: string },
): Promise<StartedAgent> {
  const configFile = join(folder, "config.json");
  const reporter = join(folder, "heap-reporter.cjs");
  writeFileSync(configFile, JSON.stringify(config));
  writeFileSync(reporter, HEAP_REPORTER);
  mkdirSync(config.stateDirectory, { recursive: true, mode: 0o700 });
  const { flags, variables } = unitSettings();
  const script = [`${ROOT}dist/gatewarden.js`, "run", "--config", configFile];
  const startedMs = systemClock.monotonicMs();
  const since = (): number => systemClock.monotonicMs() - startedMs;
  const child = spawn(process.execPath, [...flags, "--require", reporter, ...script], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...variables, GATEWARDEN_HEAP_FILE: join(folder, "heap.json") },
  });
  let [connectedMs, firstEventMs, said] = [0, 0, ""];
  const listen = (chunk: Buffer): void => {
    if (connectedMs !== 0) return;
    said += chunk.toString("utf8");
    if (said.includes('"connected"')) connectedMs = since();
  };
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
  while (connectedMs === 0 || firstEventMs === 0) {
    if (firstEventMs === 0 && hasStoredEvent(config.stateDirectory)) firstEventMs = since();
    if (child.exitCode !== null || since() > LATEST_START_MS) {
      throw new Error(`the agent did not start: ${said.slice(-2_000)}`);
    }
    await systemClock.sleep(2);
  }
  return { child, connectedMs, firstEventMs };
}

/** A segment of the spool holds something. */
function hasStoredEvent(stateDirectory: string): boolean {
  const spool = join(stateDirectory, "spool");
  try {
    const names = readdirSync(spool, { recursive: true, encoding: "utf8" });
    return names.some((name) => /\.seg/.test(name) && statSync(join(spool, name)).size > 64);
  } catch {
    return false;
  }
}

/** Ends a child and waits until it is gone. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  const timer = systemClock.after(10_000, () => child.kill("SIGKILL"));
  await ended;
  timer.cancel();
}
