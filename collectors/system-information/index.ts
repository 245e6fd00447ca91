import { defineSnapshotCollector } from "../../src/contract/collector.ts";
import { collectSystemInformation } from "./collect.ts";
import { systemInformationPayload, systemInformationSettings } from "./schema.ts";

export const systemInformation = defineSnapshotCollector({
  name: "system-information",
  summary: "Which system this is: distribution, kernel, firmware, memory, boot and virtualisation.",
  eventName: "SystemInformation",
  cost: "light",
  needs: [
    { kind: "path", what: "/proc", lostWithout: "Kernel, memory, CPU, boot and uptime" },
    { kind: "path", what: "/etc/os-release", lostWithout: "Name and version of the distribution" },
    { kind: "path", what: "/sys/class/dmi/id", lostWithout: "Firmware, vendor and product (PCs)" },
    { kind: "path", what: "/proc/device-tree", lostWithout: "Model and boot loader (boards)" },
  ],
  sources: [
    "os-release(5)",
    "uname(2)",
    "proc_meminfo(5)",
    "proc_stat(5)",
    "proc_uptime(5)",
    "proc_cpuinfo(5)",
    "proc_pid_mountinfo(5)",
    "machine-id(5)",
    "Linux ABI: sysfs-firmware-dmi-entries, sysfs-devices-system-cpu",
  ],
  settings: systemInformationSettings,
  payload: systemInformationPayload,
  collect: collectSystemInformation,
});
