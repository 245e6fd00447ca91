import type { TLSSocket } from "node:tls";
import type { IConnectPacket } from "mqtt-packet";
import { checkToken, isNamed } from "./access-token.ts";
import type { HubIdentity } from "./hub-contract.ts";
import type { HubCore, IdentityRecord } from "./hub-model.ts";
import { eventsBag, identityName, identityPath } from "./hub-topics.ts";
import { apiVersionFault, type UserName } from "./user-name.ts";

/** Whether a client may connect. `expiresAtMs`: end of its token; undefined for X.509. */
export type Admission =
  | {
      readonly ok: true;
      readonly record: IdentityRecord;
      readonly expiresAtMs: number | undefined;
    }
  | { readonly ok: false; readonly why: string; readonly identity: HubIdentity | undefined };

/** A client certificate as TLS saw it. */
export interface ClientCertificate {
  readonly commonName: string;
  /** Chains to the hub's CA and holds now, or is allowed by its thumbprint. */
  readonly isTrusted: boolean;
}

type HubUserName = UserName & { readonly kind: "hub" };

/** Decides by names, API version, and then token or client certificate. */
export function admit(
  core: HubCore,
  user: HubUserName,
  packet: IConnectPacket,
  socket: TLSSocket,
): Admission {
  const { identity } = user;
  const record = core.find(identity);
  const refused = (why: string): Admission => ({ ok: false, why, identity });
  if (record === undefined) return refused(`no identity ${identityName(identity)}`);
  const certificate = clientCertificate(core, socket);
  const fault =
    nameFault(core, user, packet) ??
    certificateFault(certificate, identityName(identity)) ??
    willFault(packet, identity);
  if (fault !== undefined) return refused(fault);
  const password = packet.password?.toString("utf8") ?? "";
  if (password === "") {
    return certificate === undefined
      ? refused("neither a token nor a client certificate")
      : { ok: true, record, expiresAtMs: undefined };
  }
  const verdict = checkToken(password, {
    hostNames: core.traits.hostNames,
    resourcePath: identityPath(identity),
    keyBase64: record.key,
    nowMs: core.clock.nowMs(),
  });
  return verdict.ok ? { ok: true, record, expiresAtMs: verdict.expiresAtMs } : refused(verdict.why);
}

function nameFault(core: HubCore, user: HubUserName, packet: IConnectPacket): string | undefined {
  const { traits } = core;
  if (!isNamed(user.hub, traits.hostNames)) {
    return `'${user.hub.slice(0, 80)}' is another hub; this is ${traits.hostName}`;
  }
  if (packet.clientId !== identityName(user.identity)) {
    return "the client id is not that of the identity";
  }
  const version = user.parameters.get("api-version");
  return apiVersionFault(version, user.identity, traits.mustKnowApiVersion);
}

/** A certificate is optional, but one that is presented must be good. */
export function certificateFault(
  certificate: ClientCertificate | undefined,
  wantedName: string,
): string | undefined {
  if (certificate === undefined) return undefined;
  if (!certificate.isTrusted) return "the client certificate is not trusted, or its time is over";
  if (certificate.commonName === wantedName) return undefined;
  return `the client certificate is for '${certificate.commonName.slice(0, 80)}'`;
}

/** Source: IoT Hub, MQTT support: a will goes to the device's own events topic. */
function willFault(packet: IConnectPacket, identity: HubIdentity): string | undefined {
  if (packet.will === undefined) return undefined;
  if (packet.will.qos === 2) return "a will with quality of service 2";
  return eventsBag(packet.will.topic, identity) === undefined
    ? "a will on a topic that is not the own events topic"
    : undefined;
}

/** The certificate that the client presented; undefined when there was none. */
export function clientCertificate(core: HubCore, socket: TLSSocket): ClientCertificate | undefined {
  const peer = socket.getPeerCertificate();
  // Node answers an empty object when there is none, against its types.
  if (typeof peer?.fingerprint256 !== "string") return undefined;
  const name: unknown = peer.subject?.CN;
  const prints = [peer.fingerprint, peer.fingerprint256].map((print) =>
    print.replaceAll(":", "").toLowerCase(),
  );
  return {
    commonName: typeof name === "string" ? name : "",
    isTrusted: socket.authorized || prints.some((print) => core.traits.thumbprints.has(print)),
  };
}
