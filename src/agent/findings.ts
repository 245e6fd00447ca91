import type { ConfigurationFinding, DiagnosticFinding } from "../contract/agent-facts.ts";

/** A bounded channel: what is published before anybody listens waits, the oldest gives way. */
export interface Channel<T> {
  publish(value: T): void;
  /** Delivers what waits, then everything that follows; returns a function that unsubscribes. */
  subscribe(listen: (value: T) => void): () => void;
  /** Values that gave way. */
  readonly lost: number;
}

export function createChannel<T>(limit: number): Channel<T> {
  const waiting: T[] = [];
  let listener: ((value: T) => void) | undefined;
  let lost = 0;
  return {
    publish(value) {
      if (listener !== undefined) {
        listener(value);
        return;
      }
      waiting.push(value);
      if (waiting.length > limit) {
        waiting.shift();
        lost += 1;
      }
    },
    subscribe(listen) {
      listener = listen;
      for (const value of waiting.splice(0)) listen(value);
      return () => {
        if (listener === listen) listener = undefined;
      };
    },
    get lost() {
      return lost;
    },
  };
}

/** What the agent finds about itself, on its way to the collectors that report it. */
export interface Findings {
  readonly configuration: Channel<ConfigurationFinding>;
  readonly diagnostics: Channel<DiagnosticFinding>;
}

const WAITING_LIMIT = 64;

export function createFindings(): Findings {
  return {
    configuration: createChannel<ConfigurationFinding>(WAITING_LIMIT),
    diagnostics: createChannel<DiagnosticFinding>(WAITING_LIMIT),
  };
}
