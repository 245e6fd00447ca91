import { integer, optional, record, text } from "../../src/contract/schema.ts";

export const systemInformationSettings = record({});

function field(doc: string, maxLength = 256) {
  return optional(text({ maxLength, doc }));
}

function kilobytes(doc: string) {
  return optional(integer({ min: 0, unit: "kB", doc }));
}

export const systemInformationPayload = record({
  OSName: field("PRETTY_NAME, else NAME of os-release; else the name of the kernel"),
  OSVersion: field(
    "VERSION_ID, else VERSION, else BUILD_ID of os-release; without os-release the kernel's release",
  ),
  OSVendor: field("ID of os-release"),
  OsArchitecture: field("`machine` of uname(2)"),
  HostName: field("`nodename` of uname(2)"),
  BIOSVersion: field(
    "/sys/class/dmi/id/bios_version, else `chosen/u-boot,version` of the device tree",
  ),
  BootDevice: field("Device of `/` in /proc/self/mountinfo, else `root=` of /proc/cmdline"),
  TotalPhysicalMemoryInKB: kilobytes("MemTotal of /proc/meminfo"),
  FreePhysicalMemoryInKB: kilobytes("MemFree of /proc/meminfo"),
  TotalVirtualMemoryInKB: kilobytes("MemTotal + SwapTotal of /proc/meminfo"),
  FreeVirtualMemoryInKB: kilobytes("MemFree + SwapFree of /proc/meminfo"),
  ExtraDetails: optional(
    record({
      KernelRelease: field("`release` of uname(2)"),
      KernelVersion: field("`version` of uname(2)"),
      Distribution: field("NAME of os-release"),
      DistributionVersion: field("VERSION of os-release"),
      DistributionLike: field("ID_LIKE of os-release"),
      MachineModel: field("`model` of the device tree"),
      SystemVendor: field("/sys/class/dmi/id/sys_vendor"),
      ProductName: field("/sys/class/dmi/id/product_name"),
      CpuCount: field("CPUs in /sys/devices/system/cpu/online, else entries of /proc/cpuinfo"),
      CpuModel: field("`model name` of /proc/cpuinfo, else implementer and part of the core"),
      AvailablePhysicalMemoryInKB: field("MemAvailable of /proc/meminfo"),
      Virtualization: field("Hypervisor, from DMI strings, /sys/hypervisor/type and CPU flags"),
      Container: field("Container the agent runs in: /run/systemd/container and marker files"),
      InitSystem: field("From /run/systemd/system, /run/openrc and /proc/1/comm"),
      TimeSynchronised: field(
        "Whether /run/systemd/timesync/synchronized exists; absent: no timesyncd",
      ),
      BootId: field("/proc/sys/kernel/random/boot_id: a new one for each boot"),
      BootTimeEpochSeconds: field("`btime` of /proc/stat, seconds since the Unix epoch"),
      UptimeSeconds: field("First number of /proc/uptime"),
      MachineIdHash: field("Keyed SHA-256 of /etc/machine-id: names the installation, not the id"),
    }),
  ),
});
