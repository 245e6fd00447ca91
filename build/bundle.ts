/**
 * Builds `dist/gatewarden.js`, the single file that runs on a gateway, and `dist/gatewarden-fleet.js` with
 * the commands for owners of a fleet, which it loads when one of them is called.
 *
 * The bundles are CommonJS: they then run under any file name and folder on Node 18.20, and every
 * `import()` becomes a lazily evaluated module, so a transport that is not chosen is never executed.
 * `koffi` stays outside, because a native binary cannot live inside a JavaScript file.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest: { readonly version: string } = JSON.parse(
  await readFile(`${root}package.json`, "utf8"),
);

/** Loaded by its name, relative to the bundle, so that nothing of it gets into the bundle. */
const FLEET_FILE = "gatewarden-fleet.js";

/** File upload is the only user of the Azure storage client (1.2 MB, 14 MB RSS): we never upload. */
const withoutStorageClient: Plugin = {
  name: "without-storage-client",
  setup(builder) {
    builder.onResolve({ filter: /^@azure\/storage-blob$/ }, () => ({
      path: "storage-blob",
      namespace: "absent",
    }));
    builder.onLoad({ filter: /.*/, namespace: "absent" }, () => ({
      contents: "module.exports = {};",
      loader: "js",
    }));
  },
};

/** What both bundles have in common. */
const common: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node18.20",
  format: "cjs",
  minify: true,
  keepNames: false,
  legalComments: "linked",
  external: ["koffi", "bufferutil", "utf-8-validate"],
  mainFields: ["main", "module"],
  define: {
    GATEWARDEN_VERSION: JSON.stringify(manifest.version),
    GATEWARDEN_FLEET: JSON.stringify(`./${FLEET_FILE}`),
  },
  logLevel: "warning",
  metafile: true,
};

await mkdir(`${root}dist`, { recursive: true });
const [agent, fleet] = await Promise.all([
  build({
    ...common,
    entryPoints: ["src/cli/main.ts"],
    outfile: "dist/gatewarden.js",
    banner: { js: "#!/usr/bin/env node" },
    plugins: [withoutStorageClient],
  }),
  build({
    ...common,
    entryPoints: ["src/cli/fleet-main.ts"],
    outfile: `dist/${FLEET_FILE}`,
  }),
]);
await writeFile(`${root}dist/package.json`, '{ "type": "commonjs" }\n');
await writeFile(`${root}dist/meta.json`, JSON.stringify(agent.metafile));
await writeFile(`${root}dist/meta-fleet.json`, JSON.stringify(fleet.metafile));
