/** What is inside the Debian package, staged in a folder that stands for the root of the machine. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { bundledLicences } from "./licences.ts";
import { nativeLibrary } from "./native-library.ts";

/** By Debian's name of a processor: the npm package and its folder for glibc. */
export const PROCESSORS: Readonly<
  Record<string, { readonly native: string; readonly folder: string }>
> = {
  amd64: { native: "@koromix/koffi-linux-x64", folder: "linux_x64" },
  arm64: { native: "@koromix/koffi-linux-arm64", folder: "linux_arm64" },
  armhf: { native: "@koromix/koffi-linux-arm", folder: "linux_armhf" },
};

/** Of koffi only what loads it: no sources, no headers, no other processors. */
const KOFFI_FILES = [
  "package.json",
  "index.cjs",
  "LICENSE.txt",
  "src/koffi/index.cjs",
  "src/koffi/src/static.cjs",
];
const PROGRAM = "usr/lib/gatewarden";
const DOCUMENTS = "usr/share/doc/gatewarden";

/** Writes a file below the stage; folders are made, the mode is exact. */
export function put(stage: string, path: string, content: string | Uint8Array, mode = 0o644): void {
  const file = join(stage, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, mode);
}

/** Stages every file of the package for a processor; throws when it is unknown or nothing is built. */
export function putContents(root: string, stage: string, architecture: string): void {
  if (!existsSync(join(root, "dist", "gatewarden.js"))) {
    throw new Error("dist/gatewarden.js is not there: npm run build");
  }
  const copy = (path: string, from: string, mode = 0o644) =>
    put(stage, path, readFileSync(join(root, from)), mode);
  for (const name of readdirSync(join(root, "dist"))) {
    const isProgram = name === "gatewarden.js";
    if (/^gatewarden[a-z-]*\.js(?:\.LEGAL\.txt)?$/.test(name)) {
      copy(`${PROGRAM}/bin/${name}`, `dist/${name}`, isProgram ? 0o755 : 0o644);
    }
  }
  copy(`${PROGRAM}/bin/package.json`, "dist/package.json");
  putKoffi(root, stage, architecture);
  copy("usr/bin/gatewarden", "packaging/gatewarden.sh", 0o755);
  copy("usr/lib/systemd/system/gatewarden.service", "systemd/gatewarden.service");
  copy("usr/lib/sysusers.d/gatewarden.conf", "systemd/gatewarden.sysusers");
  // Not below /usr/share/doc: small systems leave that folder out.
  copy("usr/share/gatewarden/profiles/minimal.conf", "systemd/profiles/minimal.conf");
  putDocuments(root, stage);
  mkdirSync(join(stage, "etc/gatewarden/credentials"), { recursive: true });
  normaliseModes(stage);
  chmodSync(join(stage, "etc/gatewarden"), 0o750);
  chmodSync(join(stage, "etc/gatewarden/credentials"), 0o700);
}

function putKoffi(root: string, stage: string, architecture: string): void {
  const processor = PROCESSORS[architecture];
  if (processor === undefined) throw new Error(`no such architecture: ${architecture}`);
  for (const file of KOFFI_FILES) {
    put(
      stage,
      `${PROGRAM}/lib/koffi/${file}`,
      readFileSync(join(root, "node_modules/koffi", file)),
    );
  }
  const read = nativeLibrary(root, processor.native);
  // Debian's C library is glibc: the build for musl stays out.
  for (const file of ["package.json", "index.js", `${processor.folder}/koffi.node`]) {
    put(stage, `${PROGRAM}/lib/${processor.native}/${file}`, read(file));
  }
}

function putDocuments(root: string, stage: string): void {
  const text = (file: string) => readFileSync(join(root, file), "utf8");
  put(stage, `${DOCUMENTS}/README.md`, text("README.md"));
  cpSync(join(root, "docs"), join(stage, DOCUMENTS, "docs"), {
    recursive: true,
    filter: (path) => !path.includes("benchmarks"),
  });
  put(stage, `${DOCUMENTS}/changelog.gz`, zipped(text("CHANGELOG.md")));
  put(stage, "usr/share/man/man8/gatewarden.8.gz", zipped(text("packaging/gatewarden.8")));
  const licences = bundledLicences(root, ["node_modules/koffi"]);
  const notice = `${text("LICENSE")}\nThe program contains the packages below, under their own licences.\n\n${licences}`;
  put(stage, `${DOCUMENTS}/copyright`, notice);
}

/** Without a time stamp inside, so that the same text yields the same bytes. */
function zipped(text: string): Uint8Array {
  return gzipSync(text, { level: 9 });
}

/** Modes that do not depend on the umask and the checkout: 0755 for folders and programs, else 0644. */
function normaliseModes(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) normaliseModes(path);
    else chmodSync(path, PROGRAMS.has(path.slice(path.lastIndexOf("/") + 1)) ? 0o755 : 0o644);
  }
}

const PROGRAMS = new Set(["gatewarden", "gatewarden.js"]);
