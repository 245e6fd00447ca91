/** MQTT 3.1.1 by hand over TLS: packets good and bad, independent of the package that the hub uses. */
import { createHmac } from "node:crypto";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { HubIdentity, LocalHub } from "../../src/localhub/hub-contract.ts";

/** Enough for a loaded machine; a case that waits this long has failed. */
const PATIENCE_MS = 5_000;

export const TYPE = {
  connack: 2,
  publish: 3,
  puback: 4,
  suback: 9,
  unsuback: 11,
  pingresp: 13,
} as const;

export interface RawPacket {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

export interface RawPublish {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly isRepeat: boolean;
  readonly packetId: number | undefined;
}

export function text(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export function number16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** `first` is type and flags. Source: MQTT 3.1.1 section 2.2. */
export function packet(first: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const head = [first];
  let rest = body.length;
  do {
    head.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from(head), body]);
}

export interface Will {
  readonly topic: string;
  readonly payload: string;
  readonly qos?: number;
  readonly retain?: boolean;
}

export interface ConnectFields {
  readonly clientId: string;
  readonly userName?: string | undefined;
  readonly password?: string | undefined;
  readonly isClean?: boolean;
  readonly keepAliveSeconds?: number;
  readonly level?: number;
  readonly will?: Will;
}

export function connectPacket(fields: ConnectFields): Buffer {
  const { clientId, userName, password, will, isClean = true } = fields;
  const flags =
    (userName === undefined ? 0 : 0x80) |
    (password === undefined ? 0 : 0x40) |
    (will === undefined ? 0 : 0x04 | ((will.qos ?? 0) << 3) | (will.retain === true ? 0x20 : 0)) |
    (isClean ? 0x02 : 0);
  return packet(
    0x10,
    text("MQTT"),
    Buffer.from([fields.level ?? 4, flags]),
    number16(fields.keepAliveSeconds ?? 60),
    text(clientId),
    ...(will === undefined ? [] : [text(will.topic), text(will.payload)]),
    ...(userName === undefined ? [] : [text(userName)]),
    ...(password === undefined ? [] : [text(password)]),
  );
}

export function publishPacket(
  topic: string,
  payload: string | Uint8Array = "",
  options: { readonly qos?: number; readonly packetId?: number; readonly retain?: boolean } = {},
): Buffer {
  const { qos = 0, packetId = 1, retain = false } = options;
  const id = qos > 0 ? [number16(packetId)] : [];
  const first = 0x30 | (qos << 1) | (retain ? 1 : 0);
  return packet(first, text(topic), ...id, Buffer.from(payload));
}

export function subscribePacket(packetId: number, filters: readonly string[], qos = 0): Buffer {
  const parts = filters.flatMap((filter) => [text(filter), Buffer.from([qos])]);
  return packet(0x82, number16(packetId), ...parts);
}

export class RawClient {
  readonly socket: TLSSocket;
  readonly packets: RawPacket[] = [];
  isClosed = false;
  private rest: Buffer = Buffer.alloc(0);
  private readonly waiting = new Set<() => void>();

  constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on("data", (chunk) => this.take(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.isClosed = true;
      this.wake();
    });
  }

  send(...packets: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(packets));
  }

  /** The next packet of that type; rejects when the connection ends or time is up first. */
  async next(type: number): Promise<RawPacket> {
    let at = -1;
    await this.until(`a packet of type ${type}`, () => {
      at = this.packets.findIndex((one) => one.type === type);
      return at >= 0 || this.isClosed;
    });
    const found = this.packets.splice(at, 1)[0];
    if (at < 0 || found === undefined) throw new Error(`closed before a packet of type ${type}`);
    return found;
  }

  async nextPublish(): Promise<RawPublish> {
    const { flags, body } = await this.next(TYPE.publish);
    const end = 2 + body.readUInt16BE(0);
    const qos = (flags >> 1) & 3;
    return {
      topic: body.toString("utf8", 2, end),
      payload: body.toString("utf8", end + (qos > 0 ? 2 : 0)),
      qos,
      isRepeat: (flags & 8) !== 0,
      packetId: qos > 0 ? body.readUInt16BE(end) : undefined,
    };
  }

  /** Return code of CONNACK, and whether a session was present. */
  async connack(): Promise<{ readonly code: number; readonly isPresent: boolean }> {
    const { body } = await this.next(TYPE.connack);
    return { code: body[1] ?? -1, isPresent: body[0] === 1 };
  }

  async subscribe(filters: readonly string[], qos = 0): Promise<readonly number[]> {
    this.send(subscribePacket(7, filters, qos));
    return [...(await this.next(TYPE.suback)).body.subarray(2)];
  }

  /** True when the hub ends the connection; false when it still answers a ping. */
  async isEnded(): Promise<boolean> {
    if (!this.isClosed) this.send(Buffer.from([0xc0, 0]));
    const answered = (): boolean => this.packets.some(({ type }) => type === TYPE.pingresp);
    await this.until("an end or an answer", () => this.isClosed || answered());
    return this.isClosed;
  }

  closed(): Promise<void> {
    return this.until("the end of the connection", () => this.isClosed);
  }

  destroy(): void {
    this.socket.destroy();
  }

  private until(what: string, isTrue: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(look);
        reject(new Error(`waited in vain for ${what}`));
      }, PATIENCE_MS);
      const look = (): void => {
        if (!isTrue()) return;
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }

  private wake(): void {
    for (const look of [...this.waiting]) look();
  }

  private take(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    for (;;) {
      let length = 0;
      let at = 1;
      for (; at < this.rest.length; at += 1) {
        const byte = this.rest[at] ?? 0;
        length += (byte & 0x7f) << (7 * (at - 1));
        if (byte < 0x80) break;
      }
      if (at >= this.rest.length || this.rest.length < at + 1 + length) break;
      const first = this.rest[0] ?? 0;
      const body = this.rest.subarray(at + 1, at + 1 + length);
      this.packets.push({ type: first >> 4, flags: first & 15, body: Buffer.from(body) });
      this.rest = this.rest.subarray(at + 1 + length);
    }
    this.wake();
  }
}

export async function dialHub(
  hub: LocalHub,
  caPem: string,
  options: ConnectionOptions = {},
): Promise<RawClient> {
  const socket = connect({
    port: hub.port,
    host: "127.0.0.1",
    servername: "localhost",
    ca: caPem,
    ...options,
  });
  const client = new RawClient(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  return client;
}

/** The field of a connection string, such as `SharedAccessKey`. */
export function field(connectionString: string, name: string): string {
  const part = connectionString.split(";").find((one) => one.startsWith(`${name}=`));
  if (part === undefined) throw new Error(`no ${name}`);
  return part.slice(name.length + 1);
}

export interface TokenFields {
  readonly resource: string;
  readonly keyBase64: string;
  readonly expirySeconds: number;
  readonly keyName?: string;
}

export function sasToken({ resource, keyBase64, expirySeconds, keyName }: TokenFields): string {
  const encoded = encodeURIComponent(resource);
  const signature = createHmac("sha256", Buffer.from(keyBase64, "base64"))
    .update(`${encoded}\n${expirySeconds}`)
    .digest("base64");
  const name = keyName === undefined ? "" : `&skn=${keyName}`;
  return `SharedAccessSignature sr=${encoded}&sig=${encodeURIComponent(signature)}&se=${expirySeconds}${name}`;
}

export function nameOf(identity: HubIdentity): string {
  return [identity.deviceId, identity.moduleId].filter(Boolean).join("/");
}
