import type { Duplex } from "node:stream";
import { createWebSocketStream, WebSocket } from "ws";
import { authorityOf, type DialTarget } from "./dial-target.ts";
import { FaultError, fault } from "./fault.ts";

/** Larger than any MQTT packet of a hub (256 KB) by a margin. */
const MOST_PAYLOAD_BYTES = 1_048_576;

/**
 * Opens a WebSocket with subprotocol `mqtt` over a stream that is already connected (and secured).
 * Source: MQTT 3.1.1 section 6; IoT Hub documentation, MQTT over WebSockets on port 443.
 */
export function openWebSocket(stream: Duplex, target: DialTarget): Promise<Duplex> {
  const scheme = target.secureContext === undefined ? "ws" : "wss";
  const socket = new WebSocket(
    `${scheme}://${authorityOf(target)}${target.webSocketPath ?? "/"}`,
    ["mqtt"],
    {
      createConnection: () => stream,
      perMessageDeflate: false,
      followRedirects: false,
      maxPayload: MOST_PAYLOAD_BYTES,
    },
  );
  const duplex = createWebSocketStream(socket);
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      duplex.destroy();
      reject(error);
    };
    duplex.once("error", onError);
    socket.once("unexpected-response", (_request, response) => {
      response.destroy();
      const detail = `the WebSocket was refused (HTTP ${response.statusCode ?? "?"})`;
      const remedy = "is the address a hub's, and does a proxy or firewall change the request?";
      onError(new FaultError(fault("protocol", detail, remedy)));
      socket.terminate();
    });
    socket.once("open", () => {
      duplex.off("error", onError);
      resolve(duplex);
    });
  });
}
