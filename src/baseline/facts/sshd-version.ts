import { type Device, oncePerDevice } from "../device.ts";
import { packages } from "./packages.ts";

/** Major and minor version of OpenSSH, such as 9.2. */
export interface SshdVersion {
  readonly major: number;
  readonly minor: number;
}

/** Packages that bring the server, on Debian, Alpine, OpenWrt and others. */
const NAMES = ["openssh-server", "openssh", "openssh-server-pam"];
/** Programs that came with a version. Source: OpenSSH release notes 9.8 and 10.0. */
const SIGNS: readonly (readonly [name: string, version: SshdVersion])[] = [
  ["sshd-auth", { major: 10, minor: 0 }],
  ["sshd-session", { major: 9, minor: 8 }],
];
const FOLDERS = ["/usr/lib/openssh", "/usr/libexec/openssh", "/usr/lib/ssh", "/usr/libexec"];

/** `1:9.2p1-2+deb12u3` */
export function parseSshdVersion(text: string): SshdVersion | undefined {
  const match = /^(?:\d+:)?(\d{1,3})\.(\d{1,3})/.exec(text);
  if (match === null) return undefined;
  return { major: Number(match[1]), minor: Number(match[2]) };
}

/** True when the one is not older than the other. */
export function isAtLeast(version: SshdVersion, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}

function fromPackages(device: Device): SshdVersion | undefined {
  const list = packages(device);
  if (list.state !== "value") return undefined;
  for (const name of NAMES) {
    const version = parseSshdVersion(list.value.versions.get(name) ?? "");
    if (version !== undefined) return version;
  }
  return undefined;
}

/** The version of the server, or at least this one; undefined where nothing tells. */
export const sshdVersion = oncePerDevice((device): SshdVersion | undefined => {
  const known = fromPackages(device);
  if (known !== undefined) return known;
  const sign = SIGNS.find(([name]) =>
    FOLDERS.some((folder) => device.facts(`${folder}/${name}`).state === "value"),
  );
  return sign?.[1];
});
