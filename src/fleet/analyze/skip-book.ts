import type { PartitionAnalyzer } from "../../posture/fleet/partition-analyzer.ts";

/** What could not be used, by reason, over all analyzers that this process ever had. */
export class SkipBook {
  #analyzers: PartitionAnalyzer[] = [];
  readonly #past = new Map<string, number>();

  /** Counts an analyzer from now on. */
  follow(analyzer: PartitionAnalyzer): void {
    this.#analyzers.push(analyzer);
  }

  totals(): Readonly<Record<string, number>> {
    const sums = new Map(this.#past);
    for (const analyzer of this.#analyzers) add(sums, analyzer);
    return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** The analyzer has had its last record: it need not be kept for its counts. */
  retire(analyzer: PartitionAnalyzer): void {
    if (!this.#analyzers.includes(analyzer)) return;
    this.#analyzers = this.#analyzers.filter((one) => one !== analyzer);
    add(this.#past, analyzer);
  }
}

function add(sums: Map<string, number>, analyzer: PartitionAnalyzer): void {
  for (const [reason, count] of Object.entries(analyzer.counts().skipped)) {
    sums.set(reason, (sums.get(reason) ?? 0) + count);
  }
}
