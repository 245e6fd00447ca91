/** What is installed: the program and the packages. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Figure, ROOT } from "../benchmark.ts";
import { absolute, quoted } from "../figures.ts";

/** The built program and, when they can be built, the packages. */
export function sizes(): readonly Figure[] {
  const programs = readdirSync(`${ROOT}dist`).filter((name) => /\.c?js$/.test(name));
  return [
    ...programs.flatMap((name) => {
      const bytes = readFileSync(`${ROOT}dist/${name}`);
      const shared = { unit: "bytes", command: "npm run build" } as const;
      return [
        absolute({ ...shared, name: `dist/${name}`, values: [bytes.length] }),
        absolute({ ...shared, name: `dist/${name}, gzip`, values: [gzipSync(bytes).length] }),
      ];
    }),
    ...packages(),
    quoted({
      name: "classic C agent: executable, stripped",
      unit: "bytes",
      low: 570_288,
      high: 1_029_584,
      from: "a build of the archived agent, MQTT and AMQP, without its 37 libraries",
    }),
  ];
}

function packages(): readonly Figure[] {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-sizes-"));
  const args = ["--import", "tsx", "build/package.ts", "--out", folder];
  const built = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  const figures = readdirSync(folder).map((name) =>
    absolute({
      name: `package ${name.split("_").at(-1)}`,
      unit: "bytes",
      values: [statSync(join(folder, name)).size],
      command: "npm run package",
    }),
  );
  rmSync(folder, { recursive: true, force: true });
  if (built.status === 0) return figures;
  const why = built.stderr.trim().split("\n").at(-1) ?? "";
  return [...figures, { what: "packages", value: "not all built", how: why.slice(0, 200) }];
}
