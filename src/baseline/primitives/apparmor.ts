import type { Device } from "../device.ts";
import { type Fact, mapFact, unreadableFact, valueFact } from "../fact.ts";
import { linesOfFiles, withoutComments } from "../facts/config-text.ts";
import { nameAndUser, processIds } from "../facts/running.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";

/** Profiles of AppArmor are there, none only complains, and no process runs outside of its profile. */
export interface AppArmorCheck {
  readonly test: "apparmor-enforced";
}

const LOADED = "/sys/kernel/security/apparmor/profiles";
const FOLDER = "/etc/apparmor.d";

/** Mode by name of profile. Source: AppArmor kernel interface (securityfs profiles), aa-status(8). */
function parseProfiles(text: string): Fact<ReadonlyMap<string, string>> {
  const modes = new Map<string, string>();
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const [, name, mode] = /^(.*) \((\w+)\)$/.exec(line.slice(0, 4096)) ?? [];
    if (name === undefined || mode === undefined) {
      return unreadableFact(`${LOADED}: a line that is no profile`);
    }
    modes.set(name, mode);
  }
  return valueFact(modes);
}

function loadedOutcome(device: Device): Outcome | undefined {
  if (!device.isLive) return undefined;
  const expected = "profiles, none in complain mode";
  const text = device.text(LOADED);
  if (text.state === "missing") {
    return decide(false, evidence(LOADED, expected, "AppArmor is not in force", "live"));
  }
  const modes = text.state === "value" ? parseProfiles(text.value) : text;
  if (modes.state !== "value") {
    return because("error", modes.state === "unreadable" ? modes.reason : LOADED);
  }
  if (modes.value.size === 0) return decide(false, evidence(LOADED, expected, "none", "live"));
  const lax = [...modes.value].find(([, mode]) => mode === "complain" || mode === "prompt");
  const found = lax === undefined ? `${modes.value.size} profiles` : `${lax[0]} (${lax[1]})`;
  return allOf([
    decide(lax === undefined, evidence(LOADED, expected, found, "live")),
    outsideOutcome(device, modes.value),
  ]);
}

/** A process that was started before its profile was loaded stays outside of it. */
function outsideOutcome(device: Device, modes: ReadonlyMap<string, string>): Outcome {
  const expected = "processes inside their profiles";
  const ids = processIds(device);
  if (ids.state === "unreadable") return because("error", ids.reason);
  for (const id of ids.state === "value" ? ids.value : []) {
    const program = device.link(`/proc/${id}/exe`);
    if (program.state !== "value" || modes.get(program.value) !== "enforce") continue;
    const own = device.kernelValue(`/proc/${id}/attr/apparmor/current`);
    const label = own.state === "value" ? own : device.kernelValue(`/proc/${id}/attr/current`);
    if (label.state !== "value" || label.value !== "unconfined") continue;
    const found = `${nameAndUser(device, id)?.name ?? program.value} is unconfined`;
    return decide(false, evidence(`/proc/${id}/attr/current`, expected, found, "live"));
  }
  return decide(true, evidence("/proc/*/attr/current", expected, "all of them", "live"));
}

/** Files whose profiles are not loaded, or not enforced, by a link of the same name. */
function linkedNames(device: Device, folder: string): Fact<ReadonlySet<string>> {
  const names = device.folder(`${FOLDER}/${folder}`);
  if (names.state === "missing") return valueFact(new Set());
  return mapFact(names, (all) => new Set(all));
}

/** Source: apparmor.d(5) (flags=), apparmor_parser(8) (disable, force-complain). */
function persistentOutcome(device: Device): Outcome {
  const expected = "profiles, none with the flag complain";
  const disabled = linkedNames(device, "disable");
  if (disabled.state !== "value") return because("error", `${FOLDER}/disable cannot be read`);
  const forced = linkedNames(device, "force-complain");
  if (forced.state !== "value") return because("error", `${FOLDER}/force-complain cannot be read`);
  const [name] = [...forced.value].filter((one) => !disabled.value.has(one)).sort();
  if (name !== undefined) {
    const place = `${FOLDER}/force-complain/${name}`;
    return decide(false, evidence(place, expected, "forced to complain", "persistent"));
  }
  const lines = linesOfFiles(device, [`${FOLDER}/*`]);
  if (lines.state === "unreadable") return because("error", lines.reason);
  if (lines.state === "missing") {
    return decide(false, evidence(FOLDER, expected, "no profile", "persistent"));
  }
  const lax = withoutComments(lines.value).find(
    ({ path, text }) =>
      /flags\s*=\s*\([^)]*\bcomplain\b/.test(text) &&
      !disabled.value.has(path.slice(FOLDER.length + 1)),
  );
  const found = lax === undefined ? "none" : lax.text;
  const place = lax === undefined ? FOLDER : `${lax.path}, line ${lax.number}`;
  return decide(lax === undefined, evidence(place, expected, found, "persistent"));
}

/** What is loaded now, and what the next start loads. */
export function judgeAppArmor(_check: AppArmorCheck, device: Device): Outcome {
  const live = loadedOutcome(device);
  const later = persistentOutcome(device);
  return live === undefined ? later : allOf([live, later]);
}
