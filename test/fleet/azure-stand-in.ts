/** A server on TLS that answers the addresses which the packages of Azure call. It is not Azure. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, globalAgent } from "node:https";
import { createAuthority } from "../../src/localhub/authority.ts";

export interface Asked {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly authorization: string;
  readonly body: string;
  readonly continuation: string | undefined;
}

export interface Answer {
  readonly status?: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface StandIn {
  readonly armEndpoint: string;
  /** What another process needs to be led here too. */
  readonly port: number;
  readonly caPem: string;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

const YEAR_MS = 31_536_000_000;

/**
 * Starts the server and leads every connection of `https.Agent` to it until it is closed: the package for
 * the registry always calls port 443 of the hub's name.
 */
export async function startStandIn(answer: (asked: Asked) => Answer): Promise<StandIn> {
  const validity = { notBeforeMs: Date.now() - YEAR_MS, notAfterMs: Date.now() + YEAR_MS };
  const authority = await createAuthority("stand-in", validity);
  const names = ["localhost", "127.0.0.1"];
  const leaf = await authority.issue({ commonName: "localhost", names, usage: "server", validity });
  const asked: Asked[] = [];
  const server = createServer(
    { cert: leaf.certificatePem, key: leaf.keyPem },
    (request, response) => {
      take(request).then((one) => {
        asked.push(one);
        reply(response, answer(one));
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  // Typings of Node leave createConnection of an agent out of the class.
  const prototype = Agent.prototype as unknown as {
    createConnection(options: object, ...rest: unknown[]): unknown;
  };
  const original = prototype.createConnection;
  prototype.createConnection = function (options, ...rest) {
    const here = {
      host: "127.0.0.1",
      port,
      servername: "localhost",
      ca: authority.ca.certificatePem,
    };
    return original.call(this, { ...options, ...here }, ...rest);
  };
  return {
    armEndpoint: `https://localhost:${port}`,
    port,
    caPem: authority.ca.certificatePem,
    asked,
    async close() {
      prototype.createConnection = original;
      globalAgent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function take(request: IncomingMessage): Promise<Asked> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const continuation = request.headers["x-ms-continuation"];
  return {
    method: request.method ?? "",
    path: (request.url ?? "").split("?")[0] ?? "",
    authorization: request.headers.authorization ?? "",
    body,
    continuation: typeof continuation === "string" ? continuation : undefined,
  };
}

function reply(response: ServerResponse, { status = 200, body, headers = {} }: Answer): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
