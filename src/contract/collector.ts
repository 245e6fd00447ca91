import type { AgentFacts } from "./agent-facts.ts";
import type { Clock } from "./clock.ts";
import type { EventDraft, EventName } from "./event.ts";
import type { JsonValue } from "./json.ts";
import type { Log } from "./log.ts";
import type { Probe } from "./probe.ts";
import type { Problem } from "./result.ts";
import type { Infer, Schema } from "./schema.ts";
import type { SecretMask } from "./secret-mask.ts";
import type { Settings } from "./settings.ts";

/** What a collector needs from the system, and what is lost without it. Feeds docs and `doctor`. */
export interface Need {
  readonly kind: "capability" | "path" | "program" | "kernel-feature";
  /** `CAP_SYS_PTRACE`, a path, a program, or a kernel configuration symbol. */
  readonly what: string;
  readonly lostWithout: string;
}

/** One look at the device: "nothing there" is an event, "could not read" is a problem. */
export interface Snapshot {
  readonly events: readonly EventDraft[];
  /** What could not be read. Each is reported once per state change as a Diagnostic event. */
  readonly problems: readonly Problem[];
}

/**
 * What a snapshot collector returns when its signal aborts before it has seen everything: no half
 * truth, one problem.
 */
export function abandonedSnapshot(subject: string): Snapshot {
  const detail = "stopped before it was complete";
  return { events: [], problems: [{ code: "timed-out", subject, detail }] };
}

/** A small persistent value per collector, for positions in logs. */
export interface CursorStore {
  read(): JsonValue | undefined;
  /**
   * Survives `kill -9` when the call returns. At most 64 KiB. A disk that refuses costs no more than the
   * position: it is logged, the old value stays, and the next value is written as ever.
   */
  write(value: JsonValue): void;
}

export interface CollectorContext<S> {
  readonly settings: S;
  readonly probe: Probe;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts at the deadline and at shutdown. */
  readonly signal: AbortSignal;
  readonly cursor: CursorStore;
  /** The agent's own counters and findings. */
  readonly agent: AgentFacts;
  /** Takes secrets out of what others typed, before it is handed over. */
  readonly mask: SecretMask;
  /** Lets the rest of the agent run; call between portions of a long walk. */
  pause(): Promise<void>;
}

/** A running watch. `stop` is safe to call twice. */
export interface Watch {
  /** What it goes on without, such as a better source that is not to be had. */
  readonly problems?: readonly Problem[];
  stop(): Promise<void>;
}

interface CollectorBase<S extends Schema<unknown> = Schema<unknown>> {
  /** Folder name: `listening-ports`. */
  readonly name: string;
  /** One sentence, for documentation and `doctor`. */
  readonly summary: string;
  readonly eventName: EventName;
  readonly cost: "light" | "moderate" | "heavy";
  readonly needs: readonly Need[];
  /** Man pages, kernel documents and RFCs the collector relies on. */
  readonly sources: readonly string[];
  readonly settings: S;
  /**
   * What the module twin says of its settings, over those of the local configuration; absent: nothing.
   * When that changes, a watch begins anew and a snapshot is taken.
   */
  steer?(own: Infer<S>, settings: Settings): Infer<S>;
  /** Schema of one payload item. */
  readonly payload: Schema<unknown>;
  /** Events that come from the same look at the machine, each with the schema of its payload items. */
  readonly furtherEvents?: readonly EventOfCollector[];
}

export interface EventOfCollector {
  readonly eventName: EventName;
  readonly payload: Schema<unknown>;
}

/** Every kind of event that a collector reports. */
export function eventsOf(collector: Collector): readonly EventOfCollector[] {
  return [collector, ...(collector.furtherEvents ?? [])];
}

/** Looks when the schedule says so. */
export interface SnapshotCollector<S extends Schema<unknown> = Schema<unknown>>
  extends CollectorBase<S> {
  collect(context: CollectorContext<Infer<S>>): Promise<Snapshot>;
  /**
   * Where the kernel tells of changes: calls `onChange` when a new snapshot would differ, as often as it
   * likes. The agent takes the snapshot soon after, and seldom enough.
   */
  watchChanges?(context: CollectorContext<Infer<S>>, onChange: () => void): Promise<Watch>;
}

/** Listens while it is on. `emit` may be called at any time until `stop` resolves. */
export interface WatchCollector<S extends Schema<unknown> = Schema<unknown>>
  extends CollectorBase<S> {
  watch(
    context: CollectorContext<Infer<S>>,
    emit: (drafts: readonly EventDraft[]) => void,
  ): Promise<Watch>;
}

/** A collector whose settings type is sealed, so that collectors can sit in one list. */
export type Collector =
  | (Omit<SnapshotCollector, "collect" | "watchChanges"> & {
      readonly mode: "snapshot";
      collect(context: CollectorContext<unknown>): Promise<Snapshot>;
      watchChanges?(context: CollectorContext<unknown>, onChange: () => void): Promise<Watch>;
    })
  | (Omit<WatchCollector, "watch"> & {
      readonly mode: "watch";
      watch(
        context: CollectorContext<unknown>,
        emit: (drafts: readonly EventDraft[]) => void,
      ): Promise<Watch>;
    });

export function defineSnapshotCollector<S extends Schema<unknown>>(
  collector: SnapshotCollector<S>,
): Collector {
  const { watchChanges, ...rest } = collector;
  return {
    ...rest,
    mode: "snapshot",
    collect: (context) => collector.collect({ ...context, settings: context.settings as Infer<S> }),
    ...(watchChanges === undefined
      ? {}
      : {
          watchChanges: (context, onChange) =>
            watchChanges({ ...context, settings: context.settings as Infer<S> }, onChange),
        }),
  };
}

export function defineWatchCollector<S extends Schema<unknown>>(
  collector: WatchCollector<S>,
): Collector {
  return {
    ...collector,
    mode: "watch",
    watch: (context, emit) =>
      collector.watch({ ...context, settings: context.settings as Infer<S> }, emit),
  };
}
