import type { Device } from "../device.ts";
import {
  hasModprobe,
  installedModules,
  knownFilesystems,
  loadedModules,
  type ModprobeLine,
  modprobeLines,
  normalModule,
} from "../facts/kernel-modules.ts";
import { namePattern } from "../glob.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";

/** A kernel module that must be neither loaded nor loadable nor built in. */
export interface KernelModuleCheck {
  readonly test: "module-blocked";
  readonly module: string;
  /** The file system that it brings, by the name in /proc/filesystems. */
  readonly filesystem?: string;
}

/** Programs that do nothing, so that nothing is loaded. */
const REFUSAL = /^(?:(?:\/usr)?\/bin\/)?(?:true|false)(?:\s|$)/;

/** Modprobe runs the first install line that matches. Source: modprobe.d(5), kmod libkmod-module.c. */
function installLine(lines: readonly ModprobeLine[], module: string): ModprobeLine | undefined {
  return lines.find((line) => line.command === "install" && namePattern(line.module).test(module));
}

/**
 * Not loaded, not built in, and refused by an `install … /bin/false` line. A blacklist line alone only
 * stops loading by alias, not by name. A module that no installed kernel has cannot be loaded; where no
 * kernel is installed, as in an image that gets one later, the configuration alone decides.
 */
export function judgeKernelModule(check: KernelModuleCheck, device: Device): Outcome {
  return allOf([...liveOutcomes(check, device), persistentOutcome(check, device)]);
}

function liveOutcomes(check: KernelModuleCheck, device: Device): readonly Outcome[] {
  if (!device.isLive) return [];
  const name = normalModule(check.module);
  const loaded = loadedModules(device);
  if (loaded.state === "unreadable") return [because("error", loaded.reason)];
  const known = knownFilesystems(device);
  if (known.state === "unreadable") return [because("error", known.reason)];
  const expected = `${check.module} not in the kernel`;
  if (loaded.state === "value" && loaded.value.has(name)) {
    return [decide(false, evidence("/proc/modules", expected, "loaded", "live"))];
  }
  const { filesystem } = check;
  const isListed = known.state === "value" && filesystem !== undefined;
  if (isListed && known.value.has(filesystem)) {
    return [decide(false, evidence("/proc/filesystems", expected, "built in", "live"))];
  }
  const folder = `/sys/module/${name}`;
  if (device.facts(folder).state === "value") {
    return [decide(false, evidence(folder, expected, "built in", "live"))];
  }
  if (loaded.state === "missing" && !isListed) {
    return [because("not-applicable", "the kernel loads no modules")];
  }
  const found = loaded.state === "value" ? "not loaded" : "the kernel loads no modules";
  return [decide(true, evidence("/proc/modules", expected, found, "live"))];
}

function persistentOutcome(check: KernelModuleCheck, device: Device): Outcome {
  const name = normalModule(check.module);
  const expected = `install ${check.module} /bin/false`;
  const modules = installedModules(device);
  if (modules.state === "unreadable") return because("error", modules.reason);
  if (modules.state === "value" && modules.value.builtIn.has(name)) {
    const look = evidence("/lib/modules", `${check.module} not built in`, "built in", "persistent");
    return decide(false, look);
  }
  const lines = modprobeLines(device);
  if (lines.state === "unreadable") return because("error", lines.reason);
  const line = lines.state === "value" ? installLine(lines.value, name) : undefined;
  if (line !== undefined && REFUSAL.test(line.rest)) {
    return decide(true, evidence(line.path, expected, `install ${line.rest}`, "persistent"));
  }
  const place = line?.path ?? "modprobe.d";
  if (modules.state === "value" && !modules.value.onDisk.has(name)) {
    return decide(true, evidence(place, expected, "no such module", "persistent"));
  }
  const modprobe = hasModprobe(device);
  if (modprobe.state === "unreadable") return because("error", modprobe.reason);
  const isConfigured = modprobe.state === "value" && modprobe.value;
  const isMonolithic = device.isLive && loadedModules(device).state === "missing";
  if (modules.state === "missing" && (isMonolithic || !isConfigured)) {
    return because("not-applicable", "no kernel modules here");
  }
  return decide(false, evidence(place, expected, line?.rest ?? "no install line", "persistent"));
}
