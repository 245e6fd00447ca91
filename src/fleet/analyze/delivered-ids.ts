import type { DeliveredId } from "./saved-partition.ts";

/** Ids kept besides those that a replay can make again: the margin costs 100 kB and one doubt less. */
const MARGIN = 1_000;
/** More than a partition makes between two checkpoints unless every device violates every rule. */
const MOST = 100_000;

/** The alerts that an output has, as far back as a replay from the checkpoint may make them again. */
export class DeliveredIds {
  readonly #sequenceNumbers = new Map<string, number>();
  #forgotten = 0;

  /** How many were let go although a replay might make them again. */
  get forgotten(): number {
    return this.#forgotten;
  }

  get size(): number {
    return this.#sequenceNumbers.size;
  }

  has(id: string): boolean {
    return this.#sequenceNumbers.has(id);
  }

  add(id: string, sequenceNumber: number): void {
    this.#sequenceNumbers.set(id, sequenceNumber);
    if (this.#sequenceNumbers.size <= MOST) return;
    const [oldest] = this.#sequenceNumbers.keys();
    if (oldest !== undefined) this.#sequenceNumbers.delete(oldest);
    this.#forgotten += 1;
  }

  /** Lets go of what was made at or before a sequence number, but for the newest of them. */
  prune(upTo: number): void {
    let spare = this.#sequenceNumbers.size - MARGIN;
    for (const [id, sequenceNumber] of this.#sequenceNumbers) {
      if (spare <= 0 || sequenceNumber > upTo) return;
      this.#sequenceNumbers.delete(id);
      spare -= 1;
    }
  }

  entries(): readonly DeliveredId[] {
    return [...this.#sequenceNumbers];
  }
}
