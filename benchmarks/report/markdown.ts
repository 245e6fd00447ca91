/** The recorded results as a page. */
import { type Figure, isMeasurement, type Measurement } from "../benchmark.ts";
import { formatLimit, formatSpread, formatValue } from "./format.ts";
import type { Results, Section } from "./results.ts";

/** docs/benchmarks/results.md. `chartFiles` are the names of the charts that were drawn. */
export function resultsPage({ sections }: Results, chartFiles: ReadonlySet<string>): string {
  return [
    "# Benchmark results",
    "Written by `npm run bench`; what each benchmark is and how to repeat it: [README](README.md). Median and range of the repetitions. 1 MB is 1,000,000 bytes. A ratio is one of two medians of the same run; its range is what the ranges of both sides allow. Compare ratios before absolute values, and absolute values only within a section.",
    ...promises(sections),
    ...sections.flatMap((section) => sectionBlocks(section, chartFiles)),
    "",
  ]
    .join("\n\n")
    .replace(/\n{3,}/g, "\n\n");
}

function promises(sections: readonly Section[]): readonly string[] {
  const rows = sections.flatMap(({ name, figures }) =>
    figures.filter(isMeasurement).flatMap((figure) => {
      const limit = formatLimit(figure);
      const value = formatValue(figure.median, figure.unit);
      return limit === undefined ? [] : [tableRow([name, figure.name, value, limit])];
    }),
  );
  if (rows.length === 0) return [];
  return [
    "## What is promised",
    [...tableHead(["benchmark", "figure", "measured", "promised"]), ...rows].join("\n"),
  ];
}

function sectionBlocks(section: Section, chartFiles: ReadonlySet<string>): readonly string[] {
  const { name, question, facts, date, mode, remark, figures, charts } = section;
  const how = `${facts.join(" · ")} · ${date}${mode === "full" ? "" : ` · ${mode} run`}`;
  const drawn = charts.filter(({ id }) => chartFiles.has(`${id}.svg`));
  return [
    `## ${name}`,
    question,
    remark === undefined ? `${how}.` : `${how}. ${remark}.`,
    ...drawn.map(({ id, title }) => `![${title}](charts/${id}.svg)`),
    ...comparison(figures.filter(isMeasurement)),
    ...figureTable(figures.filter(isMeasurement)),
    ...noteTable(figures),
  ];
}

/** Rows are what was measured, columns who: the figures with a `cell`. */
function comparison(figures: readonly Measurement[]): readonly string[] {
  const cells = figures.filter(({ cell }) => cell !== undefined);
  if (cells.length === 0) return [];
  const rows = [...new Set(cells.map(({ cell }) => cell?.row ?? ""))];
  const columns = [...new Set(cells.map(({ cell }) => cell?.column ?? ""))];
  const textOf = (row: string, column: string): string => {
    const figure = cells.find(({ cell }) => cell?.row === row && cell.column === column);
    if (figure === undefined) return "";
    const isRange = figure.quotedFrom !== undefined && figure.low !== figure.high;
    return isRange ? formatSpread(figure) : formatValue(figure.median, figure.unit);
  };
  const lines = rows.map((row) => tableRow([row, ...columns.map((column) => textOf(row, column))]));
  return [[...tableHead(["", ...columns]), ...lines].join("\n")];
}

function figureTable(figures: readonly Measurement[]): readonly string[] {
  const measured = figures.filter(({ quotedFrom }) => quotedFrom === undefined);
  if (measured.length === 0) return [];
  const rows = measured.map((figure) =>
    tableRow([
      figure.name,
      formatValue(figure.median, figure.unit),
      formatSpread(figure),
      String(figure.repetitions),
      figure.better,
      `\`${figure.command}\``,
    ]),
  );
  const head = tableHead(["figure", "median", "range", "n", "better", "command"]);
  const table = [...head, ...rows].join("\n");
  if (rows.length <= 12) return [table];
  return [`<details><summary>All ${rows.length} figures</summary>`, table, "</details>"];
}

function noteTable(figures: readonly Figure[]): readonly string[] {
  const rows = figures.flatMap((figure) =>
    isMeasurement(figure) ? [] : [tableRow([figure.what, figure.value, figure.how])],
  );
  return rows.length === 0 ? [] : [[...tableHead(["note", "value", "how"]), ...rows].join("\n")];
}

function tableHead(cells: readonly string[]): readonly string[] {
  return [tableRow(cells), `|${cells.map(() => "---").join("|")}|`];
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
