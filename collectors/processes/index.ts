import { defineWatchCollector } from "../../src/contract/collector.ts";
import { processCreatePayload, processesSettings, processTerminatePayload } from "./schema.ts";
import { watchProcesses } from "./watch.ts";

export const processes = defineWatchCollector({
  name: "processes",
  summary: "Which programs are executed, by whom and from what, and how processes end.",
  eventName: "ProcessCreate",
  furtherEvents: [{ eventName: "ProcessTerminate", payload: processTerminatePayload }],
  cost: "moderate",
  needs: [
    {
      kind: "capability",
      what: "CAP_NET_ADMIN",
      lostWithout:
        "The kernel's notices: /proc is polled, short-lived processes and ends are missed",
    },
    {
      kind: "capability",
      what: "CAP_AUDIT_READ",
      lostWithout: "Audit records of executions, which name what was gone before it could be read",
    },
    {
      kind: "capability",
      what: "CAP_SYS_PTRACE",
      lostWithout: "The executable of other users' processes",
    },
    {
      kind: "kernel-feature",
      what: "CONFIG_PROC_EVENTS",
      lostWithout: "The kernel's notices, as without CAP_NET_ADMIN",
    },
    {
      kind: "path",
      what: "/proc/self/status",
      lostWithout: "Command line, user, parent and unit of processes",
    },
  ],
  sources: [
    "linux/cn_proc.h",
    "proc_pid_exe(5)",
    "proc_pid_cmdline(5)",
    "proc_pid_status(5)",
    "cgroups(7)",
    "wait(2)",
    "linux/audit.h",
    "netlink(7)",
  ],
  settings: processesSettings,
  payload: processCreatePayload,
  watch: watchProcesses,
});
