import { EventEmitter } from "node:events";
import { Duplex } from "node:stream";
// CommonJS: named imports would compile and then fail at start.
import azureDevice from "azure-iot-device";
import azureMqtt from "azure-iot-device-mqtt";

export type SdkClient = InstanceType<typeof azureDevice.ModuleClient>;
export type SdkTwin = Awaited<ReturnType<SdkClient["getTwin"]>>;
export type SdkMqtt = InstanceType<typeof azureMqtt.Mqtt>;
export type SdkMessage = InstanceType<typeof azureDevice.Message>;

export function sdkMessage(body: Uint8Array): SdkMessage {
  return new azureDevice.Message(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
}

/** Credentials in the SDK's own words. */
export interface SdkCredentials {
  readonly host: string;
  readonly deviceId: string;
  readonly moduleId: string | undefined;
  /** A SAS token; absent when the TLS client certificate authenticates. */
  readonly token: string | undefined;
}

/** The numbers of the SDK's AuthenticationType. */
const X509 = 0;
const TOKEN = 1;

/** Hands over credentials that are made elsewhere; the SDK's own providers renew behind our back. */
class FixedCredentials extends EventEmitter {
  readonly type: typeof X509 | typeof TOKEN;
  private readonly credentials: SdkCredentials;

  constructor(credentials: SdkCredentials) {
    super();
    this.credentials = credentials;
    this.type = credentials.token === undefined ? X509 : TOKEN;
  }

  getDeviceCredentials(callback?: (error: Error | undefined, config?: unknown) => void): unknown {
    const { host, deviceId, moduleId, token } = this.credentials;
    const config = {
      host,
      deviceId,
      ...(moduleId === undefined ? {} : { moduleId }),
      ...(token === undefined
        ? // TLS is ours and has the certificate; the SDK only checks that there is one.
          { x509: { cert: "in the TLS session", key: "in the TLS session" } }
        : { sharedAccessSignature: token }),
    };
    callback?.(undefined, config);
    return Promise.resolve(config);
  }

  /** Called by the SDK when it disconnects; there is no timer to stop. */
  stop(): void {
    this.removeAllListeners();
  }
}

export interface SdkParts {
  readonly credentials: SdkCredentials;
  /** Connected and secured; carries the one MQTT connection of this client. */
  readonly stream: Duplex;
  /** Called with the SDK's MQTT client (mqtt 4) before CONNECT is answered. */
  onMqttClient(client: EventEmitter): void;
}

/** Retries are ours: the SDK would keep operations for minutes and reconnect on its own. */
const NO_RETRY = { shouldRetry: () => false, nextRetryTimeout: () => -1 };

/** A client of the SDK, not opened, that can connect once: over the given stream. */
export function sdkClient(parts: SdkParts): {
  readonly client: SdkClient;
  readonly transport: SdkMqtt;
} {
  let transport: SdkMqtt | undefined;
  class StreamMqtt extends azureMqtt.Mqtt {
    constructor(provider: ConstructorParameters<typeof azureMqtt.Mqtt>[0]) {
      super(provider);
      useStream(this, parts);
      transport = this;
    }
  }
  const credentials = new FixedCredentials(parts.credentials);
  // A device's client and a module's differ only in what neither does here.
  const factory =
    parts.credentials.moduleId === undefined ? azureDevice.Client : azureDevice.ModuleClient;
  // The SDK's overloads of getDeviceCredentials cannot be written as one method.
  const provider = credentials as unknown as Parameters<
    typeof factory.fromAuthenticationProvider
  >[0];
  const client = factory.fromAuthenticationProvider(provider, StreamMqtt) as SdkClient;
  client.setRetryPolicy(NO_RETRY);
  if (transport === undefined) throw new Error("the SDK did not construct its transport");
  return { client, transport };
}

/**
 * Puts our stream under the SDK's MQTT engine. The seam is the `mqttProvider` that the SDK's tests use;
 * it is private in its typings, hence the reflection.
 */
function useStream(transport: SdkMqtt, parts: SdkParts): void {
  const base: unknown = Reflect.get(transport, "_mqtt");
  if (!(base instanceof EventEmitter)) throw new Error("the SDK has no MQTT base: other version?");
  const provider: unknown = Reflect.get(base, "mqttProvider");
  const mqttClient: unknown =
    typeof provider === "object" && provider !== null ? Reflect.get(provider, "MqttClient") : null;
  if (typeof mqttClient !== "function")
    throw new Error("the SDK has no MQTT client: other version?");
  let isUsed = false;
  const connect = (_uri: string, options: object): EventEmitter => {
    // The SDK connects again by itself when a call finds it disconnected; that must fail.
    const stream = isUsed ? new Duplex({ read: () => undefined }).destroy() : parts.stream;
    isUsed = true;
    const made: unknown = Reflect.construct(mqttClient, [
      () => stream,
      { ...options, reconnectPeriod: 0, resubscribe: false, queueQoSZero: false },
    ]);
    if (!(made instanceof EventEmitter)) throw new Error("the SDK's MQTT client is no emitter");
    made.on("error", () => undefined);
    parts.onMqttClient(made);
    return made;
  };
  Reflect.set(base, "mqttProvider", { connect });
}

/**
 * Turns off the cache of 65,536 small buffers in the SDK's copy of mqtt-packet: several megabytes to
 * spare some encoding. Where the copy lies elsewhere, the cache just stays.
 */
export async function withoutNumberCache(): Promise<void> {
  await import("azure-iot-mqtt-base/node_modules/mqtt-packet/mqtt.js").then(
    (packet) => {
      packet.default.writeToStream.cacheNumbers = false;
    },
    () => undefined,
  );
}
