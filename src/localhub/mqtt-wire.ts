import type { Duplex } from "node:stream";
import mqttPacket, { type Packet } from "mqtt-packet";
import { describeError } from "../contract/errors.ts";

/** Largest packet: a message of 256 KB, a topic of 64 KB with its properties, and framing. */
const MAX_PACKET_BYTES = 262_144 + 65_535 + 16;
/** A client that does not read is cut off when this much waits for it. */
const MAX_UNSENT_BYTES = 4_194_304;
/** MQTT 3.1.1. Source: OASIS MQTT 3.1.1, section 3.1.2.2. */
const PROTOCOL = { protocolVersion: 4 };

export interface MqttWireHandlers {
  onPacket(packet: Packet): void;
  /** The peer sent what is not MQTT; the wire is closed next. */
  onMalformed(what: string): void;
  /** The wire is closed; called once. */
  onClosed(why: string): void;
}

/** MQTT 3.1.1 packets over a stream. Bounded: a packet that claims to be huge ends the connection. */
export interface MqttWire {
  send(packet: Packet): void;
  /** Closes at once. */
  close(why: string): void;
  /** Closes after what was sent has left. */
  finish(why: string): void;
}

export function createMqttWire(stream: Duplex, handlers: MqttWireHandlers): MqttWire {
  const frames = createFrames();
  let isClosed = false;

  function end(why: string, endStream: () => void): void {
    if (isClosed) return;
    isClosed = true;
    endStream();
    handlers.onClosed(why);
  }

  function close(why: string): void {
    end(why, () => stream.destroy());
  }

  function malformed(what: string): void {
    const text = `not MQTT: ${what.slice(0, 120)}`;
    handlers.onMalformed(text);
    close(text);
  }

  stream.on("data", (chunk: Buffer) => {
    for (const frame of frames.take(chunk)) {
      const packet = frame === "unusable" ? "a packet without a sound length" : parse(frame);
      if (typeof packet === "string") malformed(packet);
      else handlers.onPacket(packet);
      if (isClosed) return;
    }
  });
  stream.on("error", (error: Error) => close(error.message.slice(0, 120)));
  stream.on("close", () => close("the connection was closed"));
  stream.on("end", () => close("the client closed the connection"));

  return {
    send(packet) {
      if (isClosed || !stream.writable) return;
      stream.write(mqttPacket.generate(packet, PROTOCOL));
      if (stream.writableLength > MAX_UNSENT_BYTES) close("the client does not read");
    },
    close,
    finish: (why) => end(why, () => stream.end(() => stream.destroy())),
  };
}

/** The packet in a whole frame, or what is wrong with it. */
function parse(frame: Buffer): Packet | string {
  const parser = mqttPacket.parser(PROTOCOL);
  let packet: Packet | undefined;
  let fault: string | undefined;
  parser.on("packet", (parsed) => {
    packet = parsed;
  });
  parser.on("error", (error: Error) => {
    fault ??= error.message;
  });
  try {
    parser.parse(frame);
  } catch (error) {
    // The package reads beyond the end of packets that lie about their inner lengths, and throws.
    return describeError(error);
  }
  return fault ?? packet ?? "a packet that cannot be read";
}

/**
 * Cuts a byte stream into whole packets: the parser then never waits inside one, and memory is bounded
 * by the length that a packet states. Source: MQTT 3.1.1 section 2.2.3.
 */
function createFrames(): { take(chunk: Buffer): Generator<Buffer | "unusable"> } {
  let chunks: Buffer[] = [];
  let size = 0;
  let wanted = 0;
  return {
    *take(chunk) {
      chunks.push(chunk);
      size += chunk.length;
      if (size < wanted) return;
      let rest = Buffer.concat(chunks);
      for (;;) {
        const length = frameLength(rest);
        if (length !== undefined && length > MAX_PACKET_BYTES) {
          yield "unusable";
          return;
        }
        if (length === undefined || rest.length < length) {
          wanted = length ?? rest.length + 1;
          break;
        }
        yield rest.subarray(0, length);
        rest = rest.subarray(length);
      }
      chunks = [rest];
      size = rest.length;
    },
  };
}

/** Length of the first packet with its header; undefined while the header is incomplete. */
function frameLength(bytes: Buffer): number | undefined {
  let length = 0;
  for (let at = 1; at <= 4; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 128 ** (at - 1);
    if (byte < 0x80) return length + at + 1;
  }
  return Number.POSITIVE_INFINITY;
}
