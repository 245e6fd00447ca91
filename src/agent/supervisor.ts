import type { DiagnosticFinding } from "../contract/agent-facts.ts";
import type { Clock, Timer } from "../contract/clock.ts";
import type { Log } from "../contract/log.ts";
import type { PreviousEnd, RunRecord } from "./run-record.ts";

/** What supervision asks of the agent. */
export interface Supervised {
  /** What does not go on although it should, in a few words; undefined when all is well. */
  stuck(): string | undefined;
  /** One line on how things are. */
  statusLine(): string;
  report(finding: DiagnosticFinding): void;
}

/** Whom the supervisor tells. */
export interface Listener {
  alive(): void;
  status(line: string): void;
}

export interface SupervisorOptions {
  readonly agent: Supervised;
  readonly listener: Listener;
  readonly record: RunRecord;
  readonly clock: Clock;
  readonly log: Log;
  /** Longest silence that is allowed; undefined: nobody minds. */
  readonly watchdogMs: number | undefined;
  /** Looked after with every sign of life, and once soon after the start. */
  readonly memory?: { look(): void };
}

export interface Supervisor {
  stop(): void;
}

/** When the start is over, and what it left behind may go. */
const STARTED_MS = 15_000;
/** The status line and the note of life are kept up also where no watchdog asks. */
const UNWATCHED_INTERVAL_MS = 60_000;

/**
 * Tells systemd that the service is well, twice per watchdog interval, as long as it is: a timer that
 * fires shows that the event loop runs, and the agent itself says whether its work goes on. When it does
 * not, nothing is told any more, and systemd starts the service anew. Reports how the last run ended.
 */
export function superviseAgent(options: SupervisorOptions): Supervisor {
  const { agent, clock, listener, log, record, watchdogMs } = options;
  const intervalMs = watchdogMs === undefined ? UNWATCHED_INTERVAL_MS : watchdogMs / 2;
  let timer: Timer | undefined;
  let toldStuck: string | undefined;
  let toldStatus = "";

  function tick(): void {
    const stuck = agent.stuck();
    record.note(stuck);
    if (stuck === undefined) listener.alive();
    else if (stuck !== toldStuck) {
      log.error({ stuck }, "work does not go on; the watchdog will restart the agent");
    }
    toldStuck = stuck;
    const line = stuck === undefined ? agent.statusLine() : `stuck: ${stuck}`;
    if (line !== toldStatus) listener.status(line);
    toldStatus = line;
    options.memory?.look();
    timer = clock.after(intervalMs, tick);
  }

  const finding = previousEndFinding(record.previous);
  if (finding !== undefined) {
    log.warn({ end: record.previous.kind }, finding.message);
    agent.report(finding);
  }
  tick();
  const { memory } = options;
  const started = memory === undefined ? undefined : clock.after(STARTED_MS, () => memory.look());
  return {
    stop() {
      timer?.cancel();
      started?.cancel();
    },
  };
}

function previousEndFinding(previous: PreviousEnd): DiagnosticFinding | undefined {
  switch (previous.kind) {
    case "none":
      return undefined;
    case "power":
      return {
        severity: "Warning",
        message: "the device went off or restarted without stopping the agent",
        details: { PreviousEnd: "power" },
      };
    case "killed":
      return {
        severity: "Warning",
        message: "the agent was ended without being asked: killed, out of memory or a fault",
        details: { PreviousEnd: "killed" },
      };
    case "watchdog":
      return {
        severity: "Error",
        message: `the watchdog restarted the agent: ${previous.reason ?? "its event loop did not run"}`,
        details: {
          PreviousEnd: "watchdog",
          SilentSeconds: String(Math.round(previous.silentMs / 1_000)),
        },
      };
  }
}
