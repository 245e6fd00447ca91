import type { TokenCredential } from "@azure/identity";
import { AgentError } from "../contract/errors.ts";
import type { SharedFolder } from "../contract/shared-folder.ts";
import type { AnalyzeConfig, EventHubConfig } from "../fleet/analyze/config.ts";
import { connectionFacts } from "../fleet/analyze/connection-string.ts";
import { type ClientFactory, clientFactory } from "../fleet/analyze/open-client.ts";
import type { AlertOutput } from "../fleet/analyze/output.ts";
import { createJsonLines, createLineOutput } from "../fleet/analyze/outputs/json-lines.ts";
import type { AnalyzeStore } from "../fleet/analyze/store.ts";
import { createFileStore } from "../fleet/analyze/stores/file-store.ts";
import { systemClock } from "../system/clock.ts";
import type { Environment } from "../system/environment.ts";
import { readSmallText } from "../system/files.ts";
import { readSecret } from "../system/secrets.ts";
import { openSharedFolder } from "../system/shared-folder.ts";

const SECOND_MS = 1_000;
const MEGABYTE = 1_000_000;
const MAX_CA_BYTES = 1_048_576;

export interface AssembleParts {
  readonly config: AnalyzeConfig;
  readonly environment: Environment;
  readonly state: SharedFolder;
  print(line: string): void;
}

/** The event hubs that the configuration names. Throws AGENT_CONFIG_INVALID and those of secrets. */
export async function clientsOf(parts: AssembleParts): Promise<readonly ClientFactory[]> {
  const { endpoint, logs } = parts.config;
  const made: ClientFactory[] = [];
  if (endpoint !== undefined) made.push(await clientOf("endpoint", endpoint, parts));
  if (logs !== undefined) made.push(await clientOf("logs", logs, parts));
  return made;
}

async function clientOf(
  source: "endpoint" | "logs",
  hub: EventHubConfig,
  { config, environment }: AssembleParts,
): Promise<ClientFactory> {
  const { strategy, intervalSeconds, expirySeconds } = config.balancing;
  const common = {
    source,
    consumerGroup: hub.consumerGroup,
    strategy,
    intervalMs: intervalSeconds * SECOND_MS,
    expiryMs: expirySeconds * SECOND_MS,
  };
  const variable = `GATEWARDEN_${source.toUpperCase()}_CONNECTION_STRING`;
  const connectionString =
    hub.connectionStringFile === undefined
      ? environment.variables[variable]
      : secretOf(hub.connectionStringFile, `the connection string of ${source}`, environment);
  if (connectionString !== undefined && connectionString !== "") {
    const facts = connectionFacts(connectionString, "the connection string");
    if (!facts.ok) throw invalid(source, `the connection string ${facts.problem.detail}`);
    const { eventHub = facts.value.eventHub } = hub;
    if (eventHub === undefined) throw invalid(source, "names no event hub (eventHub, EntityPath)");
    if (facts.value.eventHub !== undefined && facts.value.eventHub !== eventHub) {
      throw invalid(source, "eventHub is not the EntityPath of the connection string");
    }
    return clientFactory({ ...common, eventHub, connectionString });
  }
  if (hub.namespace === undefined || hub.eventHub === undefined) {
    throw invalid(source, `needs connectionStringFile, ${variable}, or namespace and eventHub`);
  }
  const credential = await azureCredential();
  return clientFactory({ ...common, eventHub: hub.eventHub, namespace: hub.namespace, credential });
}

/** Where alerts go, as the configuration names it. Packages of Azure are loaded for their output only. */
export async function outputsOf(parts: AssembleParts): Promise<readonly AlertOutput[]> {
  const { jsonLines, standardOutput, webhook, logsIngestion } = parts.config.outputs;
  const outputs: AlertOutput[] = [];
  if (jsonLines !== undefined) {
    const { folder, maxMegabytes, maxFiles } = jsonLines;
    const form = { maxBytes: maxMegabytes * MEGABYTE, maxFiles };
    outputs.push(createJsonLines(openSharedFolder(folder), form));
  }
  if (standardOutput) outputs.push(createLineOutput(parts.print));
  if (webhook !== undefined) {
    const { createWebhook } = await import("../fleet/analyze/outputs/webhook.ts");
    const { url, secretFile, secretHeader, caFile, timeoutSeconds, maxAlerts } = webhook;
    const value =
      secretFile === undefined
        ? undefined
        : secretOf(secretFile, "the secret of the webhook", parts.environment);
    outputs.push(
      createWebhook({
        url,
        secret: value === undefined ? undefined : { header: secretHeader, value },
        ca: caFile === undefined ? undefined : authorities(caFile),
        timeoutMs: timeoutSeconds * SECOND_MS,
        maxAlerts,
      }),
    );
  }
  if (logsIngestion !== undefined) {
    const { LogsIngestionClient } = await import("@azure/monitor-ingestion");
    const { createLogsIngestion } = await import("../fleet/analyze/outputs/logs-ingestion.ts");
    const { endpoint, ruleId, alertStream } = logsIngestion;
    const client = new LogsIngestionClient(endpoint, await azureCredential());
    outputs.push(createLogsIngestion(client, { ruleId, streamName: alertStream }, systemClock));
  }
  return outputs;
}

/** Checkpoints in the state folder, or in blob storage where the configuration says so. */
export async function storeOf({
  config,
  state,
  environment,
}: AssembleParts): Promise<AnalyzeStore> {
  if (config.blobStore === undefined) return createFileStore(state, systemClock);
  const { containerUrl, connectionStringFile } = config.blobStore;
  const { ContainerClient } = await import("@azure/storage-blob");
  const { createBlobStore } = await import("../fleet/analyze/stores/blob-store.ts");
  if (connectionStringFile === undefined) {
    return createBlobStore(new ContainerClient(containerUrl, await azureCredential()));
  }
  const secret = secretOf(connectionStringFile, "the key of the blob storage", environment);
  const name =
    new URL(containerUrl).pathname
      .split("/")
      .filter((part) => part !== "")
      .at(-1) ?? "";
  return createBlobStore(new ContainerClient(secret, name));
}

async function azureCredential(): Promise<TokenCredential> {
  const { DefaultAzureCredential } = await import("@azure/identity");
  return new DefaultAzureCredential();
}

function secretOf(reference: string, subject: string, environment: Environment): string {
  return readSecret(reference, subject, environment.credentialsDirectory);
}

function authorities(path: string): string {
  const read = readSmallText(path, MAX_CA_BYTES);
  if (read.ok) return read.value;
  throw invalid("outputs.webhook.caFile", `${path}: ${read.problem.detail}`);
}

function invalid(where: string, what: string): AgentError {
  return new AgentError("AGENT_CONFIG_INVALID", `${where}: ${what}`, {
    remedy: "See docs/analyze.md for a first configuration.",
  });
}
