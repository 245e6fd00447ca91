import type { DialTarget } from "./dial-target.ts";
import type { HubIdentity } from "./identity/hub-identity.ts";
import { proxyTargetOf } from "./reach.ts";
import { TlsTrust } from "./tls-trust.ts";
import type { NetworkOptions, TransportDeps } from "./transport-options.ts";

/** Source: IoT Hub documentation, "Use MQTT to communicate with IoT Hub", WebSockets. */
const WEB_SOCKET_PATH = "/$iothub/websocket";

/** Where an identity's hub is dialled; keeps the TLS context between connections. */
export class HubTarget {
  private readonly network: NetworkOptions;
  private readonly deps: TransportDeps;
  private trust: { readonly key: string; readonly trust: TlsTrust } | undefined;

  constructor(network: NetworkOptions | undefined, deps: TransportDeps) {
    this.network = network ?? {};
    this.deps = deps;
  }

  /** Rejects with FaultError when a certificate or the proxy's credentials are unusable. */
  async of(identity: HubIdentity): Promise<DialTarget> {
    const { port, protocol, proxy } = this.network;
    const isWebSocket = protocol === "websockets";
    return {
      host: identity.dialHost,
      port: port ?? identity.dialPort ?? (isWebSocket ? 443 : 8883),
      secureContext: await this.trustOf(identity).context(),
      proxy: await proxyTargetOf(proxy, this.deps),
      ...(isWebSocket ? { webSocketPath: WEB_SOCKET_PATH } : {}),
    };
  }

  private trustOf(identity: HubIdentity): TlsTrust {
    const { credential } = identity;
    const files =
      credential.kind === "certificate"
        ? { certificateFile: credential.certificateFile, keyFile: credential.keyFile }
        : {};
    const key = `${files.certificateFile ?? ""}|${files.keyFile ?? ""}`;
    if (this.trust?.key !== key) {
      const { caFile } = this.network;
      this.trust = { key, trust: new TlsTrust({ caFile, ...files }, this.deps) };
    }
    return this.trust.trust;
  }
}
