/**
 * Writes the documentation that follows from the code, or with `--check` tells which of it is stale.
 *
 *   node --import tsx build/docs.ts [--check] [path …]
 *
 * With paths only those documents are written or checked. A new document is a function in `build/docs/`
 * and a line in `documents`.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { COLLECTORS } from "../collectors/index.ts";
import { collectorReadmes } from "./docs/collector-readmes.ts";
import type { GeneratedDocument } from "./docs/document.ts";
import { hubPosturePage } from "./docs/hub-posture-page.ts";
import { officialRowsPage } from "./docs/official-rows.ts";
import { posturePage } from "./docs/posture-page.ts";
import { settingsPages } from "./docs/settings-pages.ts";

const documents: readonly GeneratedDocument[] = [
  ...collectorReadmes(COLLECTORS),
  ...settingsPages(),
  posturePage(),
  hubPosturePage(),
  officialRowsPage(),
];

const root = fileURLToPath(new URL("..", import.meta.url));
const isCheck = process.argv.includes("--check");
const paths = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const unknown = paths.filter((path) => !documents.some((document) => document.path === path));
if (unknown.length > 0) throw new Error(`not a generated document: ${unknown.join(", ")}`);

const chosen = documents.filter(({ path }) => paths.length === 0 || paths.includes(path));
const stale: string[] = [];
for (const document of chosen) {
  const file = `${root}${document.path}`;
  const current = existsSync(file) ? readFileSync(file, "utf8") : "";
  const wanted = rendered(document, current);
  if (wanted === current) continue;
  stale.push(document.path);
  if (!isCheck) writeFileSync(file, wanted);
}

if (isCheck && stale.length > 0) {
  process.stderr.write(
    `stale, run "npm run docs":\n${stale.map((path) => `  ${path}\n`).join("")}`,
  );
  process.exitCode = 1;
} else {
  const verb = isCheck ? "up to date" : "written";
  const count = isCheck ? chosen.length : stale.length;
  process.stdout.write(`${count} generated documents ${verb}\n`);
}

function rendered(document: GeneratedDocument, current: string): string {
  try {
    return document.render(current);
  } catch (error) {
    throw new Error(`${document.path} cannot be generated`, { cause: error });
  }
}
