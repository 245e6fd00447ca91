import { defineSnapshotCollector } from "../../src/contract/collector.ts";
import { collectListeningPorts } from "./collect.ts";
import { listeningPortsPayload, listeningPortsSettings } from "./schema.ts";

export const listeningPorts = defineSnapshotCollector({
  name: "listening-ports",
  summary:
    "Which TCP and UDP ports wait for strangers, and which process, unit or container waits.",
  eventName: "ListeningPorts",
  cost: "moderate",
  needs: [
    {
      kind: "path",
      what: "/proc/net/{tcp,tcp6,udp,udp6}",
      lostWithout: "Everything, where the kernel does not answer sock_diag either",
    },
    {
      kind: "kernel-feature",
      what: "CONFIG_INET_DIAG and CONFIG_INET_UDP_DIAG",
      lostWithout: "The interface a socket is bound to; the tables of /proc/net are read instead",
    },
    {
      kind: "capability",
      what: "CAP_SYS_PTRACE",
      lostWithout: "The process behind sockets of other users",
    },
    {
      kind: "capability",
      what: "CAP_DAC_READ_SEARCH",
      lostWithout: "The process behind sockets of other users",
    },
  ],
  sources: [
    "sock_diag(7)",
    "proc_net(5)",
    "proc_pid_fd(5)",
    "proc_pid_stat(5)",
    "cgroups(7)",
    "namespaces(7)",
  ],
  settings: listeningPortsSettings,
  payload: listeningPortsPayload,
  collect: collectListeningPorts,
});
