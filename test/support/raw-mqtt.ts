/** A small MQTT 3.1.1 client written from the specification, independent of the packages under test. */
import { connect, type Socket } from "node:net";

export interface RawMessage {
  readonly topic: string;
  readonly payload: Buffer;
}

export interface RawClient {
  readonly closed: Promise<void>;
  subscribe(filters: readonly string[]): Promise<void>;
  publish(topic: string, payload: string | Uint8Array): void;
  close(): void;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Source: MQTT 3.1.1 section 2.2.3, remaining length. */
function packet(type: number, body: Buffer): Buffer {
  const head = [type];
  let rest = body.length;
  do {
    head.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(head), body]);
}

/** Takes whole packets off the front of the buffer; returns what is left. */
function takePackets(buffer: Buffer, onPacket: (type: number, body: Buffer) => void): Buffer {
  let rest = buffer;
  for (;;) {
    let length = 0;
    let at = 1;
    for (let shift = 0; ; shift += 7, at += 1) {
      const byte = rest[at];
      if (byte === undefined) return rest;
      length += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) break;
    }
    const start = at + 1;
    if (rest.length < start + length) return rest;
    onPacket(rest[0] ?? 0, rest.subarray(start, start + length));
    rest = rest.subarray(start + length);
  }
}

/** Connects without TLS and resolves on CONNACK 0. Delivers messages at QoS 0 and 1. */
export function connectRaw(
  port: number,
  clientId: string,
  onMessage: (message: RawMessage) => void,
): Promise<RawClient> {
  const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const waiting: (() => void)[] = [];
  let buffered: Buffer = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    const closed = new Promise<void>((done) => socket.once("close", () => done()));
    const client: RawClient = {
      closed,
      subscribe: (filters) =>
        new Promise((done) => {
          waiting.push(done);
          const list = filters.map((filter) => Buffer.concat([text(filter), Buffer.from([1])]));
          socket.write(packet(0x82, Buffer.concat([Buffer.from([0, 1]), ...list])));
        }),
      publish: (topic, payload) => {
        socket.write(packet(0x30, Buffer.concat([text(topic), Buffer.from(payload)])));
      },
      close: () => {
        socket.end(Buffer.from([0xe0, 0]));
        socket.destroySoon();
      },
    };
    socket.once("error", reject);
    socket.on("error", () => undefined);
    socket.once("connect", () => {
      const flags = Buffer.from([4, 2, 0, 60]);
      socket.write(packet(0x10, Buffer.concat([text("MQTT"), flags, text(clientId)])));
    });
    socket.on("data", (chunk: Buffer) => {
      buffered = takePackets(Buffer.concat([buffered, chunk]), (type, body) => {
        if (type >> 4 === 2) {
          if (body[1] === 0) resolve(client);
          else reject(new Error(`CONNACK ${body[1]}`));
        } else if (type >> 4 === 9) waiting.shift()?.();
        else if (type >> 4 === 3) {
          const end = 2 + body.readUInt16BE(0);
          const isAcknowledged = ((type >> 1) & 3) > 0;
          const topic = body.subarray(2, end).toString("utf8");
          onMessage({ topic, payload: Buffer.from(body.subarray(isAcknowledged ? end + 2 : end)) });
          if (isAcknowledged) socket.write(packet(0x40, body.subarray(end, end + 2)));
        }
      });
    });
  });
}
