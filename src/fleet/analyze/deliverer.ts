import type { Clock } from "../../contract/clock.ts";
import type { Log } from "../../contract/log.ts";
import type { Random } from "../../contract/random.ts";
import type { AlertOutput, NumberedAlert } from "./output.ts";
import type { Place } from "./place.ts";
import type { RunTotals } from "./run-totals.ts";

/** Delivers until it is done. */
export interface Deliverer {
  /** False when the signal ended it first. An alert that is refused for good is set aside and counts as done. */
  deliver(
    output: AlertOutput,
    alerts: readonly NumberedAlert[],
    place: Place,
    signal: AbortSignal,
  ): Promise<boolean>;
}

export interface DelivererParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly totals: RunTotals;
  /** Puts a refused alert where a person finds it. */
  setAside(output: string, alert: NumberedAlert, reason: string): void;
  readonly firstWaitMs?: number;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 60_000;
const MOST_DOUBLINGS = 10;

/** Tries for as long as it takes: an alert that nobody got must not be checkpointed away. */
export function createDeliverer(parts: DelivererParts): Deliverer {
  const { clock, random, log, totals } = parts;
  async function deliver(
    output: AlertOutput,
    alerts: readonly NumberedAlert[],
    place: Place,
    signal: AbortSignal,
  ): Promise<boolean> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const outcome = await output.deliver(alerts, place, signal);
      if (outcome.status === "delivered") {
        totals.delivered(alerts.length);
        return true;
      }
      if (outcome.status === "refused")
        return setAside(output, alerts, place, outcome.reason, signal);
      totals.retried();
      const fields = { output: output.name, reason: outcome.reason, attempt: attempt + 1 };
      if (outcome.needsPerson === true) log.error(fields, "output refuses us, alerts wait");
      else log.warn(fields, "output not reached, alerts wait");
      const windowMs =
        (parts.firstWaitMs ?? FIRST_WAIT_MS) * 2 ** Math.min(attempt, MOST_DOUBLINGS);
      const jittered = Math.min(windowMs, LONGEST_WAIT_MS) * (0.5 + random.fraction() / 2);
      await clock.sleep(Math.max(jittered, outcome.afterMs ?? 0), signal);
    }
    return false;
  }

  /** One bad alert must cost only itself. */
  async function setAside(
    output: AlertOutput,
    alerts: readonly NumberedAlert[],
    place: Place,
    reason: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const [first] = alerts;
    if (alerts.length > 1 || first === undefined) {
      for (const alert of alerts) {
        if (!(await deliver(output, [alert], place, signal))) return false;
      }
      return true;
    }
    totals.refused(1);
    log.error({ output: output.name, alert: first.alert.id, reason }, "alert refused, set aside");
    parts.setAside(output.name, first, reason);
    return true;
  }

  return { deliver };
}
