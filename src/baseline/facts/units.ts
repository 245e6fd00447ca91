import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, MISSING, unreadableFact, valueFact } from "../fact.ts";

/** What starts a service at boot. */
export interface ServiceState {
  /** A unit file or start script is there. */
  readonly isKnown: boolean;
  /** Something starts it at boot or on demand. */
  readonly isEnabled: boolean;
  readonly isMasked: boolean;
  /** What says so. */
  readonly origin: string;
}

/** Search path of unit files, the strongest first. Source: systemd.unit(5). */
export const UNIT_FOLDERS = [
  "/etc/systemd/system.control",
  "/run/systemd/system.control",
  "/etc/systemd/system",
  "/run/systemd/system",
  "/run/systemd/generator",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
  "/run/systemd/generator.late",
];

type InitSystem = "systemd" | "openrc" | "sysv";

interface Wanted {
  /** Names of units that `.wants`, `.requires` and `.upholds` folders hold, with the folder. */
  readonly names: ReadonlyMap<string, string>;
}

/** Which init system the files belong to. Missing: none that is known. */
export const initSystem = oncePerDevice((device): Fact<InitSystem> => {
  for (const folder of ["/usr/lib/systemd/system", "/lib/systemd/system"]) {
    if (device.facts(folder).state === "value") return valueFact("systemd");
  }
  if (device.facts("/etc/runlevels").state === "value") return valueFact("openrc");
  return device.facts("/etc/init.d").state === "value" ? valueFact("sysv") : MISSING;
});

const wantedUnits = oncePerDevice((device): Fact<Wanted> => {
  const names = new Map<string, string>();
  for (const folder of UNIT_FOLDERS) {
    const entries = device.folder(folder);
    if (entries.state === "unreadable") return entries;
    for (const entry of entries.state === "value" ? entries.value : []) {
      if (!/\.(?:wants|requires|upholds)$/.test(entry)) continue;
      const inner = device.folder(`${folder}/${entry}`);
      if (inner.state === "unreadable") return inner;
      for (const name of inner.state === "value" ? inner.value : []) {
        if (!names.has(name)) names.set(name, `${folder}/${entry}`);
      }
    }
  }
  return valueFact({ names });
});

/** `getty@.service` for `getty@tty1.service`. */
function templateOf(unit: string): string | undefined {
  const match = /^([^@]+@)[^.]+(\.\w+)$/.exec(unit);
  return match === null ? undefined : `${match[1]}${match[2]}`;
}

/** The file of a unit, aliases followed. `masked`: a link to /dev/null or an empty file. */
export function unitFile(
  device: Device,
  unit: string,
): Fact<{ readonly path: string; readonly isMasked: boolean }> {
  const names = [unit, templateOf(unit)].filter((name) => name !== undefined);
  for (const name of names) {
    for (const folder of UNIT_FOLDERS) {
      const path = `${folder}/${name}`;
      const target = device.link(path);
      if (target.state === "value" && target.value === "/dev/null") {
        return valueFact({ path, isMasked: true });
      }
      const facts = device.facts(path);
      if (facts.state === "unreadable") return unreadableFact(facts.reason);
      if (facts.state === "missing") continue;
      const isEmpty = facts.value.kind === "device" || facts.value.sizeBytes === 0;
      return valueFact({ path, isMasked: isEmpty });
    }
  }
  return MISSING;
}

function systemdState(device: Device, unit: string): Fact<ServiceState> {
  const file = unitFile(device, unit);
  if (file.state === "unreadable") return file;
  const wanted = wantedUnits(device);
  if (wanted.state !== "value") return wanted;
  const origin = wanted.value.names.get(unit);
  const path = file.state === "value" ? file.value.path : "";
  const isMasked = file.state === "value" && file.value.isMasked;
  const isKnown = file.state === "value";
  return valueFact({
    isKnown,
    isMasked,
    isEnabled: isKnown && !isMasked && origin !== undefined,
    origin: isMasked ? path : (origin ?? path),
  });
}

function openrcState(device: Device, name: string): Fact<ServiceState> {
  const script = `/etc/init.d/${name}`;
  const levels = device.folder("/etc/runlevels");
  if (levels.state === "unreadable") return levels;
  for (const level of levels.state === "value" ? levels.value : []) {
    const link = `/etc/runlevels/${level}/${name}`;
    if (device.linkFacts(link).state === "value") {
      return valueFact({ isKnown: true, isEnabled: true, isMasked: false, origin: link });
    }
  }
  const isKnown = device.facts(script).state === "value";
  return valueFact({ isKnown, isEnabled: false, isMasked: false, origin: script });
}

function sysvState(device: Device, name: string): Fact<ServiceState> {
  const script = `/etc/init.d/${name}`;
  // OpenWrt has the one folder rc.d.
  for (const level of ["S", "2", "3", "4", "5", ""]) {
    const folder = `/etc/rc${level}.d`;
    const links = device.folder(folder);
    if (links.state === "unreadable") return links;
    const found = (links.state === "value" ? links.value : []).find(
      (link) => /^S\d\d/.test(link) && link.slice(3) === name,
    );
    if (found !== undefined) {
      return valueFact({
        isKnown: true,
        isEnabled: true,
        isMasked: false,
        origin: `${folder}/${found}`,
      });
    }
  }
  const isKnown = device.facts(script).state === "value";
  return valueFact({ isKnown, isEnabled: false, isMasked: false, origin: script });
}

/**
 * State of a service by the name of its unit (`cron.service`); OpenRC and System V know it by the first
 * part. Missing: no init system is known. Source: systemctl(1) (is-enabled), rc-update(8), init-d-script(5).
 */
export function serviceState(device: Device, unit: string): Fact<ServiceState> {
  const init = initSystem(device);
  if (init.state !== "value") return init;
  if (init.value === "systemd") return systemdState(device, unit);
  const name = unit.replace(/\.\w+$/, "");
  return init.value === "openrc" ? openrcState(device, name) : sysvState(device, name);
}

/** Texts of a unit's file and of its drop-ins, in the order in which they count. */
export function unitTexts(device: Device, unit: string): Fact<readonly string[]> {
  const file = unitFile(device, unit);
  if (file.state !== "value") return file;
  const main = device.text(file.value.path);
  if (main.state === "unreadable") return main;
  const byName = new Map<string, string>();
  for (const folder of UNIT_FOLDERS) {
    const names = device.folder(`${folder}/${unit}.d`);
    for (const name of names.state === "value" ? names.value : []) {
      if (name.endsWith(".conf") && !byName.has(name))
        byName.set(name, `${folder}/${unit}.d/${name}`);
    }
  }
  const texts = main.state === "value" ? [main.value] : [];
  for (const name of [...byName.keys()].sort()) {
    const text = device.text(byName.get(name) ?? "");
    if (text.state === "unreadable") return text;
    if (text.state === "value") texts.push(text.value);
  }
  return valueFact(texts);
}
