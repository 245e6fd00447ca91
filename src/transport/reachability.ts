import { describeError } from "../contract/errors.ts";
import { dial } from "./dial.ts";
import { authorityOf, type DialTarget } from "./dial-target.ts";
import { FaultError, faultOfDialError } from "./fault.ts";
import { HubTarget } from "./hub-target.ts";
import { openIdentitySource } from "./identity/open-identity-source.ts";
import { parseBrokerUrl } from "./mqtt/broker-address.ts";
import { faultContext, proxyTargetOf } from "./reach.ts";
import { TlsTrust } from "./tls-trust.ts";
import type {
  BrokerOptions,
  HubOptions,
  TransportDeps,
  TransportOptions,
} from "./transport-options.ts";

/** Whether the other side answers with a certificate that is trusted. */
export interface Reachability {
  /** `host:port`, empty when the transport has no other side. */
  readonly address: string;
  readonly isReachable: boolean;
  readonly detail: string;
  readonly remedy: string;
}

const DEADLINE_MS = 10_000;

/**
 * Opens the byte stream that MQTT would run on, TLS handshake included, and closes it again. Nobody
 * logs in: a second login would evict a running agent. Rejects with AgentError for options that a
 * person must correct.
 */
export async function checkReachability(
  options: TransportOptions,
  deps: TransportDeps,
): Promise<Reachability> {
  if (options.kind === "file") {
    return { address: "", isReachable: true, detail: `writes ${options.path}`, remedy: "" };
  }
  let address = "";
  try {
    const target =
      options.kind === "mqtt" ? await brokerTarget(options, deps) : await hubTarget(options, deps);
    address = authorityOf(target);
    return await tryDial(target, deps);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    const { detail, remedy } = error.reason;
    return { address, isReachable: false, detail, remedy };
  }
}

async function tryDial(target: DialTarget, deps: TransportDeps): Promise<Reachability> {
  const limit = new AbortController();
  const timer = deps.clock.after(DEADLINE_MS, () => limit.abort());
  const address = authorityOf(target);
  try {
    const stream = await dial(target, limit.signal);
    stream.on("error", () => undefined);
    stream.destroy();
    const detail = target.secureContext === undefined ? "connects, without TLS" : "TLS connects";
    return { address, isReachable: true, detail, remedy: "" };
  } catch (error) {
    const { detail, remedy } = faultOfDialError(error, faultContext(target, deps));
    return { address, isReachable: false, detail, remedy };
  } finally {
    timer.cancel();
  }
}

async function hubTarget(options: HubOptions, deps: TransportDeps): Promise<DialTarget> {
  const source = await openIdentitySource(options, deps);
  const identity = source.initial ?? (await source.resolve(new AbortController().signal));
  return new HubTarget(options.network, deps).of(identity);
}

async function brokerTarget(options: BrokerOptions, deps: TransportDeps): Promise<DialTarget> {
  const url = parseBrokerUrl(options.url);
  if (!url.ok) throw new Error(describeError(url.problem.detail));
  const { host, port, isTls, webSocketPath } = url.value;
  return {
    host,
    port,
    secureContext: isTls ? await new TlsTrust(options, deps).context() : undefined,
    proxy: await proxyTargetOf(options.proxy, deps),
    ...(webSocketPath === undefined ? {} : { webSocketPath }),
  };
}
