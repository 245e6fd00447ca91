/** Root file systems of Debian from Debian's packages, as folders: plain, and hardened by our script. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sourcesOfThisMachine } from "../vm/apt-sources.ts";

export type Release = "bookworm" | "trixie";

export interface DebianRoots {
  readonly plain: string;
  readonly hardened: string;
}

/** What a gateway has, and what the remediations ask to be installed. */
const PACKAGES = [
  ...["systemd-sysv", "udev", "kmod", "procps", "iproute2", "login", "passwd", "sudo"],
  ...["openssh-server", "cron", "rsyslog", "logrotate", "auditd", "chrony", "nftables", "iptables"],
  ...["apparmor", "aide", "aide-common", "libpam-pwquality", "libpam-modules", "tcpd"],
];
const BUILD_DEADLINE_MS = 900_000;
const HARDEN = fileURLToPath(new URL("harden.sh", import.meta.url));

/** Why no roots can be made here; false when they can. */
export function whyNoRoots(): string | false {
  if (process.getuid?.() !== 0) return "only root can make root file systems";
  const found = spawnSync("which", ["mmdebstrap"]).status === 0;
  return found ? false : "not installed: mmdebstrap";
}

/** Both roots of a release, made when they are not there: a minute, and 500 MB each. */
export function debianRoots(release: Release): DebianRoots {
  const cache = process.env["GATEWARDEN_VM_CACHE"] ?? join(homedir(), ".cache", "gatewarden-vm");
  mkdirSync(cache, { recursive: true });
  const plain = join(cache, `root-${release}-${hashOf(PACKAGES.join(" "))}`);
  if (!existsSync(plain)) makeInPlace(plain, (folder) => install(release, folder));
  const hardened = `${plain}-hardened-${hashOf(readFileSync(HARDEN, "utf8"))}`;
  if (!existsSync(hardened)) {
    makeInPlace(hardened, (folder) => {
      execFileSync("cp", ["-a", "--reflink=auto", plain, folder]);
      execFileSync("bash", [HARDEN, folder], { stdio: ["ignore", "ignore", "inherit"] });
    });
  }
  return { plain, hardened };
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** A folder with its name is complete. */
function makeInPlace(folder: string, make: (part: string) => void): void {
  const part = `${folder}.${process.pid}.part`;
  rmSync(part, { recursive: true, force: true });
  try {
    make(part);
    renameSync(part, folder);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

function install(release: Release, folder: string): void {
  const list = `${folder}.list`;
  const sources = sourcesOfThisMachine(release);
  writeFileSync(list, sources.map((line) => `${line}\n`).join(""));
  const args = [
    ...["--mode=root", "--variant=minbase", `--include=${PACKAGES.join(",")}`],
    ...['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"'],
    ...[release, folder],
    ...(sources.length === 0 ? [] : [list]),
  ];
  const made = spawnSync("mmdebstrap", args, { encoding: "utf8", timeout: BUILD_DEADLINE_MS });
  rmSync(list, { force: true });
  if (made.status !== 0) throw new Error(`mmdebstrap ${release}: ${made.stderr.slice(-2_000)}`);
}
