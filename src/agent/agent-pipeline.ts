import type { DiagnosticFinding } from "../contract/agent-facts.ts";
import type { Clock } from "../contract/clock.ts";
import { type Collector, eventsOf } from "../contract/collector.ts";
import type { Log } from "../contract/log.ts";
import type { Random } from "../contract/random.ts";
import type { SecretMask } from "../contract/secret-mask.ts";
import type { Settings } from "../contract/settings.ts";
import type { Transport } from "../contract/transport.ts";
import { createAggregator } from "../pipeline/aggregate/aggregator.ts";
import type { EnvelopeFacts } from "../pipeline/envelope.ts";
import type { Ledger } from "../pipeline/ledger.ts";
import { createPipeline, type Pipeline } from "../pipeline/pipeline.ts";
import type { SentMessage } from "../pipeline/sender.ts";
import type { Spool } from "../pipeline/spool/spool-contract.ts";

export interface AgentPipelineOptions {
  readonly collectors: readonly Collector[];
  readonly settings: Settings;
  readonly spool: Spool;
  readonly spoolFolder: string;
  readonly ledger: Ledger;
  readonly envelope: EnvelopeFacts;
  readonly mask: SecretMask;
  readonly transport: Pick<Transport, "send" | "maxMessageBytes">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly onSent: (sent: SentMessage) => void;
  readonly onDiagnostic: (finding: DiagnosticFinding) => void;
}

/** The pipeline of an agent: what goes wrong in it is logged, and told where the owner looks. */
export function createAgentPipeline(options: AgentPipelineOptions): Pipeline {
  const { clock, random, log, transport, spool, ledger, settings, envelope, mask } = options;
  return createPipeline({
    spool,
    ledger,
    clock,
    random,
    settings,
    envelope,
    payloadSchemas: new Map(
      options.collectors.flatMap(eventsOf).map(({ eventName, payload }) => [eventName, payload]),
    ),
    transportMaxBytes: transport.maxMessageBytes,
    mask,
    aggregator: (emit) =>
      createAggregator({
        journalPath: `${options.spoolFolder}/aggregation`,
        settings: settings.aggregation,
        clock,
        log,
        emit,
      }),
    send: (message, signal) => transport.send(message, signal),
    onSent: options.onSent,
    onQuarantined: (name, reason) => {
      log.error({ event: name, reason }, "event does not conform to its schema, kept back");
    },
    onRefused: (name, reason) => {
      log.error({ event: name, reason }, "hub refuses an event for good, dropped");
      options.onDiagnostic({
        severity: "Error",
        message: `the hub refused a ${name} event: ${reason}`,
        details: { Event: name },
      });
    },
    onFault: (reason) => log.error({ reason }, "sending failed unexpectedly, it goes on"),
  });
}
