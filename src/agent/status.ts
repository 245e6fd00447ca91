import type { JsonObject } from "../contract/json.ts";
import type { Settings } from "../contract/settings.ts";
import type { TransportStatus } from "../contract/transport.ts";
import type { DayFigures } from "../pipeline/ledger.ts";
import { QUEUES, type Spool } from "../pipeline/spool/spool-contract.ts";

export interface AgentStatusParts {
  readonly agentId: string;
  readonly agentVersion: string;
  readonly upSeconds: number;
  readonly transport: string;
  readonly connection: TransportStatus;
  readonly settings: Settings;
  readonly spool: Pick<Spool, "state">;
  readonly day: DayFigures;
  readonly quarantined: number;
  readonly collectors: JsonObject;
  readonly nextSnapshotInMs: number | undefined;
  readonly memory: JsonObject;
}

/** The answer to the direct method `status`: everything an operator asks first. */
export function agentStatus(parts: AgentStatusParts): JsonObject {
  const queues = QUEUES.map((queue) => {
    const { events, bytes, oldestAgeMs } = parts.spool.state(queue);
    return [queue, { events, bytes, oldestAgeMs: Math.round(oldestAgeMs) }];
  });
  return {
    agentId: parts.agentId,
    agentVersion: parts.agentVersion,
    upSeconds: parts.upSeconds,
    transport: parts.transport,
    connection: parts.connection.state,
    queues: Object.fromEntries(queues),
    last24Hours: { ...parts.day, fillRatio: Math.round(parts.day.fillRatio * 1_000) / 1_000 },
    quarantinedEvents: parts.quarantined,
    ...(parts.nextSnapshotInMs === undefined
      ? {}
      : { nextSnapshotInSeconds: Math.round(parts.nextSnapshotInMs / 1_000) }),
    collectors: parts.collectors,
    settings: parts.settings,
    memory: parts.memory,
  };
}
