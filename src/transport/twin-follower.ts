import type { Clock } from "../contract/clock.ts";
import type { Random } from "../contract/random.ts";
import type { Result } from "../contract/result.ts";
import type { DesiredUpdate } from "../contract/transport.ts";
import { backoffDelayMs } from "./backoff.ts";
import type { Timing } from "./transport-options.ts";

export type FullTwin = DesiredUpdate & { readonly kind: "full" };
export type TwinPatch = DesiredUpdate & { readonly kind: "patch" };

/** What became of one attempt to read the twin. */
export type TwinRead =
  | { readonly kind: "twin"; readonly twin: FullTwin }
  | { readonly kind: "silent" }
  | { readonly kind: "failed"; readonly what: string };

export interface FollowerParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly timing: Timing;
  /** One attempt, with its own deadline; never rejects. */
  get(): Promise<TwinRead>;
  /** The hub does not answer: the connection is useless. */
  giveUp(reason: string): void;
  onDesired(update: DesiredUpdate): void;
  onAnomaly(what: string): void;
}

/** Unanswered reads in a row after which the connection is dropped. */
const MOST_SILENCES = 2;
/** Patches kept while a read is under way; more than these and the read is simply repeated. */
const MOST_WAITING = 64;

/**
 * Desired properties of one connection: reads the twin whole, then follows patches by version. A patch
 * at or below the version in force is dropped, a gap or a broken patch leads to another read. Source:
 * IoT Hub documentation, "Understand device twins", device reconnection flow.
 */
export class TwinFollower {
  private readonly parts: FollowerParts;
  private readonly closing = new AbortController();
  private waiting: TwinPatch[] = [];
  private version: number | undefined;
  private isReading = false;
  private mustReadAgain = false;

  constructor(parts: FollowerParts) {
    this.parts = parts;
  }

  /**
   * Reads the twin and delivers it, then the patches that came meanwhile; retries with backoff until it
   * has it or the connection ends. Call it once the subscriptions stand. Never rejects.
   */
  async read(): Promise<void> {
    if (this.isReading) {
      this.mustReadAgain = true;
      return;
    }
    this.isReading = true;
    let failures = 0;
    let silences = 0;
    while (!this.isClosed) {
      this.mustReadAgain = false;
      const read = await this.parts.get();
      if (this.isClosed) break;
      silences = read.kind === "silent" ? silences + 1 : 0;
      if (silences >= MOST_SILENCES) {
        this.parts.giveUp("the hub does not answer twin reads");
        break;
      }
      if (read.kind === "failed") this.parts.onAnomaly(read.what);
      if (read.kind === "twin") {
        this.take(read.twin);
        if (!this.mustReadAgain) break;
      }
      failures = read.kind === "twin" ? 0 : failures + 1;
      const waitMs = backoffDelayMs(failures, this.parts.timing.backoff, this.parts.random);
      await this.parts.clock.sleep(waitMs, this.closing.signal);
    }
    this.isReading = false;
  }

  /** A desired patch came, well-formed or not. */
  onPatch(patch: Result<TwinPatch>): void {
    if (!patch.ok) {
      this.parts.onAnomaly(`${patch.problem.subject}: ${patch.problem.detail}`);
      this.readAgain();
    } else if (this.isReading || this.version === undefined) {
      if (this.waiting.length < MOST_WAITING) this.waiting.push(patch.value);
      else this.mustReadAgain = true;
    } else this.apply(patch.value);
  }

  /** The connection is over. */
  close(): void {
    this.closing.abort();
  }

  get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  private readAgain(): void {
    if (this.isReading) this.mustReadAgain = true;
    // `read` never rejects and ends with the connection.
    else this.read().catch(() => undefined);
  }

  private take(twin: FullTwin): void {
    this.version = twin.version;
    this.parts.onDesired(twin);
    const waiting = this.waiting.sort((a, b) => a.version - b.version);
    this.waiting = [];
    for (const patch of waiting) this.apply(patch);
  }

  private apply(patch: TwinPatch): void {
    const inForce = this.version ?? 0;
    if (patch.version <= inForce) return;
    if (patch.version > inForce + 1) {
      this.readAgain();
      return;
    }
    this.version = patch.version;
    this.parts.onDesired(patch);
  }
}
