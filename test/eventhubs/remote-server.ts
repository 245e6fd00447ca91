import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ServerForm } from "./event-hub-server.ts";
import type { StoredEvent } from "./partition-log.ts";
import type { ServerCommand, ServerFacts } from "./server-process.ts";

/** The name and the key of the only policy of the tests' namespaces; no secret. */
export const POLICY = { policy: "listen", key: "bm8gc2VjcmV0IGF0IGFsbA==" } as const;

/** A running server process, as a test steers it. */
export interface RemoteServer {
  readonly port: number;
  connectionString(hub: string, changes?: { readonly key?: string }): string;
  append(hub: string, partition: number, events: readonly StoredEvent[]): Promise<ServerFacts>;
  command(command: ServerCommand): Promise<ServerFacts>;
  stop(): Promise<void>;
}

/** Starts a server process. It ends with `stop`, or with the process that started it. */
export async function startRemoteServer(
  hubs: ServerForm["hubs"],
  port?: number,
): Promise<RemoteServer> {
  const child = fork(fileURLToPath(new URL("server-process.ts", import.meta.url)), [], {
    execArgv: ["--import", "tsx"],
    serialization: "advanced",
  });
  const waiting = new Map<number, (reply: { facts?: ServerFacts; error?: string }) => void>();
  let lastId = 0;
  child.on("message", (reply: { id: number; facts?: ServerFacts; error?: string }) => {
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });
  const command = (one: ServerCommand): Promise<ServerFacts> =>
    new Promise((resolve, reject) => {
      lastId += 1;
      waiting.set(lastId, ({ facts, error }) => {
        if (facts === undefined) reject(new Error(error ?? "the server gave no answer"));
        else resolve(facts);
      });
      child.send({ id: lastId, command: one });
    });
  const facts = await command({
    do: "start",
    form: { hubs, ...POLICY, ...(port === undefined ? {} : { port }) },
  });
  return {
    port: facts.port,
    connectionString: (hub, { key = POLICY.key } = {}) =>
      `Endpoint=sb://localhost:${facts.port};SharedAccessKeyName=${POLICY.policy};SharedAccessKey=${key};UseDevelopmentEmulator=true;EntityPath=${hub}`,
    append: (hub, partition, events) => command({ do: "append", hub, partition, events }),
    command,
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.send({ id: 0, command: { do: "stop" } });
      await ended;
    },
  };
}
