import type { TLSSocket } from "node:tls";
import type { Packet } from "mqtt-packet";
import type { HubConnection, HubIdentity } from "./hub-contract.ts";
import type { MqttWire } from "./mqtt-wire.ts";

/** A connection on which somebody asks to be let in. */
export interface Knock {
  readonly wire: MqttWire;
  readonly socket: TLSSocket;
  readonly via: HubConnection["via"];
}

/** What takes over a connection once it is past CONNECT. */
export interface ConnectionOwner {
  readonly identity: HubIdentity;
  onPacket(packet: Packet): void;
  onClosed(why: string): void;
}
