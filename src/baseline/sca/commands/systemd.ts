import { type Device, oncePerDevice } from "../../device.ts";
import { type Fact, MISSING, valueFact } from "../../fact.ts";
import { packages } from "../../facts/packages.ts";
import { UNIT_FOLDERS, unitFile } from "../../facts/units.ts";
import {
  type CommandOutput,
  complained,
  needsRunningDevice,
  notKnown,
  partlyPrinted,
  printedLines,
  unreadable,
} from "./output.ts";
import { isUnitActive } from "./unit-activity.ts";

/** State of a unit file as systemctl names it. Source: systemctl(1), is-enabled. */
interface UnitFileState {
  readonly word: string;
}

const NOT_BOOTED = [
  "System has not been booted with systemd as init system (PID 1). Can't operate.",
  "Failed to connect to bus: Host is down",
];

const CONFIG_FOLDERS = ["/etc/systemd/system", "/run/systemd/system"];

/** `cron.service` for `cron`. */
function unitName(name: string): string {
  return /\.(?:service|socket|target|device|mount|automount|swap|path|timer|slice|scope)$/.test(
    name,
  )
    ? name
    : `${name}.service`;
}

/** Names of links in `.wants`, `.requires` and `.upholds` folders and of aliases, each with its folder. */
const enablingLinks = oncePerDevice((device): Fact<ReadonlyMap<string, string>> => {
  const found = new Map<string, string>();
  for (const folder of CONFIG_FOLDERS) {
    const names = device.folder(folder);
    if (names.state === "unreadable") return names;
    for (const name of names.state === "value" ? names.value : []) {
      const path = `${folder}/${name}`;
      const target = device.link(path);
      if (target.state === "value" && target.value !== "/dev/null") {
        const aim = target.value.slice(target.value.lastIndexOf("/") + 1);
        // A link of another name is an alias; one of the same name links a unit file that lies elsewhere.
        if (aim !== name && !found.has(aim)) found.set(aim, folder);
      }
      if (!/\.(?:wants|requires|upholds)$/.test(name)) continue;
      const inner = device.folder(path);
      if (inner.state === "unreadable") return inner;
      for (const unit of inner.state === "value" ? inner.value : [])
        if (!found.has(unit)) found.set(unit, folder);
    }
  }
  return valueFact(found);
});

/** Keys of the [Install] section that have a value. */
function installKeys(text: string): ReadonlySet<string> {
  const keys = new Set<string>();
  let isInstall = false;
  for (const line of text.split("\n")) {
    const [, section] = /^\s*\[([^\]]*)\]/.exec(line.slice(0, 4096)) ?? [];
    if (section !== undefined) isInstall = section === "Install";
    const [, key] = /^\s*(\w+)\s*=\s*\S/.exec(line.slice(0, 4096)) ?? [];
    if (isInstall && key !== undefined) keys.add(key);
  }
  return keys;
}

function byName(device: Device, unit: string, path: string): Fact<UnitFileState> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const target = device.link(path);
  if (target.state === "value") {
    const aim = target.value.slice(target.value.lastIndexOf("/") + 1);
    if (aim !== name) {
      const aimed = unitFile(device, aim);
      const isMasked = aimed.state === "value" && aimed.value.isMasked;
      return valueFact({ word: isMasked ? "masked" : "alias" });
    }
  }
  const links = enablingLinks(device);
  if (links.state !== "value") return links;
  // A template is enabled by any of its instances.
  const stem = unit.includes("@.") ? unit.slice(0, unit.indexOf("@.") + 1) : undefined;
  const instance = [...links.value.keys()].find(
    (one) => stem !== undefined && one.startsWith(stem),
  );
  const by = links.value.get(unit) ?? links.value.get(instance ?? "");
  if (by !== undefined)
    return valueFact({ word: by.startsWith("/run/") ? "enabled-runtime" : "enabled" });
  if (/^\/run\/systemd\/generator/.test(path)) return valueFact({ word: "generated" });
  if (path.startsWith("/run/systemd/transient/")) return valueFact({ word: "transient" });
  const text = device.text(path);
  if (text.state === "unreadable") return text;
  const keys = installKeys(text.state === "value" ? text.value : "");
  if (["WantedBy", "RequiredBy", "UpheldBy", "Alias"].some((key) => keys.has(key)))
    return valueFact({ word: target.state === "value" ? "linked" : "disabled" });
  return valueFact({
    word: keys.has("Also") || keys.has("DefaultInstance") ? "indirect" : "static",
  });
}

/** A start script that systemd-sysv-generator makes a unit of is asked through update-rc.d. */
function sysvState(device: Device, unit: string): Fact<UnitFileState> {
  const name = unit.replace(/\.service$/, "");
  if (device.facts(`/etc/init.d/${name}`).state !== "value") return MISSING;
  for (const level of ["5", "2", "3", "4"]) {
    const links = device.folder(`/etc/rc${level}.d`);
    if (links.state === "unreadable") return links;
    const isStarted = (links.state === "value" ? links.value : []).some(
      (link) => /^S\d\d/.test(link) && link.slice(3) === name,
    );
    if (isStarted) return valueFact({ word: "enabled" });
  }
  return valueFact({ word: "disabled" });
}

function unitFileState(device: Device, unit: string): Fact<UnitFileState> {
  const file = unitFile(device, unit);
  if (file.state === "unreadable") return file;
  if (file.state === "missing")
    return unit.endsWith(".service") ? sysvState(device, unit) : MISSING;
  const { path, isMasked } = file.value;
  if (isMasked) return valueFact({ word: path.startsWith("/run/") ? "masked-runtime" : "masked" });
  return byName(device, unit, path);
}

function isBooted(device: Device): boolean {
  return device.facts("/run/systemd/system").state === "value";
}

/** Version of systemd; undefined: not known. */
function managerVersion(device: Device): number | undefined {
  const list = packages(device);
  const version = list.state === "value" ? list.value.versions.get("systemd") : undefined;
  const [, digits] = /^(?:\d+:)?(\d{1,4})/.exec(version ?? "") ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function isEnabledOutput(units: readonly string[], device: Device): CommandOutput {
  const errors: string[] = [];
  const words: string[] = [];
  for (const unit of units.map(unitName)) {
    const state = unitFileState(device, unit);
    if (state.state === "unreadable") return unreadable(state.reason);
    if (state.state === "value") words.push(state.value.word);
    else if ((managerVersion(device) ?? 0) >= 254) words.push("not-found");
    else {
      // Before systemd 254 the first unit that is not there ends it.
      errors.push(`Failed to get unit file state for ${unit}: No such file or directory`);
      break;
    }
  }
  return printedLines(words, errors);
}

function isActiveOutput(units: readonly string[], device: Device): CommandOutput {
  const lines: string[] = [];
  for (const unit of units.map(unitName)) {
    const isActive = isUnitActive(device, unit);
    if (isActive.state === "unreadable") return unreadable(isActive.reason);
    if (isActive.state === "missing") return notKnown(`whether ${unit} is active is in no file`);
    lines.push(isActive.value ? "active" : "inactive");
  }
  // A unit that failed is shown as one that is not active.
  return partlyPrinted(lines, ["active"]);
}

function showOutput(units: readonly string[], device: Device): CommandOutput {
  const lines: string[] = [];
  let isActivityKnown = true;
  for (const [index, name] of units.entries()) {
    const unit = unitName(name);
    const state = unitFileState(device, unit);
    if (state.state === "unreadable") return unreadable(state.reason);
    const word = state.state === "value" ? state.value.word : "";
    const isMasked = word.startsWith("masked");
    const load = state.state === "missing" ? "not-found" : isMasked ? "masked" : "loaded";
    const isActive = isUnitActive(device, unit);
    if (index > 0) lines.push("");
    lines.push(`Id=${unit}`, `LoadState=${load}`);
    if (isActive.state === "value")
      lines.push(`ActiveState=${isActive.value ? "active" : "inactive"}`);
    else isActivityKnown = false;
    lines.push(`UnitFileState=${word}`);
  }
  const known = ["LoadState", "UnitFileState", "Id="];
  return partlyPrinted(lines, isActivityKnown ? [...known, "ActiveState"] : known);
}

function statusOutput(units: readonly string[], device: Device): CommandOutput {
  const lines: string[] = [];
  const errors: string[] = [];
  for (const unit of units.map(unitName)) {
    const state = unitFileState(device, unit);
    const isActive = isUnitActive(device, unit);
    if (state.state === "unreadable") return unreadable(state.reason);
    if (state.state === "missing") errors.push(`Unit ${unit} could not be found.`);
    else if (isActive.state !== "value") return notKnown(`whether ${unit} is active is in no file`);
    else lines.push(`* ${unit}`, `     Active: ${isActive.value ? "active" : "inactive (dead)"}`);
  }
  return partlyPrinted(lines, ["Active:", "could not be found"], errors);
}

/** Names of units that files define. */
function unitFileNames(device: Device): Fact<readonly string[]> {
  const names = new Set<string>();
  for (const folder of UNIT_FOLDERS) {
    const entries = device.folder(folder);
    if (entries.state === "unreadable") return entries;
    for (const entry of entries.state === "value" ? entries.value : [])
      if (unitName(entry) === entry) names.add(entry);
  }
  return valueFact([...names].sort());
}

function listUnitFiles(device: Device): CommandOutput {
  const names = unitFileNames(device);
  if (names.state !== "value") return unreadable("unit files cannot be listed");
  const lines = ["UNIT FILE STATE PRESET"];
  for (const name of names.value) {
    const state = unitFileState(device, name);
    if (state.state === "unreadable") return unreadable(state.reason);
    if (state.state === "value") lines.push(`${name.padEnd(30)} ${state.value.word.padEnd(8)} -`);
  }
  return partlyPrinted(lines, [".service", ".socket", ".timer", ".target", ".mount", ".path"]);
}

function listUnits(device: Device): CommandOutput {
  const entries = device.folder("/run/systemd/units");
  if (entries.state === "unreadable") return unreadable(entries.reason);
  const units = (entries.state === "value" ? entries.value : []).flatMap((name) =>
    name.startsWith("invocation:") ? [name.slice(11)] : [],
  );
  const lines = units.map((unit) => `  ${unit.padEnd(30)} loaded active running ${unit}`);
  return partlyPrinted(["  UNIT LOAD ACTIVE SUB DESCRIPTION", ...lines], [".service"]);
}

/** systemctl: what files and links tell of units. Source: systemctl(1). */
export function systemctlCommand(args: readonly string[], device: Device): CommandOutput {
  const [verb = "list-units", ...rest] = args.filter(
    (word) => !/^--(?:no-pager|full|all|quiet)$/.test(word),
  );
  const units = rest.filter((word) => !word.startsWith("-"));
  if (units.length < rest.length || units.some((unit) => /[*?[]/.test(unit)))
    return notKnown(`systemctl ${args.join(" ")}: a form that is not known here`);
  if (verb === "is-enabled" && units.length > 0) return isEnabledOutput(units, device);
  if (verb === "list-unit-files" && units.length === 0) return listUnitFiles(device);
  const live = new Map([
    ["is-active", isActiveOutput],
    ["show", showOutput],
    ["status", statusOutput],
    ["list-units", (_units: readonly string[], one: Device) => listUnits(one)],
  ]).get(verb);
  if (live === undefined || (units.length === 0) !== (verb === "list-units"))
    return notKnown(`systemctl ${args.join(" ")}: a form that is not known here`);
  if (!device.isLive) return needsRunningDevice(`systemctl ${verb}`);
  return isBooted(device) ? live(units, device) : complained(...NOT_BOOTED);
}
