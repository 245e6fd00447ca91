import { constants } from "node:crypto";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer, TLSSocket, type Server as TlsServer } from "node:tls";
import { createWebSocketStream, WebSocketServer } from "ws";
import type { PemPair } from "./authority.ts";
import { serveConnection } from "./client-intake.ts";
import type { HubConnection } from "./hub-contract.ts";
import type { HubCore } from "./hub-model.ts";
import type { MqttWire } from "./mqtt-wire.ts";
import { answerRegistry } from "./registry-desk.ts";

const WEB_SOCKET_PATH = "/$iothub/websocket";
const MAX_WEB_SOCKET_MESSAGE_BYTES = 524_288;
/** Of each port: a fleet of one, with room for tests that misbehave. */
const MAX_CONNECTIONS = 1_000;

/** The sockets of a hub: MQTT over TLS, and HTTPS with MQTT over WebSockets and the registry. */
export interface Listener {
  readonly port: number;
  readonly webSocketPort: number;
  /** Presents another certificate on new connections. */
  present(pair: PemPair): void;
  /** Resets every connection, as a failing network does. */
  dropAll(): void;
  close(): Promise<void>;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  readonly webSocketPort: number;
}

/** Listens on both ports; 0 picks a free one. Rejects with the error of listen(2). */
export async function listen(
  core: HubCore,
  address: ListenAddress,
  pair: PemPair,
  caPem: string,
): Promise<Listener> {
  const tls = tlsOptions(pair, caPem);
  const sockets = new Set<Socket>();
  const wires = new Set<MqttWire>();
  const serve: Serve = (stream, socket, via) => {
    const wire = serveConnection(core, stream, socket, via);
    wires.add(wire);
    stream.once("close", () => wires.delete(wire));
  };
  const mqttServer = createTlsServer(tls, (socket) => serve(socket, socket, "mqtt"));
  const httpsServer = createHttpsServer(tls, (request, response) =>
    answerRegistry(core, request, response),
  );
  const webSockets = serveWebSockets(httpsServer, serve);
  const servers: TcpServer[] = [];
  for (const server of [mqttServer, httpsServer]) {
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    });
    // A client that does not trust the hub, or speaks no TLS: it knows best why.
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    server.maxConnections = MAX_CONNECTIONS;
  }

  /** At once: nobody is connected any more when this returns. */
  function cut(why: string): void {
    for (const wire of wires) wire.close(why);
  }

  async function close(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    cut("the hub went down");
    for (const client of webSockets.clients) client.terminate();
    await Promise.all(servers.map(stopped));
  }

  try {
    const port = await opened(servers, mqttServer, address.host, address.port);
    const webSocketPort = await opened(servers, httpsServer, address.host, address.webSocketPort);
    return {
      port,
      webSocketPort,
      present(next) {
        mqttServer.setSecureContext(tlsOptions(next, caPem));
        httpsServer.setSecureContext(tlsOptions(next, caPem));
      },
      dropAll() {
        for (const socket of sockets) socket.resetAndDestroy();
        cut("the network failed");
      },
      close,
    };
  } catch (error) {
    // One port may be open already when the other is taken.
    await close();
    throw error;
  }
}

type Serve = (stream: Duplex, socket: TLSSocket, via: HubConnection["via"]) => void;

function serveWebSockets(server: HttpsServer, serve: Serve): WebSocketServer {
  const webSockets = new WebSocketServer({
    noServer: true,
    handleProtocols: () => "mqtt",
    maxPayload: MAX_WEB_SOCKET_MESSAGE_BYTES,
  });
  server.on("upgrade", (request, socket: Duplex, head: Buffer) => {
    const [path] = (request.url ?? "").split("?");
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(/\s*,\s*/);
    if (path !== WEB_SOCKET_PATH) socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
    else if (!offered.includes("mqtt")) socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    else {
      webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on("error", () => webSocket.terminate());
        if (request.socket instanceof TLSSocket) {
          serve(createWebSocketStream(webSocket), request.socket, "websocket");
        }
      });
    }
  });
  return webSockets;
}

function tlsOptions(pair: PemPair, caPem: string) {
  return {
    cert: pair.certificatePem,
    key: pair.keyPem,
    ca: caPem,
    minVersion: "TLSv1.2" as const,
    requestCert: true,
    rejectUnauthorized: false,
    // A resumed handshake would not show the certificate that is presented now.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/**
 * Opens a port and returns it. On 127.0.0.1 the same port of ::1 is tried as well: `localhost` may
 * mean either, and Node 18 tries only the first.
 */
async function opened(
  servers: TcpServer[],
  server: TlsServer | HttpsServer,
  host: string,
  wantedPort: number,
): Promise<number> {
  await listening(server, host, wantedPort);
  servers.push(server);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : wantedPort;
  if (host === "127.0.0.1") {
    const second = createTcpServer((socket) => server.emit("connection", socket));
    const isOpen = await listening(second, "::1", port).then(
      () => true,
      () => false,
    );
    if (isOpen) servers.push(second);
  }
  return port;
}

function listening(server: TcpServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

function stopped(server: TcpServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
