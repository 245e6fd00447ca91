import type { LocalConfig } from "../config/schema.ts";
import type { TransportChoice } from "../config/transport-choice.ts";
import type {
  NetworkOptions,
  ProxyOptions,
  TransportOptions,
} from "../transport/transport-options.ts";

/** Names for a broker where the configuration gives none. */
export interface BrokerNames {
  readonly hostName: string;
  readonly agentId: string;
}

/** The transport's own options from what the configuration chose. */
export function transportOptionsOf(choice: TransportChoice, names: BrokerNames): TransportOptions {
  if (choice.kind === "file") {
    const { maxBytes, maxFiles } = choice.config;
    return { kind: "file", path: choice.path, maxBytes, maxFiles };
  }
  if (choice.kind === "mqtt") return brokerOptions(choice.url, choice.config, names);
  const { config } = choice;
  return {
    kind: choice.kind,
    identity: choice.identity,
    network: networkOptions(config),
    tokenLifetimeMinutes: config.tokenLifetimeMinutes,
    keepAliveSeconds: config.keepAliveSeconds,
    markAsSecurity: config.markAsSecurity,
    ...(config.modelId === undefined ? {} : { modelId: config.modelId }),
  };
}

function networkOptions(config: LocalConfig["iothub"]): NetworkOptions {
  return {
    protocol: config.protocol === "mqtt-ws" ? "websockets" : "mqtt",
    ...(config.port === undefined ? {} : { port: config.port }),
    ...(config.caFile === undefined ? {} : { caFile: config.caFile }),
    ...proxyOf(config),
  };
}

function proxyOf(config: {
  readonly proxy: string | undefined;
  readonly proxyPasswordFile: string | undefined;
}): { readonly proxy?: ProxyOptions } {
  if (config.proxy === undefined) return {};
  const credentialsFile = config.proxyPasswordFile;
  return {
    proxy: { url: config.proxy, ...(credentialsFile === undefined ? {} : { credentialsFile }) },
  };
}

function brokerOptions(
  url: string,
  config: LocalConfig["mqtt"],
  names: BrokerNames,
): TransportOptions {
  return {
    kind: "mqtt",
    url,
    deviceId: config.deviceId ?? names.hostName,
    agentId: names.agentId,
    topic: config.topic,
    keepAliveSeconds: config.keepAliveSeconds,
    ...(config.username === undefined ? {} : { userName: config.username }),
    ...(config.passwordFile === undefined ? {} : { passwordFile: config.passwordFile }),
    ...(config.certificateFile === undefined ? {} : { certificateFile: config.certificateFile }),
    ...(config.keyFile === undefined ? {} : { keyFile: config.keyFile }),
    ...(config.caFile === undefined ? {} : { caFile: config.caFile }),
    ...proxyOf(config),
  };
}
