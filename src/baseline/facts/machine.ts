import { type Device, oncePerDevice } from "../device.ts";

/** System call tables of the machine, as far as audit rules must know them. */
export interface Machine {
  /** The kernel's own table. */
  readonly native: "b64" | "b32";
  /** Programs of 32 bits run as well, by a table of their own. */
  readonly runsB32: boolean;
  /** Calls that the table of 64 bits lacks, for newer ones take their place. */
  readonly without: ReadonlySet<string>;
}

/** Calls that came before the `…at` ones. Source: Linux include/uapi/asm-generic/unistd.h. */
const OLD_CALLS = ["chmod", "chown", "creat", "lchown", "open", "rename", "unlink"];

/** Dynamic linkers, whose names tell of the machine. Source: gABI supplements; musl. */
const LINKERS: readonly (readonly [path: string, machine: string])[] = [
  ["/lib/ld-linux-aarch64.so.1", "aarch64"],
  ["/lib/ld-musl-aarch64.so.1", "aarch64"],
  ["/lib/ld-linux-riscv64-lp64d.so.1", "riscv64"],
  ["/lib/ld-musl-riscv64.so.1", "riscv64"],
  ["/lib64/ld-linux-x86-64.so.2", "x86_64"],
  ["/lib/ld-musl-x86_64.so.1", "x86_64"],
  ["/lib64/ld64.so.2", "ppc64le"],
  ["/lib/ld64.so.1", "s390x"],
];

function nameOf(device: Device): string {
  const arch = device.text("/proc/sys/kernel/arch");
  if (arch.state === "value" && arch.value.trim() !== "") return arch.value.trim();
  const known = LINKERS.find(([path]) => device.facts(path).state === "value");
  if (known !== undefined) return known[1];
  return device.facts("/lib64").state === "value" ? "x86_64" : "i686";
}

/** By the kernel's word where it gives one (Linux 6.1), or by the linker of its programs. */
export const machineOf = oncePerDevice((device): Machine => {
  const name = nameOf(device);
  const is64 = /64|s390x/.test(name);
  const isNew = /^(?:aarch64|riscv|loongarch)/.test(name);
  return {
    native: is64 ? "b64" : "b32",
    runsB32: is64 && !/^(?:riscv|loongarch)/.test(name),
    without: new Set(
      isNew ? [...OLD_CALLS, ...(name.startsWith("aarch64") ? [] : ["renameat"])] : [],
    ),
  };
});
