/** The native half of koffi for a processor that may be another than this one's. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface LockedPackage {
  readonly version: string;
  readonly integrity: string;
}

/**
 * Reads files of an npm package by their path in it: from node_modules, where npm checked it, or from the
 * archive that the lock file names, fetched once, kept in `.cache` and checked each time. Throws when
 * the package is not locked, cannot be had, or is not the one of the lock file.
 */
export function nativeLibrary(root: string, name: string): (path: string) => Uint8Array {
  const installed = join(root, "node_modules", name);
  if (existsSync(installed)) return (path) => readFileSync(join(installed, path));
  const archive = lockedArchive(root, name);
  return (path) =>
    execFileSync("tar", ["-xzOf", archive, `package/${path}`], { maxBuffer: 64 * 1_024 * 1_024 });
}

function lockedArchive(root: string, name: string): string {
  const { version, integrity } = lockedPackage(root, name);
  const cache = join(root, ".cache", "native");
  // As npm pack names it: the scope without @, joined by a dash.
  const archive = join(cache, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
  if (!existsSync(archive)) {
    mkdirSync(cache, { recursive: true });
    const spec = `${name}@${version}`;
    execFileSync("npm", ["pack", spec, "--pack-destination", cache, "--silent"], { stdio: "pipe" });
  }
  const digest = createHash("sha512").update(readFileSync(archive)).digest("base64");
  if (`sha512-${digest}` !== integrity) {
    throw new Error(`${archive} is not what package-lock.json names: remove it and build again`);
  }
  return archive;
}

function lockedPackage(root: string, name: string): LockedPackage {
  const lock: { readonly packages: Readonly<Record<string, LockedPackage>> } = JSON.parse(
    readFileSync(join(root, "package-lock.json"), "utf8"),
  );
  const locked = lock.packages[`node_modules/${name}`];
  if (locked === undefined) throw new Error(`${name} is not in package-lock.json`);
  return locked;
}
