import type { LogsIngestionClient } from "@azure/monitor-ingestion";
import type { Clock } from "../../../contract/clock.ts";
import { describeError } from "../../../contract/errors.ts";
import type { AlertOutput, Delivery } from "../output.ts";
import { securityAlertRow } from "./alert-record.ts";

export interface LogsIngestionForm {
  /** Immutable id of the data collection rule, `dcr-…`. */
  readonly ruleId: string;
  /** Name of the stream in the rule, such as `Custom-SecurityAlert_CL`. */
  readonly streamName: string;
}

const MAX_ALERTS = 500;

/**
 * Rows for a custom table of a Log Analytics workspace, by a data collection rule. The service has no
 * idempotency: who queries takes the last row of each `SystemAlertId`.
 * Source: Azure Monitor, "Logs Ingestion API"; @azure/monitor-ingestion.
 */
export function createLogsIngestion(
  client: Pick<LogsIngestionClient, "upload">,
  form: LogsIngestionForm,
  clock: Clock,
): AlertOutput {
  return {
    name: "logsIngestion",
    maxAlerts: MAX_ALERTS,
    hasMemory: false,
    recall: async () => [],
    async deliver(alerts, place, signal) {
      const rows = alerts.map((alert) => ({ ...securityAlertRow(alert, place, clock.nowMs()) }));
      try {
        await client.upload(form.ruleId, form.streamName, rows, { abortSignal: signal });
        return { status: "delivered" };
      } catch (error) {
        return deliveryOf(error);
      }
    },
    async close() {},
  };
}

/** The client gathers the errors of its requests; one of them may be an object without a class. */
function deliveryOf(error: unknown): Delivery {
  const errors = error instanceof Error && "errors" in error ? error.errors : undefined;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const cause = first instanceof Object && "cause" in first ? first.cause : (first ?? error);
  const status = cause instanceof Object && "statusCode" in cause ? Number(cause.statusCode) : 0;
  const name = cause instanceof Error ? cause.name : "";
  const reason = `logs ingestion: ${status > 0 ? `${status} ` : ""}${describeError(cause)}`;
  if (
    status === 401 ||
    status === 403 ||
    status === 404 ||
    /Credential|Authentication/.test(name)
  ) {
    return { status: "retry", reason, needsPerson: true };
  }
  if (status === 400 || status === 413) return { status: "refused", reason };
  return { status: "retry", reason };
}
