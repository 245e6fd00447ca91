import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, mapFact, unreadableFact, valueFact } from "../fact.ts";
import { dropInFiles, linesOf, withoutComments } from "../facts/config-text.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";

/** A kernel module that must not be loadable. */
export interface KernelModuleCheck {
  readonly test: "module-blocked";
  readonly module: string;
}

/** Folders of modprobe, the strongest first. Source: modprobe.d(5). */
const FOLDERS = [
  "/etc/modprobe.d",
  "/run/modprobe.d",
  "/usr/local/lib/modprobe.d",
  "/usr/lib/modprobe.d",
  "/lib/modprobe.d",
];

interface ModprobeLine {
  readonly command: string;
  readonly module: string;
  readonly rest: string;
  readonly path: string;
}

/** `-` and `_` are the same in names of modules. Source: modprobe(8). */
function normal(name: string): string {
  return name.replaceAll("-", "_");
}

const modprobeLines = oncePerDevice((device): Fact<readonly ModprobeLine[]> => {
  const files = dropInFiles(device, FOLDERS, ".conf");
  if (files.state !== "value") return files;
  const lines: ModprobeLine[] = [];
  for (const path of files.value) {
    const text = device.text(path);
    if (text.state === "unreadable") return unreadableFact(text.reason);
    if (text.state === "missing") continue;
    for (const line of withoutComments(linesOf(path, text.value))) {
      const [command = "", module = "", ...rest] = line.text.split(/\s+/);
      lines.push({ command, module: normal(module), rest: rest.join(" "), path });
    }
  }
  return valueFact(lines);
});

const loadedModules = oncePerDevice(
  (device): Fact<ReadonlySet<string>> =>
    mapFact(
      device.text("/proc/modules"),
      (text) => new Set(text.split("\n").map((line) => normal(line.split(" ")[0] ?? ""))),
    ),
);

/** Names of modules that the running kernel has built in, and of those on disk. */
function listedModules(file: string) {
  return oncePerDevice((device): Fact<ReadonlySet<string>> => {
    const release = device.text("/proc/sys/kernel/osrelease");
    const releases =
      release.state === "value" ? valueFact([release.value.trim()]) : device.folder("/lib/modules");
    if (releases.state !== "value") return releases;
    const names = new Set<string>();
    for (const name of releases.value) {
      const text = device.text(`/lib/modules/${name}/${file}`);
      if (text.state === "unreadable") return text;
      if (text.state === "missing") continue;
      for (const line of text.value.split("\n")) {
        const stem = /([^/]+)\.ko(?:\.\w+)?(?::|\s*$)/.exec(line.slice(0, 512))?.[1];
        if (stem !== undefined) names.add(normal(stem));
      }
    }
    return valueFact(names);
  });
}

const builtInModules = listedModules("modules.builtin");
const modulesOnDisk = listedModules("modules.dep");

const REFUSALS = /^(?:\/usr)?\/bin\/(?:true|false)\b|^(?:true|false)\b/;

function isRefused(lines: readonly ModprobeLine[], module: string): ModprobeLine | undefined {
  return lines.find(
    (line) => line.command === "install" && line.module === module && REFUSALS.test(line.rest),
  );
}

/**
 * Not loaded, not built in, and refused by an `install … /bin/false` line. A blacklist line alone only
 * stops loading by alias, not by name. A module that is neither on disk nor built in cannot be loaded.
 */
export function judgeKernelModule(check: KernelModuleCheck, device: Device): Outcome {
  const module = normal(check.module);
  const lines = modprobeLines(device);
  const loaded = loadedModules(device);
  const builtIn = builtInModules(device);
  const onDisk = modulesOnDisk(device);
  for (const fact of [lines, loaded, builtIn, onDisk]) {
    if (fact.state === "unreadable") return because("error", fact.reason);
  }
  if (loaded.state === "missing" && onDisk.state === "missing" && device.isLive) {
    return because("not-applicable", "the kernel loads no modules");
  }
  const isLoaded = loaded.state === "value" && loaded.value.has(module);
  const isBuiltIn = builtIn.state === "value" && builtIn.value.has(module);
  const isAbsent = onDisk.state === "value" && onDisk.value.size > 0 && !onDisk.value.has(module);
  const refusal = lines.state === "value" ? isRefused(lines.value, module) : undefined;
  const found = isBuiltIn ? "built into the kernel" : isLoaded ? "loaded" : "not loaded";
  const later =
    refusal?.path ??
    (isBuiltIn ? "built into the kernel" : isAbsent ? "not on disk" : "no install line");
  const now = decide(
    !isLoaded && !isBuiltIn,
    evidence("/proc/modules", `${check.module} not loaded`, found, "live"),
  );
  const next = decide(
    !isBuiltIn && (refusal !== undefined || isAbsent),
    evidence("modprobe.d", `install ${check.module} /bin/false`, later, "persistent"),
  );
  return allOf(device.isLive ? [now, next] : [next]);
}
