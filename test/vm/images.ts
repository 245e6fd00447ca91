/** Root file systems of the virtual machines, built once and kept. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sourcesOfThisMachine } from "./apt-sources.ts";

/** Debian 12, and the user space of Debian 13 on the kernel of Debian 12. */
export type ImageName = "bookworm" | "trixie" | "bookworm-arm64";

export const IMAGE_NAMES: readonly ImageName[] = ["bookworm", "trixie"];

/** Downloads included, on a busy machine, behind another process that builds the same image. */
const BUILD_DEADLINE_MS = 1_200_000;
const SCRIPT = fileURLToPath(new URL("build-image.sh", import.meta.url));
const PROGRAMS = [
  "qemu-system-x86_64",
  "qemu-img",
  "mmdebstrap",
  "mke2fs",
  "ssh",
  "scp",
  "ssh-keygen",
  "flock",
  "setpriv",
];

/** Why no virtual machine can be started here; false when one can. `more` are further programs. */
export function whyNoMachines(more: readonly string[] = []): string | false {
  if (process.getuid?.() !== 0) return "only root can build root file systems";
  const missing = [...PROGRAMS, ...more].filter((name) => spawnSync("which", [name]).status !== 0);
  return missing.length === 0 ? false : `not installed: ${missing.join(", ")}`;
}

function cacheFolder(): string {
  return process.env["GATEWARDEN_VM_CACHE"] ?? join(homedir(), ".cache", "gatewarden-vm");
}

/** The private key that may log in as root, made at first need. */
export function privateKey(): string {
  const file = join(cacheFolder(), "id_ed25519");
  if (existsSync(`${file}.pub`)) return file;
  mkdirSync(cacheFolder(), { recursive: true });
  const make = `test -e ${file}.pub || ssh-keygen -q -t ed25519 -N '' -f ${file}`;
  execFileSync("flock", [`${file}.lock`, "sh", "-c", make]);
  return file;
}

/**
 * Folder of an image: vmlinuz, initrd.img and root.ext4. Built when it is not there or when its script
 * has changed, which takes half a minute to two minutes. Processes that need the same image at the same
 * time build it once.
 */
export function imageFolder(name: ImageName, say: (line: string) => void): string {
  const key = `${privateKey()}.pub`;
  const script = readFileSync(SCRIPT, "utf8");
  const version = createHash("sha256").update(script).update(readFileSync(key));
  const folder = join(cacheFolder(), `${name}-${version.digest("hex").slice(0, 12)}`);
  if (existsSync(join(folder, "root.ext4"))) return folder;
  const bookworm = name === "trixie" ? imageFolder("bookworm", say) : "";
  const sources = sourcesOfThisMachine(name === "trixie" ? "trixie" : "bookworm");
  if (sources.length === 0) say("no Debian mirror in /etc/apt: mmdebstrap chooses one");
  const sourcesFile = `${folder}.${process.pid}.list`;
  writeFileSync(sourcesFile, sources.map((line) => `${line}\n`).join(""));
  say(`building the ${name} image in ${folder}`);
  // The text whose hash names the folder, not the file: bash would read on in one that was edited.
  const command = [`${folder}.lock`, "bash", "-c", script, "build-image.sh", name, folder];
  const built = spawnSync("flock", command, {
    encoding: "utf8",
    env: { ...process.env, KEY: key, BOOKWORM: bookworm, SOURCES: sourcesFile },
    stdio: ["ignore", "inherit", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
    timeout: BUILD_DEADLINE_MS,
  });
  rmSync(sourcesFile, { force: true });
  if (built.status !== 0) throw new Error(`the ${name} image: ${built.stderr.slice(-2_000)}`);
  return folder;
}
