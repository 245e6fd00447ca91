import type { Duplex } from "node:stream";
import mqttPacket, { type Packet } from "mqtt-packet";

/** Largest packet taken: a message of 256 KB, its topic with properties, and framing. */
const MAX_PACKET_BYTES = 400_000;

export interface MqttWireHandlers {
  onPacket(packet: Packet): void;
  /** The peer broke the protocol or the stream failed; the wire is closed. */
  onClosed(why: string): void;
}

/** MQTT 3.1.1 packets over a stream. Bounded: a packet that claims to be huge ends the connection. */
export interface MqttWire {
  send(packet: Packet): void;
  /** Closes the stream; `onClosed` is called once. `isAbrupt` resets the connection. */
  close(why: string, isAbrupt?: boolean): void;
}

export function createMqttWire(stream: Duplex, handlers: MqttWireHandlers): MqttWire {
  const parser = mqttPacket.parser({ protocolVersion: 4 });
  let isClosed = false;
  let unparsedBytes = 0;

  function close(why: string, isAbrupt = false): void {
    if (isClosed) return;
    isClosed = true;
    parser.removeAllListeners();
    if (isAbrupt) stream.destroy();
    else stream.end();
    handlers.onClosed(why);
  }

  parser.on("packet", (packet) => {
    unparsedBytes = 0;
    if (!isClosed) handlers.onPacket(packet);
  });
  parser.on("error", (error: Error) => close(`not MQTT: ${error.message.slice(0, 120)}`, true));
  stream.on("data", (chunk: Buffer) => {
    if (isClosed) return;
    unparsedBytes += chunk.length;
    try {
      parser.parse(chunk);
    } catch (error) {
      close(`not MQTT: ${error instanceof Error ? error.message.slice(0, 120) : ""}`, true);
      return;
    }
    if (unparsedBytes > MAX_PACKET_BYTES) close("a packet larger than the hub takes", true);
  });
  stream.on("error", (error: Error) => close(error.message.slice(0, 120), true));
  stream.on("close", () => close("the client closed the connection"));
  stream.on("end", () => close("the client closed the connection"));

  return {
    send(packet) {
      if (!isClosed && stream.writable)
        stream.write(mqttPacket.generate(packet, { protocolVersion: 4 }));
    },
    close,
  };
}
