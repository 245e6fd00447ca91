import { plainText } from "../../src/parse/plain-text.ts";

/** Longest line of a hostile file that is looked at, characters. */
const LONGEST_LINE = 4096;

/**
 * The device behind `/`: the source of its topmost mount when that is a device node, else `root=` of
 * the kernel command line, else the source as it is (`overlay`). Undefined when neither tells.
 * Source: proc_pid_mountinfo(5), bootparam(7).
 */
export function bootDevice(mountinfo: string, commandLine: string): string | undefined {
  const source = rootSource(mountinfo);
  if (source?.startsWith("/dev/") === true && source !== "/dev/root") return source;
  const parameter = /(?:^|\s)root=(\S{1,256})/.exec(commandLine.slice(0, 65_536))?.[1];
  return parameter === undefined ? source : plainText(parameter);
}

function rootSource(mountinfo: string): string | undefined {
  let source: string | undefined;
  for (const line of mountinfo.split("\n")) {
    const [mount = "", filesystem] = line.slice(0, LONGEST_LINE).split(" - ", 2);
    if (mount.split(" ")[4] !== "/") continue;
    const device = filesystem?.split(" ")[1];
    if (device !== undefined && device !== "") source = plainText(unescapeOctal(device));
  }
  return source;
}

/** The kernel writes blank, tab, newline and backslash as `\040` and so on. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-3][0-7]{2})/g, (_all, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

export interface CpuFacts {
  readonly count: number;
  readonly model: string | undefined;
  /** True when the CPU says that it is a virtual one. */
  readonly hasHypervisorFlag: boolean;
}

/**
 * CPUs of /proc/cpuinfo. Arm kernels print no model name for a core, so implementer and part number
 * stand in: `implementer 0x41 part 0xd08`. Source: proc_cpuinfo(5); arch/arm64/kernel/cpuinfo.c.
 */
export function parseCpuinfo(text: string): CpuFacts {
  let count = 0;
  let hasHypervisorFlag = false;
  const first = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^([^\t:]{1,64}?)\s*:\s?(.*)$/.exec(line.slice(0, LONGEST_LINE));
    if (match?.[1] === undefined || match[2] === undefined) continue;
    const [, key, value] = match;
    if (key === "processor" && /^\d+$/.test(value)) count += 1;
    if (key === "flags" && / hypervisor( |$)/.test(value)) hasHypervisorFlag = true;
    if (!first.has(key)) first.set(key, plainText(value, 128));
  }
  return { count, model: cpuModel(first), hasHypervisorFlag };
}

function cpuModel(fields: ReadonlyMap<string, string>): string | undefined {
  const named = fields.get("model name") ?? fields.get("cpu model") ?? fields.get("uarch");
  if (named !== undefined && named !== "") return named;
  const implementer = fields.get("CPU implementer");
  const part = fields.get("CPU part");
  if (implementer === undefined || part === undefined) return undefined;
  return `implementer ${implementer} part ${part}`;
}

/** CPUs in a list such as `0-3,6`; undefined for another form. Source: cputopology.rst of the kernel. */
export function countCpuList(text: string): number | undefined {
  const list = text.trim();
  if (!/^\d{1,5}(?:-\d{1,5})?(?:,\d{1,5}(?:-\d{1,5})?)*$/.test(list)) return undefined;
  return list.split(",").reduce((sum, range) => {
    const [from = 0, to = from] = range.split("-").map(Number);
    return sum + Math.max(0, to - from + 1);
  }, 0);
}

/** Words in the DMI strings of virtual machines. Source: systemd src/basic/virt.c, detect_vm_dmi. */
const DMI_HYPERVISORS: readonly (readonly [word: string, name: string])[] = [
  ["KVM", "kvm"],
  ["OpenStack", "kvm"],
  ["Amazon EC2", "amazon"],
  ["QEMU", "qemu"],
  ["VMware", "vmware"],
  ["VMW", "vmware"],
  ["innotek GmbH", "oracle"],
  ["VirtualBox", "oracle"],
  ["Xen", "xen"],
  ["Bochs", "bochs"],
  ["Parallels", "parallels"],
  ["BHYVE", "bhyve"],
  ["Hyper-V", "microsoft"],
  ["Google Compute Engine", "google"],
  ["Virtual Machine", "microsoft"],
];

/** What tells of a hypervisor; each text is empty where the device does not have it. */
export interface VirtualizationClues {
  readonly dmi: readonly string[];
  /** /sys/hypervisor/type */
  readonly hypervisorType: string;
  /** `compatible` of the device tree's hypervisor node. */
  readonly deviceTree: string;
  readonly hasHypervisorFlag: boolean;
}

/** The hypervisor by systemd's names, `unknown` for one without a name, undefined on bare metal. */
export function hypervisorOf(clues: VirtualizationClues): string | undefined {
  const named = DMI_HYPERVISORS.find(([word]) => clues.dmi.some((text) => text.includes(word)));
  if (named !== undefined) return named[1];
  if (clues.hypervisorType !== "") return clues.hypervisorType;
  if (clues.deviceTree.includes("linux,kvm")) return "kvm";
  if (clues.deviceTree.includes("xen")) return "xen";
  return clues.hasHypervisorFlag ? "unknown" : undefined;
}

/** 32 hexadecimal digits, or undefined for an id that is not set yet. Source: machine-id(5). */
export function machineIdOf(text: string): string | undefined {
  const id = text.trim();
  return /^[0-9a-f]{32}$/.test(id) && !/^0+$/.test(id) ? id : undefined;
}
