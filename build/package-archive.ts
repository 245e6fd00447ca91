/** Control files and the archive of the Debian package. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, lutimesSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { put } from "./package-contents.ts";

/** One package to build. */
export interface PackagePlan {
  readonly root: string;
  /** Folder with the staged contents; the control files are added to it. */
  readonly stage: string;
  /** Debian's name of the processor. */
  readonly architecture: string;
  readonly version: string;
  /** Time of every file, seconds since 1970. */
  readonly epochSeconds: number;
  /** Folder that receives the package. */
  readonly out: string;
}

/**
 * Debian's form of a semantic version: what comes before a release sorts below it by `~`. Throws on what
 * dpkg would not take. Source: deb-version(7).
 */
export function debianVersion(version: string): string {
  const form = version.replaceAll("-", "~");
  if (!/^\d[A-Za-z0-9.+~]*$/.test(form)) throw new Error(`no version for a package: ${version}`);
  return form;
}

/** Builds the package and returns its path. */
export function buildArchive(plan: PackagePlan): string {
  const { stage, architecture, version, epochSeconds, out } = plan;
  putControl(plan);
  setTimes(stage, epochSeconds);
  const file = join(out, `gatewarden_${version}_${architecture}.deb`);
  // xz: dpkg of Debian 12 and 13 reads it, whatever the building machine prefers.
  execFileSync("dpkg-deb", ["--root-owner-group", "-Zxz", "--build", stage, file], {
    env: { ...process.env, LC_ALL: "C", SOURCE_DATE_EPOCH: String(epochSeconds) },
    stdio: "pipe",
  });
  return file;
}

function putControl({ root, stage, architecture, version }: PackagePlan): void {
  const files = filesBelow(stage);
  const kilobytes = files.reduce(
    (sum, file) => sum + Math.ceil(statSync(join(stage, file)).size / 1_024),
    0,
  );
  const control = readFileSync(join(root, "packaging/debian/control"), "utf8")
    .replace("@VERSION@", version)
    .replace("@ARCHITECTURE@", architecture)
    .replace("@INSTALLED_SIZE@", String(kilobytes));
  const sums = files.map((file) => `${md5(readFileSync(join(stage, file)))}  ${file}\n`);
  put(stage, "DEBIAN/control", control);
  put(stage, "DEBIAN/md5sums", sums.join(""));
  for (const script of ["postinst", "prerm", "postrm"]) {
    const text = readFileSync(join(root, "packaging/debian", script));
    put(stage, `DEBIAN/${script}`, text, 0o755);
  }
  chmodSync(join(stage, "DEBIAN"), 0o755);
}

/** Paths below a folder, sorted by code unit, without links and folders. */
function filesBelow(folder: string, under = ""): readonly string[] {
  return readdirSync(join(folder, under), { withFileTypes: true })
    .flatMap((entry) => {
      const path = under === "" ? entry.name : `${under}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(folder, path) : [path];
    })
    .sort();
}

/** MD5 because that is what `dpkg --verify` reads; it guards against accidents only. */
function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** dpkg-deb only lowers times to SOURCE_DATE_EPOCH; a clock that is behind would leave older ones. */
function setTimes(folder: string, seconds: number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) setTimes(path, seconds);
    else lutimesSync(path, seconds, seconds);
  }
  lutimesSync(folder, seconds, seconds);
}
