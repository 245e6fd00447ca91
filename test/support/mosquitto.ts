/** Starts Debian's mosquitto on loopback ports: a broker that nobody here wrote. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pem } from "./certificates.ts";
import { ownPort } from "./ports.ts";

const BINARY = "/usr/sbin/mosquitto";

/** Why mosquitto cannot be used here; undefined when it can. */
export const mosquittoMissing: string | undefined = existsSync(BINARY)
  ? undefined
  : "the Debian package mosquitto is not installed";

export interface Mosquitto {
  readonly tlsPort: number;
  /** Without TLS, for the other side of a test. */
  readonly plainPort: number;
  /** Kills it without notice. */
  kill(): Promise<void>;
  /** Starts it again on the same ports; it remembers no session. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Resolves when the broker says that it runs: a port that answers could be somebody else's. */
function untilRunning(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
      if (said.includes(" running")) resolve();
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`mosquitto ended with ${code}: ${said}`)));
  });
}

/** Extra lines go into the configuration as they are. */
export async function startMosquitto(
  server: Pem,
  caPem: string,
  extraLines: readonly string[] = [],
): Promise<Mosquitto> {
  const folder = mkdtempSync(join(tmpdir(), "mosquitto-"));
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o644 });
    return path;
  };
  const [tlsPort, plainPort] = [await ownPort(), await ownPort()];
  const configuration = file(
    "mosquitto.conf",
    [
      // Started by root it would drop to a user that cannot read the folder.
      `user ${process.getuid?.() === 0 ? "root" : "mosquitto"}`,
      "allow_anonymous true",
      "persistence false",
      "set_tcp_nodelay true",
      "log_dest stderr",
      "log_type error",
      "log_type information",
      `listener ${plainPort} 127.0.0.1`,
      `listener ${tlsPort} 127.0.0.1`,
      `cafile ${file("ca.pem", caPem)}`,
      `certfile ${file("cert.pem", server.certificatePem)}`,
      `keyfile ${file("key.pem", server.keyPem)}`,
      ...extraLines,
      "",
    ].join("\n"),
  );
  let child: ChildProcess | undefined;
  const restart = async (): Promise<void> => {
    const started = spawn(BINARY, ["-c", configuration], { stdio: ["ignore", "ignore", "pipe"] });
    child = started;
    await untilRunning(started);
  };
  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const ended = new Promise<void>((done) => running.once("exit", () => done()));
    running.kill("SIGKILL");
    await ended;
  };
  await restart();
  return {
    tlsPort,
    plainPort,
    kill,
    restart,
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
