import { defineWatchCollector } from "../../src/contract/collector.ts";
import { connectionCreatePayload, connectionsSettings } from "./schema.ts";
import { watchConnections } from "./watch.ts";

export const connections = defineWatchCollector({
  name: "connections",
  summary:
    "Which TCP and UDP connections come and go, who began them, and which process holds them.",
  eventName: "ConnectionCreate",
  cost: "moderate",
  needs: [
    {
      kind: "kernel-feature",
      what: "CONFIG_INET_DIAG",
      lostWithout: "Connections that end between two looks; /proc/net is read instead",
    },
    {
      kind: "kernel-feature",
      what: "CONFIG_NF_CT_NETLINK",
      lostWithout:
        "UDP flows, and the processes of outbound connections that end within milliseconds",
    },
    {
      kind: "capability",
      what: "CAP_NET_ADMIN",
      lostWithout: "The notices of connection tracking, as without CONFIG_NF_CT_NETLINK",
    },
    {
      kind: "capability",
      what: "CAP_SYS_PTRACE",
      lostWithout: "The process behind connections of other users",
    },
    {
      kind: "capability",
      what: "CAP_DAC_READ_SEARCH",
      lostWithout: "The process behind connections of other users",
    },
  ],
  sources: [
    "sock_diag(7)",
    "linux/sock_diag.h",
    "linux/inet_diag.h",
    "linux/tcp.h, struct tcp_info",
    "linux/netfilter/nfnetlink_conntrack.h",
    "proc_net(5)",
    "proc_pid_fd(5)",
  ],
  settings: connectionsSettings,
  payload: connectionCreatePayload,
  watch: watchConnections,
});
