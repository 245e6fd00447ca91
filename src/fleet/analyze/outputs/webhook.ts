import { createHash } from "node:crypto";
import { Agent, request } from "node:https";
import { rootCertificates } from "node:tls";
import { describeError } from "../../../contract/errors.ts";
import type { AlertOutput, Delivery, NumberedAlert } from "../output.ts";
import { alertRecord } from "./alert-record.ts";

export interface WebhookForm {
  /** `https:` only. */
  readonly url: string;
  /** Header that proves who we are, such as `Authorization`, and its value, read from a file. */
  readonly secret: { readonly header: string; readonly value: string } | undefined;
  /** PEM of authorities trusted besides the public ones. */
  readonly ca: string | undefined;
  readonly timeoutMs: number;
  readonly maxAlerts: number;
}

/** Of an answer only its status counts: it is not read further. */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * POSTs alerts as `{"alerts":[…]}`. The same alerts have the same `Idempotency-Key`, so that a receiver that
 * keeps it sees each delivery once; each alert has its own `id` as well, which never changes.
 * Source: draft-ietf-httpapi-idempotency-key-header, RFC 9110 section 10.2.3 (Retry-After).
 */
export function createWebhook(form: WebhookForm): AlertOutput {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 4,
    minVersion: "TLSv1.2",
    ...(form.ca === undefined ? {} : { ca: [...rootCertificates, form.ca] }),
  });
  return {
    name: "webhook",
    maxAlerts: form.maxAlerts,
    hasMemory: false,
    recall: async () => [],
    async deliver(alerts, place, signal) {
      const body = JSON.stringify({ alerts: alerts.map((alert) => alertRecord(alert, place)) });
      const answer = await post({ form, agent, body, key: keyOf(alerts), signal });
      return typeof answer === "string" ? { status: "retry", reason: answer } : deliveryOf(answer);
    },
    async close() {
      agent.destroy();
    },
  };
}

interface Answer {
  readonly statusCode: number;
  readonly retryAfter: string | undefined;
}

interface Post {
  readonly form: WebhookForm;
  readonly agent: Agent;
  readonly body: string;
  readonly key: string;
  readonly signal: AbortSignal;
}

/** What was answered, or in words why nothing was. */
function post({ form, agent, body, key, signal }: Post): Promise<Answer | string> {
  return new Promise((resolve) => {
    const outgoing = request(
      form.url,
      {
        method: "POST",
        agent,
        signal,
        timeout: form.timeoutMs,
        headers: {
          "Content-Type": "application/json",
          "Content-Length": Buffer.byteLength(body),
          "Idempotency-Key": key,
          ...(form.secret === undefined ? {} : { [form.secret.header]: form.secret.value }),
        },
      },
      (answer) => {
        answer.on("error", () => undefined);
        answer.resume();
        resolve({
          statusCode: answer.statusCode ?? 0,
          retryAfter: answer.headers["retry-after"],
        });
      },
    );
    // The timeout of a socket is one of silence: exactly what is meant.
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer in ${form.timeoutMs} ms`)));
    outgoing.on("error", (error) => resolve(describeError(error)));
    outgoing.end(body);
  });
}

function deliveryOf({ statusCode, retryAfter }: Answer): Delivery {
  if (statusCode >= 200 && statusCode < 300) return { status: "delivered" };
  const reason = `the webhook answers ${statusCode}`;
  if (statusCode === 401 || statusCode === 403 || statusCode === 404 || statusCode === 407) {
    return { status: "retry", reason, needsPerson: true };
  }
  if (statusCode === 408 || statusCode === 425 || statusCode === 429 || statusCode >= 500) {
    const seconds = Number(retryAfter ?? Number.NaN);
    const afterMs = Math.min(seconds * 1_000, MAX_RETRY_AFTER_MS);
    return { status: "retry", reason, ...(afterMs > 0 ? { afterMs } : {}) };
  }
  // A redirect would send the secret elsewhere: the address must be put right by a person.
  if (statusCode < 400) return { status: "retry", reason, needsPerson: true };
  return { status: "refused", reason };
}

function keyOf(alerts: readonly NumberedAlert[]): string {
  const hash = createHash("sha256");
  for (const { alert } of alerts) hash.update(`${alert.id}\n`);
  return hash.digest("hex").slice(0, 32);
}
