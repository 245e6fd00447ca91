import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, unreadableFact, valueFact } from "../fact.ts";
import type { PackageList } from "./package-list.ts";
import { rpmPackages } from "./rpm-packages.ts";

const DPKG = "/var/lib/dpkg/status";
const DPKG_FOLDER = "/var/lib/dpkg/status.d";
const APK = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];
const OPKG = ["/var/lib/opkg/status", "/usr/lib/opkg/status", "/var/lib/opkg/info/status"];

/**
 * Installed packages. Missing: no database is known here; unreadable: there is one that cannot be read.
 * Source: deb822(5), dpkg(1) (status file), apk v2 database, opkg; that of rpm: see `rpmPackages`.
 */
export const packages = oncePerDevice((device): Fact<PackageList> => {
  const dpkg = device.text(DPKG);
  if (dpkg.state !== "missing") return listOf(DPKG, dpkg, parseStanzas);
  const distroless = device.folder(DPKG_FOLDER);
  if (distroless.state === "value") return fromFolder(device, distroless.value);
  for (const path of APK) {
    const text = device.text(path);
    if (text.state !== "missing") return listOf(path, text, parseApk);
  }
  for (const path of OPKG) {
    const text = device.text(path);
    if (text.state !== "missing") return listOf(path, text, parseStanzas);
  }
  return rpmPackages(device);
});

function listOf(
  source: string,
  text: Fact<string>,
  parse: (text: string) => ReadonlyMap<string, string> | string,
): Fact<PackageList> {
  if (text.state !== "value") return text;
  const versions = parse(text.value);
  if (typeof versions === "string") return unreadableFact(`${source}: ${versions}`);
  return valueFact({ source, versions });
}

function fromFolder(device: Device, names: readonly string[]): Fact<PackageList> {
  const versions = new Map<string, string>();
  for (const name of names) {
    const text = device.text(`${DPKG_FOLDER}/${name}`);
    if (text.state === "unreadable") return text;
    // Files of the older form carry no Status line: being there is being installed.
    if (text.state === "value") versions.set(name.replace(/\.md5sums$/, ""), "");
  }
  return valueFact({ source: DPKG_FOLDER, versions });
}

function parseStanzas(text: string): ReadonlyMap<string, string> | string {
  const versions = new Map<string, string>();
  let name = "";
  let version = "";
  let isInstalled = false;
  let stanzas = 0;
  const close = (): void => {
    if (name !== "" && isInstalled) versions.set(name, version);
    name = "";
    version = "";
    isInstalled = false;
  };
  for (const line of text.split("\n")) {
    if (line === "") close();
    else if (line.startsWith("Package: ")) {
      // A file cut in two may lack the blank line.
      close();
      stanzas += 1;
      name = line.slice(9).trim();
    } else if (line.startsWith("Status: "))
      isInstalled = /\s(?:installed|unpacked|half-configured|triggers-\w+)\s*$/.test(line);
    else if (line.startsWith("Version: ")) version = line.slice(9).trim();
  }
  close();
  return stanzas === 0 && text.trim() !== "" ? "holds no package" : versions;
}

function parseApk(text: string): ReadonlyMap<string, string> | string {
  const versions = new Map<string, string>();
  let name = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("P:")) {
      name = line.slice(2).trim();
      versions.set(name, "");
    } else if (line.startsWith("V:") && name !== "") versions.set(name, line.slice(2).trim());
    else if (line === "") name = "";
  }
  return versions.size === 0 && text.trim() !== "" ? "holds no package" : versions;
}
