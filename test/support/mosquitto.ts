/** Starts Debian's mosquitto on loopback ports: a broker that nobody here wrote. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pem } from "./certificates.ts";

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

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", () => done()));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await new Promise<void>((done) => server.close(() => done()));
  return port;
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`mosquitto ended with ${child.exitCode}`);
    const isUp = await new Promise<boolean>((done) => {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.once("connect", () => {
        socket.destroy();
        done(true);
      });
      socket.once("error", () => done(false));
    });
    if (isUp) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error("mosquitto does not listen");
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
  const [tlsPort, plainPort] = [await freePort(), await freePort()];
  const configuration = file(
    "mosquitto.conf",
    [
      // Started by root it would drop to a user that cannot read the folder.
      `user ${process.getuid?.() === 0 ? "root" : "mosquitto"}`,
      "allow_anonymous true",
      "persistence false",
      "set_tcp_nodelay true",
      "log_type error",
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
    const started = spawn(BINARY, ["-c", configuration], { stdio: "ignore" });
    child = started;
    await untilListening(plainPort, started);
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
