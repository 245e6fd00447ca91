/**
 * `npm run package [-- --out FOLDER] [--arch amd64,arm64,armhf] [--version X]`: Debian packages.
 *
 * The JavaScript is the same for all; the native library is the one of the processor. The same commit
 * yields the same bytes: times are those of the commit, or of SOURCE_DATE_EPOCH.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildArchive, debianVersion } from "./package-archive.ts";
import { PROCESSORS, putContents } from "./package-contents.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Seconds since 1970 that every file of the packages is given. Source: reproducible-builds.org. */
function buildSeconds(): number {
  const given = process.env["SOURCE_DATE_EPOCH"];
  if (given !== undefined && /^\d{1,11}$/.test(given)) return Number(given);
  try {
    const args = ["log", "-1", "--format=%ct"];
    return Number(execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: "pipe" }));
  } catch {
    // Built from an archive of the sources: the manifest is as old as they are.
    return Math.floor(statSync(join(root, "package.json")).mtimeMs / 1_000);
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
const out = resolve(values.out);
mkdirSync(out, { recursive: true });
const epochSeconds = buildSeconds();
const version = debianVersion(values.version ?? manifest.version);
for (const architecture of values.arch.split(",")) {
  const stage = mkdtempSync(join(tmpdir(), "gatewarden-package-"));
  try {
    putContents(root, stage, architecture);
    const file = buildArchive({ root, stage, architecture, version, epochSeconds, out });
    const size = (statSync(file).size / 1e6).toFixed(2);
    process.stdout.write(`${file} ${size} MB\n`);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}
