import type { DialTarget, ProxyTarget } from "./dial-target.ts";
import { authorityOf, parseAuthority } from "./dial-target.ts";
import { type FaultContext, FaultError, fault, faultOfConnack, faultOfDialError } from "./fault.ts";
import type { SessionRefusal } from "./mqtt-session.ts";
import type { ProxyOptions, TransportDeps } from "./transport-options.ts";

/** The proxy to dial, with its credentials read. Rejects with FaultError `unreachable` when unusable. */
export async function proxyTargetOf(
  options: ProxyOptions | undefined,
  deps: TransportDeps,
): Promise<ProxyTarget | undefined> {
  if (options === undefined) return undefined;
  const match = /^(https?):\/\/([^/@]+)\/?$/.exec(options.url);
  const authority = parseAuthority(match?.[2] ?? "", "proxy");
  if (match === null || !authority.ok) {
    const remedy = "write it as http://host:port; user and password go into the credentials file";
    throw new FaultError(fault("unreachable", "proxy: its URL is not usable", remedy));
  }
  const isTls = match[1] === "https";
  const { credentialsFile } = options;
  const credentials =
    credentialsFile === undefined
      ? ""
      : (await deps.readSecret(credentialsFile, "proxy credentials")).trim();
  const port = authority.value.port ?? (isTls ? 443 : 8080);
  return { host: authority.value.host, port, isTls, credentials };
}

/** The surroundings a failure is judged in. */
export function faultContext(target: DialTarget, deps: TransportDeps): FaultContext {
  return {
    address: authorityOf(target),
    isClockSynchronised: deps.isClockSynchronised?.(),
  };
}

/** The fault behind a session that was not granted. */
export function faultOfRefusal(refusal: SessionRefusal, context: FaultContext): FaultError {
  if (refusal.kind === "connack") return new FaultError(faultOfConnack(refusal.code, context));
  if (refusal.kind === "error") return new FaultError(faultOfDialError(refusal.error, context));
  const detail = `${context.address}: no CONNACK within the deadline`;
  const remedy = "is it an MQTT port, and is the link up?";
  return new FaultError(fault("timed-out", detail, remedy));
}
