/** The native half of koffi for a processor that may be another than this one's. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface LockedPackage {
  readonly version: string;
  readonly integrity: string;
}

/** Folder of the unpacked package, from node_modules or fetched as the lock file has it. */
export function nativeLibrary(root: string, name: string): string {
  const installed = join(root, "node_modules", name);
  if (existsSync(installed)) return installed;
  const locked = lockedPackage(root, name);
  const cache = join(root, "dist", "native", `${name.replace("/", "-")}-${locked.version}`);
  const unpacked = join(cache, "package");
  if (existsSync(unpacked)) return unpacked;
  mkdirSync(cache, { recursive: true });
  const spec = `${name}@${locked.version}`;
  execFileSync("npm", ["pack", spec, "--pack-destination", cache, "--silent"], { stdio: "pipe" });
  const archive = readdirSync(cache).find((file) => file.endsWith(".tgz"));
  if (archive === undefined) throw new Error(`npm pack ${spec} made no archive`);
  const bytes = readFileSync(join(cache, archive));
  const digest = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  if (digest !== locked.integrity) throw new Error(`${spec} is not what the lock file names`);
  execFileSync("tar", ["-xzf", join(cache, archive), "-C", cache]);
  return unpacked;
}

function lockedPackage(root: string, name: string): LockedPackage {
  const lock: { readonly packages: Readonly<Record<string, LockedPackage>> } = JSON.parse(
    readFileSync(join(root, "package-lock.json"), "utf8"),
  );
  const locked = lock.packages[`node_modules/${name}`];
  if (locked === undefined) throw new Error(`${name} is not in package-lock.json`);
  return locked;
}
