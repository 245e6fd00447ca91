import { defineSnapshotCollector } from "../../src/contract/collector.ts";
import { collectConnectedHardware } from "./collect.ts";
import { connectedHardwarePayload, connectedHardwareSettings } from "./schema.ts";

export const connectedHardware = defineSnapshotCollector({
  name: "connected-hardware",
  summary: "What is plugged into the device: USB and PCI devices, disks and network interfaces.",
  eventName: "ConnectedHardware",
  cost: "moderate",
  needs: [
    { kind: "path", what: "/sys/bus/usb/devices", lostWithout: "USB devices" },
    { kind: "path", what: "/sys/bus/pci/devices", lostWithout: "PCI devices" },
    { kind: "path", what: "/sys/class/block", lostWithout: "Disks" },
    { kind: "path", what: "/sys/class/net", lostWithout: "Network interfaces" },
  ],
  sources: [
    "Linux ABI: sysfs-bus-usb, sysfs-bus-pci, sysfs-block, sysfs-class-net",
    "PCI Code and ID Assignment Specification",
    "USB-IF: Defined Class Codes",
    "include/uapi/linux/if_arp.h",
  ],
  settings: connectedHardwareSettings,
  payload: connectedHardwarePayload,
  collect: collectConnectedHardware,
});
