import {
  boolean,
  choice,
  integer,
  optional,
  record,
  text,
  textMap,
} from "../../src/contract/schema.ts";
import { isIpAddress } from "../../src/parse/addresses.ts";

export const connectionsSettings = record({
  includeLoopback: boolean({
    default: false,
    doc: "Report connections of the device with itself over the loopback interface as well",
  }),
  pollSeconds: integer({
    default: 10,
    min: 1,
    max: 3_600,
    unit: "seconds",
    doc: "Time between two looks at the sockets, where the kernel does not tell of new connections",
  }),
});

function address(doc: string) {
  return text({ maxLength: 45, form: "an IPv4 or IPv6 address", accepts: isIpAddress, doc });
}

/** Kernel names: struct inet_diag_msg of sock_diag(7). */
export const connectionCreatePayload = record({
  RemoteAddress: address("The other side, RFC 5952 form; IPv4 also where the socket serves both"),
  RemotePort: text({ maxLength: 5, doc: "Its port; 0 in an aggregate of inbound connections" }),
  LocalAddress: optional(address("Our side")),
  LocalPort: optional(text({ maxLength: 5, doc: "Our port; absent in an outbound aggregate" })),
  Direction: choice(["In", "Out"] as const, { doc: "Who began: In is the other side" }),
  Protocol: choice(["tcp", "udp"] as const, { doc: "Transport protocol" }),
  ProcessId: integer({
    min: 0,
    doc: "Process that holds the socket; 0 in an aggregate and where it is not known",
  }),
  UserId: optional(text({ maxLength: 20, doc: "User that created the socket: `idiag_uid`" })),
  Executable: text({ maxLength: 4_096, doc: "Its program; empty where it is not known" }),
  CommandLine: optional(text({ maxLength: 8_192, doc: "Its arguments, secrets replaced by ***" })),
  ExtraDetails: optional(
    textMap({
      doc: "`Source`; `State` (`existing` when the agent began, `ended` when seen at its end only, `failed` when nobody answered); `OwnerOf` is `listener` when the process is that of the listening socket; `Unit`, `UserUnit`, `Container`, `ContainerRuntime`; `BytesSent` and `BytesReceived` of what has ended; of an aggregate `HitCount` and its window",
    }),
  ),
});
