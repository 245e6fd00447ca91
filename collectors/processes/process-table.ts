/** What is remembered of a running process. */
export interface KnownProcess {
  readonly executable: string;
}

/** Programs of running processes by pid. */
export interface ProcessTable {
  get(processId: number): KnownProcess | undefined;
  set(processId: number, process: KnownProcess): void;
  delete(processId: number): void;
  ids(): IterableIterator<number>;
}

/** Bounded: with more processes than that, the oldest are forgotten first and counted. */
export function createProcessTable(mostProcesses: number, onForgotten: () => void): ProcessTable {
  const known = new Map<number, KnownProcess>();
  return {
    get: (processId) => known.get(processId),
    set(processId, process) {
      // Set again, so that the order is that of the last execution.
      known.delete(processId);
      known.set(processId, process);
      if (known.size <= mostProcesses) return;
      const [oldest] = known.keys();
      if (oldest !== undefined) known.delete(oldest);
      onForgotten();
    },
    delete: (processId) => {
      known.delete(processId);
    },
    ids: () => known.keys(),
  };
}
