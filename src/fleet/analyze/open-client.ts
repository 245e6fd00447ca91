import { EventHubConsumerClient } from "@azure/event-hubs";
import type { TokenCredential } from "@azure/identity";
import type { FleetRecord } from "../../posture/fleet/partition-analyzer.ts";
import type { AnalyzeStore } from "./store.ts";

/** How an event hub is reached. */
export type ClientForm = {
  readonly source: FleetRecord["source"];
  readonly consumerGroup: string;
  readonly eventHub: string;
  readonly strategy: "greedy" | "balanced";
  readonly intervalMs: number;
  readonly expiryMs: number;
} & (
  | { readonly connectionString: string }
  | { readonly namespace: string; readonly credential: TokenCredential }
);

export interface OpenedClient {
  readonly client: EventHubConsumerClient;
  readonly source: FleetRecord["source"];
  readonly consumerGroup: string;
}

/** Makes a client; a closed one cannot be opened again. */
export interface ClientFactory {
  (store: AnalyzeStore): OpenedClient;
  readonly kind: FleetRecord["source"];
}

/** Retries of one operation; the load balancing then begins anew. */
const RETRIES = { maxRetries: 3, retryDelayInMs: 1_000, maxRetryDelayInMs: 10_000 };

/** The connection string must have been looked at: see `connectionFacts`. */
export function clientFactory(form: ClientForm): ClientFactory {
  const { source, consumerGroup, eventHub } = form;
  const options = {
    loadBalancingOptions: {
      strategy: form.strategy,
      updateIntervalInMs: form.intervalMs,
      partitionOwnershipExpirationIntervalInMs: form.expiryMs,
    },
    retryOptions: RETRIES,
  };
  const create = (store: AnalyzeStore): OpenedClient => {
    const client =
      "connectionString" in form
        ? new EventHubConsumerClient(consumerGroup, form.connectionString, eventHub, store, options)
        : new EventHubConsumerClient(
            consumerGroup,
            form.namespace,
            eventHub,
            form.credential,
            store,
            options,
          );
    return { client, source, consumerGroup };
  };
  return Object.assign(create, { kind: source });
}
