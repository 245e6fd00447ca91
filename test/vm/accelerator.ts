/** Whether QEMU may use the processor's own virtualisation, found out by trying it. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";

export type Accelerator = "kvm" | "tcg";

const PROBE_DEADLINE_MS = 3_000;

/**
 * `kvm` where a guest was seen to execute code with it, else `tcg`. The presence of `/dev/kvm` is not
 * enough: there are hosts whose module starts a firmware but never a kernel, hence the look at the
 * processor's flags; on others the device exists and opening a machine fails, hence the firmware's own
 * words. `GATEWARDEN_VM_ACCELERATOR=tcg` leaves KVM alone.
 */
export function accelerator(): Accelerator {
  if (process.env["GATEWARDEN_VM_ACCELERATOR"] === "tcg") return "tcg";
  return hasDevice() && hasFlag() && firmwareSpeaks() ? "kvm" : "tcg";
}

function hasDevice(): boolean {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function hasFlag(): boolean {
  return /\b(vmx|svm)\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
}

function firmwareSpeaks(): boolean {
  const args = [
    ...["-accel", "kvm", "-cpu", "host", "-machine", "q35", "-m", "64", "-nodefaults"],
    ...["-display", "none", "-no-reboot", "-chardev", "stdio,id=debug"],
    ...["-device", "isa-debugcon,iobase=0x402,chardev=debug"],
  ];
  const { stdout } = spawnSync("qemu-system-x86_64", args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: PROBE_DEADLINE_MS,
    killSignal: "SIGKILL",
  });
  return (stdout ?? "").includes("SeaBIOS");
}
