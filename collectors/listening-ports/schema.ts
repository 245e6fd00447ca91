import { boolean, choice, optional, record, text } from "../../src/contract/schema.ts";
import { isIpAddress } from "../../src/parse/addresses.ts";

export const listeningPortsSettings = record({
  includeOwners: boolean({
    default: true,
    doc: "Find the process behind each socket by reading /proc/[pid]/fd",
  }),
});

function address(doc: string) {
  return text({ maxLength: 45, form: "an IPv4 or IPv6 address", accepts: isIpAddress, doc });
}

function detail(doc: string, maxLength = 256) {
  return optional(text({ maxLength, doc }));
}

/** Kernel names: struct inet_diag_msg of sock_diag(7), or the columns of /proc/net/{tcp,udp}. */
export const listeningPortsPayload = record({
  Protocol: choice(["tcp", "tcp6", "udp", "udp6"] as const, {
    doc: "Transport and address family: `idiag_family`, or which table of /proc/net",
  }),
  LocalAddress: address("Address the socket is bound to, RFC 5952 form, no zone: `id.idiag_src`"),
  LocalPort: text({ maxLength: 5, doc: "Port in decimal: `id.idiag_sport`" }),
  RemoteAddress: address("The unspecified address of the family: nobody is connected"),
  RemotePort: text({ maxLength: 5, doc: "Always `*`" }),
  ExtraDetails: optional(
    record({
      Pid: detail("Owner: oldest process with a link `socket:[inode]` in /proc/[pid]/fd"),
      Executable: detail("Program of the owner: link /proc/[pid]/exe", 1024),
      ExecutableDeleted: detail("`true` when the kernel marks that file ` (deleted)`"),
      ProcessName: detail("Name of the owner's main thread: /proc/[pid]/comm"),
      Unit: detail("systemd unit of the owner: /proc/[pid]/cgroup"),
      UserUnit: detail("Unit of a user's own manager: /proc/[pid]/cgroup"),
      Container: detail("Container of the owner, first 12 digits of its id: /proc/[pid]/cgroup"),
      ContainerRuntime: detail("Runtime of that container, from the form of the path"),
      SharedBy: detail("Other processes with the same sockets, `;` between them, at most 32", 512),
      UserId: detail("User that created the socket: `idiag_uid`, or column `uid`"),
      User: detail("First name of that user id in /etc/passwd"),
      Interface: detail("Interfaces the sockets are bound to: `id.idiag_if`; absent: any"),
      NetworkNamespace: detail("Inode of the network namespace: link /proc/self/ns/net"),
      Inode: detail("Inode of the (first) socket: `idiag_inode`"),
      Count: detail("Sockets on this address and port, when several share it: SO_REUSEPORT"),
      Source: detail("Where the sockets were read: `sock_diag` or `proc_net`"),
    }),
  ),
});
