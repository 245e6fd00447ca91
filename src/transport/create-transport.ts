import type { Transport } from "../contract/transport.ts";
import type { TransportDeps, TransportOptions } from "./transport-options.ts";

/**
 * Makes the chosen transport, not started; only its own code is loaded. Rejects with AgentError when
 * the options or an identity on the device are unusable: a person must act.
 */
export async function createTransport(
  options: TransportOptions,
  deps: TransportDeps,
): Promise<Transport> {
  if (options.kind === "iothub") {
    const { openIdentitySource } = await import("./identity/open-identity-source.ts");
    const { IotHubTransport } = await import("./iothub/iothub-transport.ts");
    return new IotHubTransport(options, deps, await openIdentitySource(options, deps));
  }
  if (options.kind === "iothub-sdk") {
    const { openIdentitySource } = await import("./identity/open-identity-source.ts");
    const { SdkTransport } = await import("./iothub-sdk/sdk-transport.ts");
    return new SdkTransport(options, deps, await openIdentitySource(options, deps));
  }
  if (options.kind === "mqtt") {
    const { MqttTransport } = await import("./mqtt/mqtt-transport.ts");
    return new MqttTransport(options, deps);
  }
  const { FileTransport } = await import("./file/file-transport.ts");
  return new FileTransport(options);
}
