import { createHmac } from "node:crypto";
import {
  abandonedSnapshot,
  type CollectorContext,
  type Snapshot,
} from "../../src/contract/collector.ts";
import { type ExtraDetails, knownDetails, type PayloadItem } from "../../src/contract/event.ts";
import type { KernelFacts, Probe } from "../../src/contract/probe.ts";
import type { Problem, Result } from "../../src/contract/result.ts";
import { parseMeminfo } from "../../src/parse/meminfo.ts";
import { parseOsRelease } from "../../src/parse/os-release.ts";
import { plainText, singleValue } from "../../src/parse/plain-text.ts";
import { parseBootTimeSeconds, parseUptimeSeconds } from "../../src/parse/proc-stat.ts";
import { bootDevice, countCpuList, hypervisorOf, machineIdOf, parseCpuinfo } from "./parse.ts";

const DMI = "/sys/class/dmi/id";
const DEVICE_TREE = "/proc/device-tree";
/** /proc/stat and /proc/cpuinfo grow with the number of CPUs. */
const MAX_PROC_BYTES = 4_194_304;
/** So that the hash of ours is of no use to whoever hashes machine ids for another purpose. */
const MACHINE_ID_PURPOSE = "gatewarden machine id v1";

/** Which system this is: distribution, kernel, firmware, memory and boot. */
export async function collectSystemInformation(
  context: CollectorContext<unknown>,
): Promise<Snapshot> {
  if (context.signal.aborted) return abandonedSnapshot("system files");
  const files = createReader(context.probe);
  const release = osRelease(files);
  const kernel = files.keep(context.probe.kernel());
  const memory = parseMeminfo(files.text("/proc/meminfo"));
  const { ExtraDetails } = knownDetails({
    ...releaseDetails(release, kernel),
    ...hardwareDetails(files),
    AvailablePhysicalMemoryInKB: numberText(memory.get("MemAvailable")),
    ...hostingDetails(files),
    ...bootDetails(files),
  });
  const item = withoutUnknown({
    ...namesOf(release, kernel),
    BIOSVersion: firstOf(
      files.value(`${DMI}/bios_version`),
      files.value(`${DEVICE_TREE}/chosen/u-boot,version`),
    ),
    BootDevice: bootDevice(files.text("/proc/self/mountinfo"), files.text("/proc/cmdline")),
    ...memoryOf(memory),
    ExtraDetails,
  });
  const payload = Object.keys(item).length === 0 ? [] : [item];
  return { events: [{ name: "SystemInformation", payload }], problems: files.problems() };
}

/** Reads small files; what is absent is empty text, what cannot be read is kept as a problem. */
interface Reader {
  text(path: string): string;
  /** A file of one value, as one harmless line. */
  value(path: string): string;
  exists(path: string): boolean;
  keep<T>(result: Result<T>): T | undefined;
  problems(): readonly Problem[];
}

function createReader(probe: Probe): Reader {
  const unread: Problem[] = [];
  function keep<T>(result: Result<T>): T | undefined {
    if (result.ok) return result.value;
    if (result.problem.code !== "not-found") unread.push(result.problem);
    return undefined;
  }
  const text = (path: string): string => keep(probe.readText(path, MAX_PROC_BYTES)) ?? "";
  return {
    keep,
    text,
    value: (path) => singleValue(text(path)),
    exists: (path) => keep(probe.facts(path)) !== undefined,
    problems: () => oneProblem(unread),
  };
}

/** One problem for all files: each costs one field, and together they have one cause. */
function oneProblem(unread: readonly Problem[]): readonly Problem[] {
  const [first] = unread;
  if (first === undefined) return [];
  const detail = `${unread.length} files could not be read, the first is ${first.subject}: ${first.detail}`;
  return [{ code: first.code, subject: "system files", detail: detail.slice(0, 300) }];
}

/** /etc wins over /usr/lib. Source: os-release(5). */
function osRelease(files: Reader): ReadonlyMap<string, string> {
  const local = files.text("/etc/os-release");
  return parseOsRelease(local === "" ? files.text("/usr/lib/os-release") : local);
}

function firstOf(...texts: readonly (string | undefined)[]): string | undefined {
  return texts.find((text) => text !== undefined && text !== "");
}

function plain(text: string | undefined): string | undefined {
  return text === undefined ? undefined : plainText(text);
}

function numberText(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function namesOf(
  release: ReadonlyMap<string, string>,
  kernel: KernelFacts | undefined,
): Readonly<Record<string, string | undefined>> {
  return {
    OSName: plain(firstOf(release.get("PRETTY_NAME"), release.get("NAME"), kernel?.sysname)),
    OSVersion: plain(
      firstOf(
        release.get("VERSION_ID"),
        release.get("VERSION"),
        release.get("BUILD_ID"),
        // The kernel's number beside the name of a distribution would be read as the latter's.
        release.size === 0 ? kernel?.release : undefined,
      ),
    ),
    OSVendor: plain(release.get("ID")),
    OsArchitecture: plain(kernel?.machine),
    HostName: plain(kernel?.hostName),
  };
}

function memoryOf(
  sizes: ReadonlyMap<string, number>,
): Readonly<Record<string, number | undefined>> {
  const total = sizes.get("MemTotal");
  const free = sizes.get("MemFree");
  return {
    TotalPhysicalMemoryInKB: total,
    FreePhysicalMemoryInKB: free,
    TotalVirtualMemoryInKB: total === undefined ? undefined : total + (sizes.get("SwapTotal") ?? 0),
    FreeVirtualMemoryInKB: free === undefined ? undefined : free + (sizes.get("SwapFree") ?? 0),
  };
}

type Details = Readonly<Record<string, string | undefined>>;

function releaseDetails(
  release: ReadonlyMap<string, string>,
  kernel: KernelFacts | undefined,
): Details {
  return {
    KernelRelease: plain(kernel?.release),
    KernelVersion: plain(kernel?.version),
    Distribution: plain(release.get("NAME")),
    DistributionVersion: plain(release.get("VERSION")),
    DistributionLike: plain(release.get("ID_LIKE")),
  };
}

function hardwareDetails(files: Reader): Details {
  const vendor = files.value(`${DMI}/sys_vendor`);
  const product = files.value(`${DMI}/product_name`);
  const cpu = parseCpuinfo(files.text("/proc/cpuinfo"));
  const online = countCpuList(files.text("/sys/devices/system/cpu/online"));
  const virtualization = hypervisorOf({
    dmi: [product, vendor, files.value(`${DMI}/bios_vendor`), files.value(`${DMI}/board_vendor`)],
    hypervisorType: files.value("/sys/hypervisor/type"),
    deviceTree: files.value(`${DEVICE_TREE}/hypervisor/compatible`),
    hasHypervisorFlag: cpu.hasHypervisorFlag,
  });
  return {
    MachineModel: files.value(`${DEVICE_TREE}/model`),
    SystemVendor: vendor,
    ProductName: product,
    CpuCount: numberText(online ?? (cpu.count > 0 ? cpu.count : undefined)),
    CpuModel: cpu.model,
    Virtualization: virtualization,
  };
}

function hostingDetails(files: Reader): Details {
  return { Container: containerOf(files), InitSystem: initSystemOf(files) };
}

/** Source: systemd, container interface; marker files of Docker and Podman. */
function containerOf(files: Reader): string | undefined {
  const named = files.value("/run/systemd/container");
  if (named !== "") return named;
  if (files.exists("/run/.containerenv")) return "podman";
  return files.exists("/.dockerenv") ? "docker" : undefined;
}

function initSystemOf(files: Reader): string | undefined {
  if (files.exists("/run/systemd/system")) return "systemd";
  if (files.exists("/run/openrc/softlevel")) return "openrc";
  return files.value("/proc/1/comm");
}

function bootDetails(files: Reader): Details {
  const isTimesyncThere = files.exists("/run/systemd/timesync");
  return {
    TimeSynchronised: isTimesyncThere
      ? String(files.exists("/run/systemd/timesync/synchronized"))
      : undefined,
    BootId: files.value("/proc/sys/kernel/random/boot_id"),
    BootTimeEpochSeconds: numberText(parseBootTimeSeconds(files.text("/proc/stat"))),
    UptimeSeconds: numberText(parseUptimeSeconds(files.text("/proc/uptime"))),
    MachineIdHash: machineIdHash(files.text("/etc/machine-id")),
  };
}

/** machine-id(5) asks to keep the id itself confidential and to hash it with a fixed purpose. */
function machineIdHash(text: string): string | undefined {
  const id = machineIdOf(text);
  if (id === undefined) return undefined;
  return createHmac("sha256", id).update(MACHINE_ID_PURPOSE).digest("hex").slice(0, 32);
}

function withoutUnknown(
  fields: Readonly<Record<string, string | number | ExtraDetails | undefined>>,
): PayloadItem {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== ""),
  );
}
