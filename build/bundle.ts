/**
 * Builds `dist/gatewarden.js`, which runs on a gateway, and the parts beside it that it loads when they are
 * needed: see parts.ts.
 *
 * The bundles are CommonJS: they then run in any folder on Node 18.20, and every `import()` becomes a lazily
 * evaluated module, so a transport that is not chosen is never executed.
 * `koffi` stays outside, because a native binary cannot live inside a JavaScript file.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Metafile } from "esbuild";
import { leanPackages } from "./lean-packages.ts";
import { PARTS, type Part, packagesText, partsBut } from "./parts.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest: { readonly version: string } = JSON.parse(
  await readFile(`${root}package.json`, "utf8"),
);

/** What all bundles have in common. */
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
  // require() of another part: import() would bring in the whole loader of ES modules.
  supported: { "dynamic-import": false },
  define: { GATEWARDEN_VERSION: JSON.stringify(manifest.version) },
  logLevel: "warning",
};

const START: Part = { file: "gatewarden.js", entry: "src/cli/start.ts" };

async function bundle({ file, entry, packages = [] }: Part): Promise<Metafile> {
  const source =
    entry === undefined
      ? { stdin: { contents: packagesText(packages), resolveDir: root, sourcefile: file } }
      : { entryPoints: [entry] };
  const built = await build({
    ...common,
    ...source,
    outfile: `dist/${file}`,
    ...(file === START.file ? { banner: { js: "#!/usr/bin/env node" } } : {}),
    plugins: [partsBut(file), leanPackages],
    metafile: true,
  });
  refuseStrangeText(file, await readFile(`${root}dist/${file}`, "utf8"));
  return built.metafile;
}

/** One character beyond ASCII, and V8 keeps the whole text of a file at two bytes a character. */
function refuseStrangeText(file: string, text: string): void {
  const strange = /[^\0-\x7f]/.exec(text);
  if (strange === null) return;
  const around = text.slice(Math.max(0, strange.index - 40), strange.index + 40);
  throw new Error(`${file} is to be ASCII; write the character as an escape: ${around}`);
}

await mkdir(`${root}dist`, { recursive: true });
// Files of an earlier build would get into the package.
for (const name of await readdir(`${root}dist`)) {
  if (name.startsWith("gatewarden")) await rm(`${root}dist/${name}`);
}
const metafiles = await Promise.all([START, ...PARTS].map(bundle));
await writeFile(`${root}dist/package.json`, '{ "type": "commonjs" }\n');
const merged = {
  inputs: Object.assign({}, ...metafiles.map((metafile) => metafile.inputs)),
  outputs: Object.assign({}, ...metafiles.map((metafile) => metafile.outputs)),
};
await writeFile(`${root}dist/meta.json`, JSON.stringify(merged));
