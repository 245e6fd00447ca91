/**
 * `npm run package [-- --out FOLDER] [--arch amd64,arm64,armhf] [--version X]`: Debian packages.
 *
 * The JavaScript is the same for all; the native library is the one of the processor. The same commit
 * yields the same bytes: times are those of the commit.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { bundledLicences } from "./licences.ts";
import { nativeLibrary } from "./native-library.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Debian's name of a processor, and koffi's. */
const PROCESSORS: Readonly<Record<string, { readonly native: string; readonly folder: string }>> = {
  amd64: { native: "@koromix/koffi-linux-x64", folder: "linux_x64" },
  arm64: { native: "@koromix/koffi-linux-arm64", folder: "linux_arm64" },
  armhf: { native: "@koromix/koffi-linux-arm", folder: "linux_armhf" },
};
const DOCUMENTS = ["README.md", "LICENSE"];
const KOFFI_FILES = ["package.json", "index.cjs", "LICENSE.txt", "src/koffi/index.cjs"];

interface Plan {
  readonly version: string;
  readonly out: string;
  readonly epochSeconds: string;
}

function put(stage: string, path: string, content: string | Uint8Array, mode = 0o644): void {
  const file = join(stage, path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(file, content);
  chmodSync(file, mode);
}

function copy(stage: string, path: string, from: string, mode = 0o644): void {
  put(stage, path, readFileSync(join(root, from)), mode);
}

/** Of koffi only what loads it on Linux with glibc: no sources, no other processors. */
function putKoffi(stage: string, architecture: string): void {
  const processor = PROCESSORS[architecture];
  if (processor === undefined) throw new Error(`no such architecture: ${architecture}`);
  const library = "usr/lib/gatewarden/lib";
  for (const file of KOFFI_FILES) {
    copy(stage, `${library}/koffi/${file}`, `node_modules/koffi/${file}`);
  }
  const source = nativeLibrary(root, processor.native);
  const target = `${library}/${processor.native}`;
  for (const file of ["package.json", "index.js"]) {
    put(stage, `${target}/${file}`, readFileSync(join(source, file)));
  }
  const folders = readdirSync(source, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("musl"))
    .map((entry) => entry.name);
  if (!folders.includes(processor.folder)) {
    throw new Error(`${processor.native} has ${folders.join(", ")}, not ${processor.folder}`);
  }
  put(
    stage,
    `${target}/${processor.folder}/koffi.node`,
    readFileSync(join(source, processor.folder, "koffi.node")),
  );
}

function putFiles(stage: string, architecture: string): void {
  copy(stage, "usr/lib/gatewarden/bin/gatewarden.js", "dist/gatewarden.js", 0o755);
  copy(stage, "usr/lib/gatewarden/bin/package.json", "dist/package.json");
  putKoffi(stage, architecture);
  mkdirSync(join(stage, "usr/bin"), { recursive: true });
  symlinkSync("../lib/gatewarden/bin/gatewarden.js", join(stage, "usr/bin/gatewarden"));
  copy(stage, "lib/systemd/system/gatewarden.service", "systemd/gatewarden.service");
  copy(stage, "usr/lib/sysusers.d/gatewarden.conf", "systemd/gatewarden.sysusers");
  const documents = "usr/share/doc/gatewarden";
  for (const file of DOCUMENTS) copy(stage, `${documents}/${file}`, file);
  cpSync(join(root, "docs"), join(stage, documents, "docs"), {
    recursive: true,
    filter: (path) => !path.includes("benchmarks"),
  });
  copy(stage, `${documents}/profiles/minimal.conf`, "systemd/profiles/minimal.conf");
  put(stage, `${documents}/changelog.gz`, zipped(readFileSync(join(root, "CHANGELOG.md"))));
  const licences = bundledLicences(root, ["koffi"]);
  const own = readFileSync(join(root, "LICENSE"), "utf8");
  const notice = `${own}\nThe program contains the packages below, under their own licences.\n\n${licences}`;
  put(stage, `${documents}/copyright`, notice);
  mkdirSync(join(stage, "etc/gatewarden/credentials"), { recursive: true });
}

/** No time stamp inside, so that the same text yields the same bytes. */
function zipped(bytes: Uint8Array): Uint8Array {
  return gzipSync(bytes, { level: 9 });
}

function normaliseModes(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      chmodSync(path, 0o755);
      normaliseModes(path);
    } else if (entry.isFile()) chmodSync(path, statSync(path).mode & 0o100 ? 0o755 : 0o644);
  }
}

function kilobytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce(
      (sum, entry) => sum + Math.ceil(statSync(join(entry.parentPath, entry.name)).size / 1024),
      0,
    );
}

function putControl(stage: string, architecture: string, version: string): void {
  const control = readFileSync(join(root, "packaging/debian/control"), "utf8")
    .replace("@VERSION@", version)
    .replace("@ARCHITECTURE@", architecture)
    .replace("@INSTALLED_SIZE@", String(kilobytes(stage)));
  const sums = execFileSync(
    "sh",
    ["-c", "find . -type f -not -path './DEBIAN/*' -printf '%P\\0' | sort -z | xargs -0 md5sum"],
    { cwd: stage, encoding: "utf8" },
  );
  put(stage, "DEBIAN/control", control);
  put(stage, "DEBIAN/md5sums", sums);
  for (const script of ["postinst", "prerm", "postrm"]) {
    copy(stage, `DEBIAN/${script}`, `packaging/debian/${script}`, 0o755);
  }
}

function buildPackage(architecture: string, plan: Plan): string {
  const stage = join(root, "dist", "stage", architecture);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  putFiles(stage, architecture);
  normaliseModes(stage);
  chmodSync(join(stage, "etc/gatewarden"), 0o750);
  chmodSync(join(stage, "etc/gatewarden/credentials"), 0o700);
  chmodSync(stage, 0o755);
  putControl(stage, architecture, plan.version);
  const file = join(plan.out, `gatewarden_${plan.version}_${architecture}.deb`);
  execFileSync("dpkg-deb", ["--root-owner-group", "--build", stage, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: plan.epochSeconds },
    stdio: "pipe",
  });
  rmSync(stage, { recursive: true, force: true });
  return file;
}

function commitSeconds(): string {
  try {
    const args = ["log", "-1", "--format=%ct"];
    return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    // Built from an archive of the sources: the manifest is as old as they are.
    return String(Math.floor(statSync(join(root, "package.json")).mtimeMs / 1_000));
  }
}

const { values } = parseArgs({
  options: {
    out: { type: "string", default: join(root, "dist", "packages") },
    arch: { type: "string", default: Object.keys(PROCESSORS).join(",") },
    version: { type: "string" },
  },
});
const manifest: { readonly version: string } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
);
mkdirSync(values.out, { recursive: true });
const plan = {
  version: values.version ?? manifest.version,
  out: values.out,
  epochSeconds: commitSeconds(),
};
for (const architecture of values.arch.split(",")) {
  const file = buildPackage(architecture, plan);
  const size = (statSync(file).size / 1e6).toFixed(1);
  process.stdout.write(`${file} ${size} MB\n`);
}
