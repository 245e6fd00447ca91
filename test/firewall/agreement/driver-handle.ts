/** Starts a `driver.ts` in a network namespace and talks to it. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Arrival, DriverRequest, Probe, ProgramCall, ProgramEnd } from "./driver-protocol.ts";

export interface Driver {
  listen(ports: readonly number[]): Promise<void>;
  /** Resolves when all have left; nothing is waited for. */
  probe(probes: readonly Probe[]): Promise<void>;
  /** Closes what `probe` opened, so that no packet is sent again later. */
  abort(): Promise<void>;
  /** What arrived since the last call. */
  collect(): Promise<readonly Arrival[]>;
  /** Runs programs one after the other inside the namespace. */
  run(calls: readonly ProgramCall[]): Promise<readonly ProgramEnd[]>;
  /** Resolves when the process has ended. */
  stop(): Promise<void>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (cause: Error) => void;
}

const DRIVER = fileURLToPath(new URL("./driver.ts", import.meta.url));

/** Ends by itself when this process ends, because its stdin does. */
export function startDriver(namespace: string): Driver {
  const args = ["netns", "exec", namespace, process.execPath, "--import", "tsx", DRIVER];
  const child = spawn("ip", args, { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  ended.then(() => {
    for (const { reject } of waiting.values()) reject(new Error(`driver in ${namespace} ended`));
  });
  child.stdin.on("error", () => {});
  createInterface({ input: child.stdout }).on("line", (line) => {
    // Both ends are this folder's.
    const answer = JSON.parse(line) as { id: number; value?: unknown; error?: string };
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) asked?.resolve(answer.value);
    else asked?.reject(new Error(`driver in ${namespace}: ${answer.error}`));
  });
  const ask = (request: DriverRequest): Promise<unknown> =>
    new Promise((resolve, reject) => {
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      child.stdin.write(`${JSON.stringify({ id: lastId, ...request })}\n`);
    });
  return {
    listen: async (ports) => void (await ask({ command: "listen", ports })),
    probe: async (probes) => void (await ask({ command: "probe", probes })),
    abort: async () => void (await ask({ command: "abort" })),
    // The driver answers these two with what driver-protocol.ts says.
    collect: async () => (await ask({ command: "collect" })) as readonly Arrival[],
    run: async (calls) => (await ask({ command: "run", calls })) as readonly ProgramEnd[],
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
