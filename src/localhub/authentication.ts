import type { TLSSocket } from "node:tls";
import { checkToken } from "./access-token.ts";
import type { HubCore, IdentityRecord } from "./hub-core.ts";
import { identityName, identityPath, parseUserName } from "./hub-topics.ts";

/** The parts of a CONNECT packet that say who connects. */
export interface Credentials {
  readonly clientId: string;
  readonly userName: string | undefined;
  readonly password: string | undefined;
}

export type Admission =
  | { readonly ok: true; readonly record: IdentityRecord; readonly expiresAtMs: number }
  | { readonly ok: false; readonly why: string };

/** API versions that speak this dialect. Source: IoT Hub, MQTT support: username field. */
const OLDEST_API_VERSION = "2016-11-14";
const API_VERSION = /^\d{4}-\d{2}-\d{2}(?:-preview)?$/;

/** Decides whether a client may connect: names, API version, then token or client certificate. */
export function admit(core: HubCore, credentials: Credentials, socket: TLSSocket): Admission {
  if (core.faults.rejectAuthentication) return refused("authentication is switched off");
  const user = parseUserName(credentials.userName ?? "");
  if (user === undefined)
    return refused("the user name is not {hub}/{device}[/{module}]/?api-version=…");
  if (!API_VERSION.test(user.apiVersion) || user.apiVersion < OLDEST_API_VERSION) {
    return refused(`api-version '${user.apiVersion.slice(0, 40)}' is not supported`);
  }
  if (!isOwnName(core, user.hubName)) {
    return refused(`'${user.hubName.slice(0, 80)}' is another hub; this is ${core.hostName}`);
  }
  const record = core.find(user.identity);
  if (record === undefined) return refused(`no identity ${identityName(user.identity)}`);
  if (credentials.clientId !== identityName(user.identity)) {
    return refused("the client id is not that of the identity");
  }
  if (credentials.password !== undefined && credentials.password !== "") {
    const verdict = checkToken(credentials.password, {
      hostNames: core.hostNames,
      resourcePath: identityPath(user.identity),
      keyBase64: record.key,
      nowMs: core.clock.nowMs(),
    });
    return verdict.ok ? { ok: true, record, expiresAtMs: verdict.expiresAtMs } : verdict;
  }
  return admitCertificate(record, socket);
}

function admitCertificate(record: IdentityRecord, socket: TLSSocket): Admission {
  const name = clientCertificateName(socket);
  if (name === undefined) return refused("neither a token nor a trusted client certificate");
  if (name !== identityName(record.identity)) {
    return refused(`the client certificate is for '${name.slice(0, 80)}'`);
  }
  return { ok: true, record, expiresAtMs: Number.POSITIVE_INFINITY };
}

/** Common name of a client certificate that chains to the hub's CA. */
export function clientCertificateName(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined;
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  return typeof name === "string" ? name : undefined;
}

function isOwnName(core: HubCore, name: string): boolean {
  return core.hostNames.some((own) => own.toLowerCase() === name.toLowerCase());
}

function refused(why: string): { readonly ok: false; readonly why: string } {
  return { ok: false, why };
}
