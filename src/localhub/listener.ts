import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { createServer as createTlsServer, TLSSocket, type Server as TlsServer } from "node:tls";
import { createWebSocketStream, WebSocketServer } from "ws";
import type { PemPair } from "./authority.ts";
import { serveClient } from "./hub-client.ts";
import type { HubCore } from "./hub-core.ts";
import { answerRegistry } from "./registry-desk.ts";

const WEB_SOCKET_PATH = "/$iothub/websocket";

/** The sockets of a hub: MQTT over TLS, and HTTPS with MQTT over WebSockets and the registry. */
export interface Listener {
  readonly port: number;
  readonly webSocketPort: number;
  /** Presents another certificate on new connections. */
  present(pair: PemPair, caPem: string): void;
  /** Cuts every connection as a failing network does. */
  dropAll(): void;
  close(): Promise<void>;
}

/** Listens on both ports; 0 picks a free one. Rejects with the error of listen(2). */
export async function listen(
  core: HubCore,
  address: { readonly host: string; readonly port: number; readonly webSocketPort: number },
  pair: PemPair,
  caPem: string,
): Promise<Listener> {
  const tls = tlsOptions(pair, caPem);
  const sockets = new Set<Socket>();
  const remember = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  };
  const mqttServer: TlsServer = createTlsServer(tls, (socket) =>
    serveClient(core, socket, socket, "mqtt"),
  );
  const httpsServer: HttpsServer = createHttpsServer(tls, (request, response) =>
    answerRegistry(core, request, response),
  );
  const webSockets = new WebSocketServer({
    server: httpsServer,
    path: WEB_SOCKET_PATH,
    handleProtocols: (offered) => (offered.has("mqtt") ? "mqtt" : false),
    maxPayload: 400_000,
  });
  webSockets.on("connection", (webSocket, request) => {
    const { socket } = request;
    webSocket.on("error", () => webSocket.terminate());
    if (socket instanceof TLSSocket) {
      serveClient(core, createWebSocketStream(webSocket), socket, "websocket");
    }
  });
  for (const server of [mqttServer, httpsServer]) {
    server.on("connection", remember);
    server.on("tlsClientError", () => undefined);
  }
  await start(mqttServer, address.port, address.host);
  await start(httpsServer, address.webSocketPort, address.host);
  return {
    port: portOf(mqttServer),
    webSocketPort: portOf(httpsServer),
    present(next, nextCa) {
      mqttServer.setSecureContext(tlsOptions(next, nextCa));
      httpsServer.setSecureContext(tlsOptions(next, nextCa));
    },
    dropAll() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      webSockets.close();
      await Promise.all([mqttServer, httpsServer].map(stop));
    },
  };
}

function tlsOptions(pair: PemPair, caPem: string) {
  return {
    cert: pair.certificatePem,
    key: pair.keyPem,
    ca: caPem,
    minVersion: "TLSv1.2" as const,
    requestCert: true,
    rejectUnauthorized: false,
  };
}

function start(server: TlsServer | HttpsServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

function stop(server: TlsServer | HttpsServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function portOf(server: TlsServer | HttpsServer): number {
  const address: AddressInfo | string | null = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
