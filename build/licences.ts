/** The licences of everything that is inside the bundle, as the package must carry them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Names, versions and licence texts of the packages that esbuild's metafile names as inputs, and of `more`
 * folders below the root.
 */
export function bundledLicences(root: string, more: readonly string[]): string {
  const meta: { readonly inputs: Readonly<Record<string, unknown>> } = JSON.parse(
    readFileSync(join(root, "dist", "meta.json"), "utf8"),
  );
  const folders = new Set(more);
  // A colon is behind the namespace of an input that is no file of a package.
  for (const input of Object.keys(meta.inputs)) {
    const found = /^([^:]*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found?.[1] !== undefined) folders.add(found[1]);
  }
  return [...folders]
    .sort()
    .map((folder) => licenceOf(join(root, folder)))
    .join("\n");
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly author?: string | { readonly name?: string };
}

function licenceOf(folder: string): string {
  const manifest: Manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const name = manifest.name ?? folder;
  const file = readdirSync(folder).find((entry) => /^(?:licen[cs]e|copying)/i.test(entry));
  const text = file === undefined ? termsOf(manifest) : readFileSync(join(folder, file), "utf8");
  if (text.trim() === "") throw new Error(`${name} says nothing about its licence`);
  const head = `${name} ${manifest.version ?? ""} (${manifest.license ?? "see text"})`;
  return `${head}\n${"-".repeat(head.length)}\n${text.trim()}\n`;
}

/** What a package without a licence file is under, by its manifest; empty when that is not known. */
function termsOf({ license, author }: Manifest): string {
  if (license !== "MIT") return "";
  const holder = typeof author === "string" ? author : (author?.name ?? "its authors");
  return `Copyright (c) ${holder}\n\n${MIT_TERMS}`;
}

/** Source: spdx.org/licenses/MIT. */
const MIT_TERMS = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO
EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR
THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
