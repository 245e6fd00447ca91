/** Reads every import line of the project and holds it against the layers of the design. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function sourceFiles(): readonly SourceFile[] {
  return ["src", "collectors"]
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
        .filter((entry) => !entry.name.endsWith(".test.ts"))
        .map((entry) => join(entry.parentPath, entry.name)),
    )
    .map((file) => {
      const text = readFileSync(file, "utf8");
      return { path: relative(root, file), text, imports: importsOf(text) };
    });
}

/** Specifiers of static and dynamic imports and re-exports, comments left out. */
function importsOf(text: string): readonly string[] {
  const code = withoutComments(text);
  const pattern = /(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)"([^"]+)"/g;
  return [...code.matchAll(pattern)].map((match) => match[1] ?? "");
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
}

/** `src/twin/lint.ts` belongs to layer `twin`; `collectors/x/y.ts` to `collectors/x`. */
function layerOf(path: string): string {
  const [top, second, third] = path.split("/");
  if (top === "collectors") return third === undefined ? "collectors" : `collectors/${second}`;
  return third === undefined ? (second ?? "").replace(/\.ts$/, "") : (second ?? "");
}

/** What each layer may import besides itself. `*` is everything below. */
const PEERS = ["contract", "parse"];
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  parse: ["contract"],
  system: PEERS,
  twin: PEERS,
  config: PEERS,
  posture: PEERS,
  // Rules, facts and judgement, pure over the Probe: the collector of the OS baseline, its command and
  // its tests share them, so they cannot lie in one collector's folder.
  baseline: PEERS,
  // What a scan prints, in values of its own: it knows neither posture nor baseline, so that a format can
  // be read and tested from a recorded report, and the CLI alone says what goes where.
  report: PEERS,
  schedule: PEERS,
  pipeline: PEERS,
  transport: PEERS,
  localhub: PEERS,
  // What the commands for owners of a fleet read and write, with the Azure packages. It hands records to
  // the rules of posture, so it may know them; a gateway never loads it.
  fleet: [...PEERS, "posture"],
};

const files = sourceFiles();
const paths = new Set(files.map((file) => file.path));

function localTargets(file: SourceFile): readonly string[] {
  return file.imports
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => join(dirname(file.path), specifier));
}

function mayImport(layer: string, target: string): boolean {
  if (layer === target || layer === "cli") return target !== "main";
  if (layer === "agent") return target !== "cli";
  if (layer === "collectors") return target.startsWith("collectors/") || target === "contract";
  if (layer === "collectors/os-baseline" && target === "baseline") return true;
  if (layer.startsWith("collectors/")) return PEERS.includes(target);
  return (ALLOWED[layer] ?? []).includes(target);
}

describe("the layers", () => {
  it("are found on disk", () => {
    assert.ok(files.length > 20, `only ${files.length} source files found`);
  });

  it("import only what lies upstream", () => {
    const wrong: string[] = [];
    for (const file of files) {
      for (const target of localTargets(file)) {
        if (!paths.has(target))
          wrong.push(`${file.path} imports ${target}, which is no source file`);
        else if (!mayImport(layerOf(file.path), layerOf(target))) {
          wrong.push(`${file.path} imports ${target}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
  });

  it("contain no import cycle", () => {
    const graph = new Map(files.map((file) => [file.path, localTargets(file)]));
    const done = new Set<string>();
    const cycles: string[] = [];
    function visit(path: string, trail: readonly string[]): void {
      if (trail.includes(path)) {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
        return;
      }
      if (done.has(path)) return;
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    }
    for (const path of graph.keys()) visit(path, []);
    assert.deepEqual(cycles, []);
  });
});

interface Restriction {
  readonly what: string;
  readonly pattern: RegExp;
  readonly allowedIn: RegExp;
}

const RESTRICTIONS: readonly Restriction[] = [
  { what: "JSON.parse", pattern: /\bJSON\.parse\b/, allowedIn: /^src\/parse\/json\.ts$/ },
  {
    what: "the clock of the machine",
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bsetTimeout\b|\bsetInterval\b|\bperformance\.now\b/,
    allowedIn: /^src\/system\/clock\.ts$/,
  },
  {
    what: "chance",
    pattern: /\bMath\.random\b|\brandomUUID\b/,
    allowedIn: /^src\/system\/random\.ts$/,
  },
  {
    what: "the environment",
    pattern: /\bprocess\.env\b/,
    allowedIn: /^src\/system\/environment\.ts$/,
  },
  { what: "console", pattern: /\bconsole\./, allowedIn: /^$/ },
  {
    what: "files",
    pattern: /"node:fs(?:\/promises)?"/,
    allowedIn: /^src\/(?:system|pipeline\/spool|pipeline\/aggregate|localhub|transport\/file)\//,
  },
  {
    what: "child processes",
    pattern: /"node:child_process"/,
    allowedIn: /^src\/system\/program\.ts$/,
  },
  {
    what: "sockets",
    pattern: /(?:from|import\s*\()\s*"(?:node:(?:tls|https?|dgram)|mqtt|mqtt-packet|ws)"/,
    allowedIn: /^src\/(?:transport|localhub)\//,
  },
  { what: "a shell or eval", pattern: /\beval\(|\bnew Function\b/, allowedIn: /^$/ },
];

describe("what only one place may touch", () => {
  for (const restriction of RESTRICTIONS) {
    it(`${restriction.what} stays where it belongs`, () => {
      const wrong = files
        .filter((file) => !restriction.allowedIn.test(file.path))
        .filter((file) => restriction.pattern.test(withoutComments(file.text)))
        .map((file) => file.path);
      assert.deepEqual(wrong, []);
    });
  }

  it("no source file is longer than 400 lines", () => {
    const long = files
      .filter((file) => file.text.split("\n").length > 401)
      .map((file) => file.path);
    assert.deepEqual(long, []);
  });
});
