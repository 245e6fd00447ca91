import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawChart } from "../chart/draw-chart.ts";
import { resultsPage } from "./markdown.ts";
import type { Results, Section } from "./results.ts";

/** Writes results.json, results.md and charts/*.svg; charts that no figure belongs to any more go. */
export function writeResults(folder: string, results: Results): void {
  const charts = join(folder, "charts");
  mkdirSync(charts, { recursive: true });
  const drawn = new Set<string>();
  for (const section of results.sections) {
    for (const plan of section.charts) {
      const svg = drawChart(plan, section.figures, chartRemark(section));
      if (svg === undefined) continue;
      drawn.add(`${plan.id}.svg`);
      writeFileSync(join(charts, `${plan.id}.svg`), svg);
    }
  }
  for (const name of readdirSync(charts)) {
    if (name.endsWith(".svg") && !drawn.has(name)) rmSync(join(charts, name));
  }
  writeFileSync(join(folder, "results.json"), `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(folder, "results.md"), resultsPage(results, drawn));
}

function chartRemark({ facts, date, mode }: Section): string {
  return [...facts, date, ...(mode === "full" ? [] : [`${mode} run`])].join(" · ");
}
