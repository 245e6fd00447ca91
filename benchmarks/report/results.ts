/** The recorded results: docs/benchmarks/results.json. */
import { existsSync, readFileSync } from "node:fs";
import type { ChartPlan, Figure } from "../benchmark.ts";

/** One benchmark's figures, and how that run was made. */
export interface Section {
  readonly name: string;
  readonly question: string;
  /** Machine, kernel, Node and commit. */
  readonly facts: readonly string[];
  /** ISO date of the run. */
  readonly date: string;
  readonly mode: "full" | "quick" | "check";
  /** What the reader should know of the run, such as a busy machine. */
  readonly remark?: string;
  readonly charts: readonly ChartPlan[];
  readonly figures: readonly Figure[];
}

export interface Results {
  readonly sections: readonly Section[];
}

/** No sections where there is no file. Sections of the first format, which had no dates, are left out. */
export function readResults(path: string): Results {
  if (!existsSync(path)) return { sections: [] };
  const read: { readonly sections?: readonly Partial<Section>[] } = JSON.parse(
    readFileSync(path, "utf8"),
  );
  return { sections: (read.sections ?? []).filter(isSection) };
}

function isSection(section: Partial<Section>): section is Section {
  return section.date !== undefined && section.charts !== undefined;
}

/** Sections of `latest` take the place of those with the same name; `order` are all names. */
export function mergeResults(
  recorded: Results,
  latest: readonly Section[],
  order: readonly string[],
): Results {
  const byName = new Map(recorded.sections.map((section) => [section.name, section]));
  for (const section of latest) byName.set(section.name, section);
  return { sections: order.flatMap((name) => byName.get(name) ?? []) };
}
