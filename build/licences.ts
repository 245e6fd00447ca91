/** The licences of everything that is inside the bundle, as the package must carry them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
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
  for (const input of Object.keys(meta.inputs)) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found?.[1] !== undefined) folders.add(found[1]);
  }
  return [...folders]
    .sort()
    .map((folder) => licenceOf(join(root, folder)))
    .join("\n");
}

function licenceOf(folder: string): string {
  const manifest: { readonly name?: string; readonly version?: string; readonly license?: string } =
    JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((name) => /^(?:licen[cs]e|copying)/i.test(name));
  const path = file === undefined ? undefined : join(folder, file);
  const text = path !== undefined && existsSync(path) ? readFileSync(path, "utf8").trim() : "";
  const head = `${manifest.name ?? folder} ${manifest.version ?? ""} (${manifest.license ?? "see text"})`;
  return `${head}\n${"-".repeat(head.length)}\n${text}\n`;
}
