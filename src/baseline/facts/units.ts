import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, MISSING, mapFact, unreadableFact, valueFact } from "../fact.ts";

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
  const signs = [
    ["/usr/lib/systemd/system", "systemd"],
    ["/lib/systemd/system", "systemd"],
    ["/etc/runlevels", "openrc"],
    ["/etc/init.d", "sysv"],
  ] as const;
  for (const [folder, system] of signs) {
    const facts = device.facts(folder);
    if (facts.state === "unreadable") return facts;
    if (facts.state === "value") return valueFact(system);
  }
  return MISSING;
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
        const place = `${folder}/${entry}`;
        if (!names.has(name)) names.set(name, place);
        // A link by an alias starts the unit that it leads to.
        const target = device.link(`${place}/${name}`);
        const real = target.state === "value" ? target.value.replace(/^.*\//, "") : name;
        if (!names.has(real)) names.set(real, place);
      }
    }
  }
  return valueFact({ names });
});

/** Whether something starts a systemd unit at boot. */
export function isUnitWanted(device: Device, unit: string): Fact<boolean> {
  return mapFact(wantedUnits(device), (wanted) => wanted.names.has(unit));
}

/** `getty@.service` for `getty@tty1.service`. */
function templateOf(unit: string): string | undefined {
  const match = /^([^@]+@)[^.]+(\.\w+)$/.exec(unit);
  return match === null ? undefined : `${match[1]}${match[2]}`;
}

/** Folders that hold a name, the strongest first: asking each folder for each unit would take long. */
const unitPlaces = oncePerDevice((device): Fact<ReadonlyMap<string, readonly string[]>> => {
  const places = new Map<string, string[]>();
  for (const folder of UNIT_FOLDERS) {
    const names = device.folder(folder);
    if (names.state === "unreadable") return names;
    for (const name of names.state === "value" ? names.value : []) {
      const known = places.get(name);
      if (known === undefined) places.set(name, [folder]);
      else known.push(folder);
    }
  }
  return valueFact(places);
});

/** The file of a unit, aliases followed. `masked`: a link to /dev/null or an empty file. */
export function unitFile(
  device: Device,
  unit: string,
): Fact<{ readonly path: string; readonly isMasked: boolean }> {
  const places = unitPlaces(device);
  if (places.state !== "value") return places;
  const names = [unit, templateOf(unit)].filter((name) => name !== undefined);
  for (const name of names) {
    for (const folder of places.value.get(name) ?? []) {
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

/** Folders of start links; the last one is that of OpenWrt. Source: init-d-script(5), OpenWrt procd. */
const START_FOLDERS = ["S", "2", "3", "4", "5"]
  .map((level) => `/etc/rc${level}.d`)
  .concat("/etc/rc.d");

function sysvState(device: Device, name: string): Fact<ServiceState> {
  const script = `/etc/init.d/${name}`;
  for (const folder of START_FOLDERS) {
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
  const name = unit.replace(/\.\w+$/, "");
  if (init.value === "systemd") {
    const state = systemdState(device, unit);
    // Units are made of start scripts that have none. Source: systemd-sysv-generator(8).
    const isScript = state.state === "value" && !state.value.isKnown && unit.endsWith(".service");
    return isScript ? sysvState(device, name) : state;
  }
  return init.value === "openrc" ? openrcState(device, name) : sysvState(device, name);
}

/** Texts of a unit's file and of its drop-ins, in the order in which they count. */
export function unitTexts(device: Device, unit: string): Fact<readonly string[]> {
  const file = unitFile(device, unit);
  if (file.state !== "value") return file;
  const main = device.text(file.value.path);
  if (main.state === "unreadable") return main;
  const byName = new Map<string, string>();
  const places = unitPlaces(device);
  if (places.state !== "value") return places;
  for (const folder of places.value.get(`${unit}.d`) ?? []) {
    const names = device.folder(`${folder}/${unit}.d`);
    if (names.state === "unreadable") return names;
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
