/** The native library as the CommonJS bundle finds it, in every layout a package may have. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { loadCLibrary } from "../../src/system/c-library.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const loaded = loadCLibrary();
const skip = loaded.ok ? false : `koffi is not usable here: ${loaded.problem.detail}`;

const ENTRY = `
  import { createLog } from "./src/system/log.ts";
  import { createProbe } from "./src/system/probe.ts";
  const probe = createProbe({ root: "/", log: createLog({ level: "info" }) });
  const list = probe.listeningSockets();
  process.stdout.write(list.ok ? list.value.source : list.problem.detail);
`;

/** Bundles a program that asks for listening sockets, with the settings of build/bundle.ts. */
async function bundle(file: string): Promise<void> {
  const result = await build({
    stdin: { contents: ENTRY, resolveDir: repository, loader: "ts" },
    absWorkingDir: repository,
    outfile: file,
    bundle: true,
    platform: "node",
    target: "node18.20",
    format: "cjs",
    minify: true,
    external: ["koffi"],
    logLevel: "silent",
  });
  assert.deepEqual(result.warnings, []);
}

function run(file: string): { readonly source: string; readonly log: string } {
  const child = spawnSync(process.execPath, [file], {
    cwd: "/",
    encoding: "utf8",
    timeout: 30_000,
    env: { PATH: process.env["PATH"] },
  });
  assert.equal(child.status, 0, child.stderr);
  return { source: child.stdout, log: child.stderr };
}

/** Copies koffi and its native half side by side into a folder. */
function installKoffi(folder: string): void {
  const home = dirname(createRequire(import.meta.url).resolve("koffi"));
  const native = join(home, "..", "@koromix");
  mkdirSync(folder, { recursive: true });
  const isUnused = (path: string): boolean => /^(?:vendor|doc)(?:\/|$)/.test(path);
  cpSync(home, join(folder, "koffi"), {
    recursive: true,
    filter: (path) => !isUnused(relative(home, path)),
  });
  if (existsSync(native)) cpSync(native, join(folder, "@koromix"), { recursive: true });
}

async function layout(test: TestContext): Promise<{ root: string; file: string }> {
  const root = temporaryFolder(test);
  mkdirSync(join(root, "bin"));
  const file = join(root, "bin/gatewarden.js");
  await bundle(file);
  return { root, file };
}

describe("the bundle", { skip }, () => {
  for (const place of ["bin/node_modules", "node_modules", "lib", "lib/node_modules"]) {
    it(`finds the native library in ${place}`, async (test) => {
      const { root, file } = await layout(test);
      installKoffi(join(root, place));
      assert.deepEqual(run(file), { source: "sock_diag", log: "" });
    });
  }

  it("finds it when it was started through a link", async (test) => {
    const { root, file } = await layout(test);
    installKoffi(join(root, "bin/node_modules"));
    mkdirSync(join(root, "elsewhere"));
    symlinkSync(file, join(root, "elsewhere/gatewarden"));
    assert.equal(run(join(root, "elsewhere/gatewarden")).source, "sock_diag");
  });

  it("reads /proc/net without it, and says so once", async (test) => {
    const { file } = await layout(test);
    const { source, log } = run(file);
    assert.equal(source, "proc_net");
    assert.equal(log.trimEnd().split("\n").length, 1);
    assert.match(log, /"code":"unsupported","subject":"koffi"/);
  });

  it("reads /proc/net when the library is broken", async (test) => {
    const { root, file } = await layout(test);
    mkdirSync(join(root, "lib/koffi"), { recursive: true });
    writeFileSync(join(root, "lib/koffi/index.js"), "throw new Error('wrong ELF class')");
    assert.equal(run(file).source, "proc_net");
  });
});
