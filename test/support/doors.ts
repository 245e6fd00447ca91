/** Ways to a server that networks put in between: an HTTP proxy, a WebSocket front, a TLS end. */
import { createServer, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { createWebSocketStream, WebSocketServer } from "ws";
import type { Pem } from "./certificates.ts";

export interface Door {
  readonly port: number;
  close(): Promise<void>;
}

async function opened(
  server: Pick<Server, "listen" | "address" | "close">,
  sockets: ReadonlySet<Duplex>,
): Promise<Door> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", () => done()));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((done) => server.close(() => done()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function join(one: Duplex, other: Duplex, sockets: Set<Duplex>): void {
  for (const socket of [one, other]) {
    sockets.add(socket);
    socket.on("error", () => undefined);
  }
  one.pipe(other);
  other.pipe(one);
  one.on("close", () => other.destroy());
  other.on("close", () => one.destroy());
}

export interface Proxy extends Door {
  /** `host:port` of each tunnel that was asked for. */
  readonly asked: readonly string[];
}

/** An HTTP proxy with CONNECT; with `credentials` (`user:password`) it answers 407 to others. */
export async function startProxy(credentials?: string): Promise<Proxy> {
  const sockets = new Set<Duplex>();
  const asked: string[] = [];
  const server = createServer();
  server.on("connect", (request, socket: Socket, head: Buffer) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    asked.push(request.url ?? "");
    const wanted =
      credentials === undefined
        ? undefined
        : `Basic ${Buffer.from(credentials).toString("base64")}`;
    if (wanted !== undefined && request.headers["proxy-authorization"] !== wanted) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      return;
    }
    const port = Number(/:(\d+)$/.exec(request.url ?? "")?.[1]);
    const outer = connect({ port, host: "127.0.0.1" }, () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      if (head.length > 0) outer.write(head);
      join(socket, outer, sockets);
    });
    outer.on("error", () => socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
  });
  const door = await opened(server, sockets);
  return { ...door, asked };
}

export interface WebSocketFront extends Door {
  /** Path and subprotocol of each WebSocket. */
  readonly asked: readonly string[];
}

/** Takes WebSockets over TLS and hands their bytes to a plain port, as a hub does on 443. */
export async function startWebSocketFront(pem: Pem, plainPort: number): Promise<WebSocketFront> {
  const sockets = new Set<Duplex>();
  const asked: string[] = [];
  const server = createHttpsServer({ cert: pem.certificatePem, key: pem.keyPem });
  const webSockets = new WebSocketServer({ server });
  webSockets.on("connection", (webSocket, request) => {
    asked.push(`${request.url} ${webSocket.protocol}`);
    const stream = createWebSocketStream(webSocket);
    join(stream, connect({ port: plainPort, host: "127.0.0.1" }), sockets);
  });
  const door = await opened(server, sockets);
  return {
    ...door,
    asked,
    close: async () => {
      for (const client of webSockets.clients) client.terminate();
      await door.close();
    },
  };
}

export interface TlsEnd extends Door {
  /** Server name (SNI) of each handshake, false where none was sent. */
  readonly serverNames: readonly (string | false)[];
  readonly clientNames: readonly string[];
}

/** A TLS server that only looks at the handshake. */
export async function startTlsEnd(
  pem: Pem,
  options: { readonly caPem?: string; readonly maxVersion?: "TLSv1.1" | "TLSv1.2" } = {},
): Promise<TlsEnd> {
  const sockets = new Set<Duplex>();
  const serverNames: (string | false)[] = [];
  const clientNames: string[] = [];
  const { maxVersion, caPem } = options;
  const server = createTlsServer(
    {
      cert: pem.certificatePem,
      key: pem.keyPem,
      ...(caPem === undefined ? {} : { ca: caPem, requestCert: true }),
      ...(maxVersion === undefined ? {} : { maxVersion, minVersion: "TLSv1" as const }),
    },
    (socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      serverNames.push((socket as TLSSocket & { servername: string | false }).servername);
      clientNames.push(String(socket.getPeerCertificate()?.subject?.CN ?? ""));
      // With TLS 1.3 a client is done first: this tells it that the server is, too.
      socket.write("hello");
    },
  );
  server.on("tlsClientError", () => undefined);
  return { ...(await opened(server as never, sockets)), serverNames, clientNames };
}
