import { type Device, oncePerDevice } from "../../device.ts";
import { type Fact, MISSING, mapFact, unreadableFact, valueFact } from "../../fact.ts";
import { liveMounts } from "../../facts/mounts.ts";
import { unitFile, unitTexts } from "../../facts/units.ts";

/** Paths of sockets that listen. Source: proc_net(5), /proc/net/unix: flag 0x10000 is __SO_ACCEPTCON. */
const listeningPaths = oncePerDevice(
  (device): Fact<ReadonlySet<string>> =>
    mapFact(device.text("/proc/net/unix"), (text) => {
      const fields = text.split("\n").map((line) => line.trim().split(/\s+/));
      return new Set(fields.filter((one) => one[3] === "00010000").map((one) => one[7] ?? ""));
    }),
);

/** What a socket unit listens on: `ListenStream=` and the like. Source: systemd.socket(5). */
function listenPlaces(texts: readonly string[]): readonly string[] {
  const places: string[] = [];
  for (const text of texts) {
    for (const line of text.split("\n")) {
      const [, value] = /^\s*Listen(?:Stream|Datagram)\s*=\s*(.*)$/.exec(line.slice(0, 4096)) ?? [];
      if (value === "") places.length = 0;
      else if (value !== undefined) places.push(value.trim());
    }
  }
  return places;
}

/** A socket unit is active when what it names is listened on. Missing: it names nothing that can be seen. */
function isSocketActive(device: Device, unit: string): Fact<boolean> {
  const texts = unitTexts(device, unit);
  if (texts.state !== "value") return texts;
  const paths = listeningPaths(device);
  const sockets = device.sockets();
  if (paths.state === "unreadable") return paths;
  if (sockets.state !== "value") return unreadableFact("the sockets cannot be listed");
  const places = listenPlaces(texts.value);
  const answers = places.map((place) => {
    if (place.startsWith("/")) {
      const path = place.replace(/^\/var\/run\//, "/run/").replace("%t", "/run");
      return paths.state === "value" && paths.value.has(path);
    }
    const [, port] = /^(?:.*:)?(\d{1,5})$/.exec(place) ?? [];
    if (port === undefined) return undefined;
    return sockets.value.sockets.some((one) => one.localPort === Number(port));
  });
  if (answers.includes(true)) return valueFact(true);
  return answers.length === 0 || answers.includes(undefined) ? MISSING : valueFact(false);
}

/** `/var/log` for `var-log.mount`. Source: systemd.unit(5), String escaping. */
function mountPath(unit: string): string {
  const name = unit.replace(/\.mount$/, "");
  if (name === "-") return "/";
  const parts = name
    .replaceAll("-", "/")
    .replace(/\\x([0-9a-f]{2})/gi, (_all, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  return `/${parts}`;
}

/**
 * Whether systemd holds a unit active. A service that runs has a link with its invocation, which goes when it
 * ends; a mount is active while it is mounted. Missing: no file tells it of this unit (timers, targets,
 * some sockets). Source: systemd unit.c, unit_export_state_files and unit_unlink_state_files.
 */
export function isUnitActive(device: Device, unit: string): Fact<boolean> {
  if (device.linkFacts(`/run/systemd/units/invocation:${unit}`).state === "value")
    return valueFact(true);
  if (unit.endsWith(".service")) return valueFact(false);
  if (unit.endsWith(".mount")) {
    const path = mountPath(unit);
    return mapFact(liveMounts(device), (mounts) => mounts.some((mount) => mount.path === path));
  }
  const file = unitFile(device, unit);
  if (file.state === "unreadable") return file;
  if (file.state === "missing" || file.value.isMasked) return valueFact(false);
  return unit.endsWith(".socket") ? isSocketActive(device, unit) : MISSING;
}
