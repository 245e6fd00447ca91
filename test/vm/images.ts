/** Root file systems of the virtual machines, built once and kept. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export type ImageName = "bookworm" | "trixie";

const SCRIPT = fileURLToPath(new URL("build-image.sh", import.meta.url));
const PROGRAMS = [
  "qemu-system-x86_64",
  "qemu-img",
  "mmdebstrap",
  "mke2fs",
  "ssh",
  "scp",
  "ssh-keygen",
];

/** Why no virtual machine can be started here; false when one can. */
export function whyNoMachines(): string | false {
  if (process.getuid?.() !== 0) return "only root can build root file systems";
  const missing = PROGRAMS.filter((name) => spawnSync("which", [name]).status !== 0);
  return missing.length === 0 ? false : `not installed: ${missing.join(", ")}`;
}

function cacheFolder(): string {
  return process.env["GATEWARDEN_VM_CACHE"] ?? join(homedir(), ".cache", "gatewarden-vm");
}

/** The private key that may log in as root, made at first need. */
export function privateKey(): string {
  const file = join(cacheFolder(), "id_ed25519");
  mkdirSync(cacheFolder(), { recursive: true });
  if (!existsSync(file)) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
  }
  return file;
}

/**
 * Folder of an image: vmlinuz, initrd.img and root.ext4. Built when it is not there or when its script
 * has changed, which takes half a minute to two minutes.
 */
export function imageFolder(name: ImageName, say: (line: string) => void): string {
  const key = `${privateKey()}.pub`;
  const version = createHash("sha256").update(readFileSync(SCRIPT)).update(readFileSync(key));
  const folder = join(cacheFolder(), `${name}-${version.digest("hex").slice(0, 12)}`);
  if (existsSync(join(folder, "root.ext4"))) return folder;
  const bookworm = name === "bookworm" ? "" : imageFolder("bookworm", say);
  const startedAtMs = Date.now();
  say(`building the ${name} image`);
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  const built = spawnSync("bash", [SCRIPT, name, part], {
    encoding: "utf8",
    env: { ...process.env, KEY: key, BOOKWORM: bookworm },
    timeout: 600_000,
  });
  if (built.status !== 0) throw new Error(`the ${name} image: ${built.stderr.slice(-2_000)}`);
  renameSync(part, folder);
  say(`built the ${name} image in ${Math.round((Date.now() - startedAtMs) / 1_000)} s`);
  return folder;
}
