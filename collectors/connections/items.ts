import { knownDetails, type PayloadItem } from "../../src/contract/event.ts";
import type { ProcessFacts } from "../../src/contract/probe.ts";
import type { SecretMask } from "../../src/contract/secret-mask.ts";
import { plainText } from "../../src/parse/plain-text.ts";
import type { Direction, Endpoints } from "./connection.ts";

/** A connection with everything that is known of it. */
export interface SeenConnection {
  readonly ends: Endpoints;
  readonly direction: Direction;
  readonly source: "sock_diag" | "proc_net" | "socket_end" | "conntrack";
  /** `existing`: older than the agent. `ended`: seen at its end. `failed`: it never came about. */
  readonly state?: "existing" | "ended" | "failed";
  /** User of the socket, where the socket was still there. */
  readonly userId?: number;
  readonly process?: ProcessFacts;
  /** The process is that of the listening socket; who accepted is not known. */
  readonly isByListener?: boolean;
  readonly bytes?: { readonly sent: number; readonly received: number };
}

export function connectionItem(seen: SeenConnection, mask: SecretMask): PayloadItem {
  const { ends, process, bytes } = seen;
  const userId = seen.userId ?? process?.userId;
  const { unit, userUnit, container } = process ?? {};
  return {
    RemoteAddress: ends.remoteAddress,
    RemotePort: String(ends.remotePort),
    LocalAddress: ends.localAddress,
    LocalPort: String(ends.localPort),
    Direction: seen.direction,
    Protocol: ends.protocol,
    ProcessId: process?.processId ?? 0,
    ...(userId === undefined ? {} : { UserId: String(userId) }),
    Executable: plainText(process?.executable ?? "", 4_096),
    ...(process === undefined
      ? {}
      : { CommandLine: plainText(mask.commandLine(process.args), 8_192) }),
    ...knownDetails({
      Source: seen.source,
      State: seen.state,
      OwnerOf: seen.isByListener === true ? "listener" : undefined,
      Unit: unit === undefined ? undefined : plainText(unit),
      UserUnit: userUnit === undefined ? undefined : plainText(userUnit),
      Container: container === undefined ? undefined : plainText(container.id, 64),
      ContainerRuntime: container?.runtime,
      BytesSent: bytes === undefined ? undefined : String(bytes.sent),
      BytesReceived: bytes === undefined ? undefined : String(bytes.received),
    }),
  };
}
