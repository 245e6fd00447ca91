import type { IncomingHttpHeaders } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { testAuthority } from "../support/certificates.ts";

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** How the next requests are answered: a status, silence, or an end without an answer. */
export type Behaviour =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  | "silence"
  | "hang up";

export interface HttpsReceiver {
  readonly url: string;
  readonly caPem: string;
  readonly received: readonly Received[];
  /** Behaviours for the next requests, one each; then 200. */
  next(...behaviours: readonly Behaviour[]): void;
  close(): Promise<void>;
}

/** An HTTPS server on loopback that keeps what it is sent. */
export async function startHttpsReceiver(): Promise<HttpsReceiver> {
  const authority = await testAuthority("receiver");
  const leaf = await authority.issue({
    commonName: "localhost",
    names: ["localhost", "127.0.0.1"],
  });
  const received: Received[] = [];
  const behaviours: Behaviour[] = [];
  const server = createServer(
    { cert: leaf.certificatePem, key: leaf.keyPem },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on("error", () => undefined);
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const text = request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes;
        received.push({
          path: request.url ?? "",
          headers: request.headers,
          body: JSON.parse(text.toString("utf8")),
        });
        const behaviour = behaviours.shift() ?? { status: 200 };
        if (behaviour === "silence") return;
        if (behaviour === "hang up") request.socket.destroy();
        else
          response.writeHead(behaviour.status, behaviour.headers ?? {}).end(behaviour.body ?? "");
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    caPem: authority.caPem,
    received,
    next: (...more) => behaviours.push(...more),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
