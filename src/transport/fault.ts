import { describeError } from "../contract/errors.ts";
import type { ConnectionFault } from "../contract/transport.ts";
import type { Patience } from "./backoff.ts";

/** Why a connection could not be had or was lost, in the operator's words. No secret. */
export interface Fault {
  readonly fault: ConnectionFault;
  readonly detail: string;
  readonly remedy: string;
}

export function fault(kind: ConnectionFault, detail: string, remedy: string): Fault {
  return { fault: kind, detail: detail.slice(0, 300), remedy };
}

/** What is known of the surroundings when a failure is judged. */
export interface FaultContext {
  /** `host:port` that was dialled. */
  readonly address: string;
  /** False when the kernel says that the clock is not synchronised. */
  readonly isClockSynchronised: boolean | undefined;
}

/** Waiting times by fault. */
export function patienceFor(kind: ConnectionFault): Patience {
  if (kind === "credentials" || kind === "token-expired" || kind === "provisioning") {
    return "credentials";
  }
  if (kind === "throttled" || kind === "evicted") return kind;
  return "normal";
}

const CLOCK_REMEDY =
  "set the clock: is chrony, ntpd or systemd-timesyncd running and synchronised?";

/** Codes of TLS verification failures. Source: OpenSSL X509_verify_cert, tls(node) error codes. */
const TLS_REMEDIES: Readonly<Record<string, readonly [detail: string, remedy: string]>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: [
    "the certificate is for another host name",
    "connect by a name that the certificate carries, or renew the server's certificate",
  ],
  CERT_HAS_EXPIRED: [
    "the server's certificate has expired",
    "renew the server's certificate, and check this device's date",
  ],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    "the certificate's issuer is not trusted",
    "name the CA file of the server, or of a TLS-inspecting proxy, in the configuration",
  ],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [
    "the certificate's issuer is not trusted",
    "name the CA file of the server, or of a TLS-inspecting proxy, in the configuration",
  ],
  SELF_SIGNED_CERT_IN_CHAIN: [
    "the certificate's root is not trusted",
    "name the CA file of the server, or of a TLS-inspecting proxy, in the configuration",
  ],
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    "the server's certificate is self-signed and not trusted",
    "name the CA file of the server in the configuration",
  ],
  CERT_SIGNATURE_FAILURE: [
    "the certificate's signature does not match the trusted CA of that name",
    "replace the CA file: it has the right name but another key",
  ],
  CERT_REVOKED: ["the server's certificate is revoked", "renew the server's certificate"],
  ERR_TLS_CERT_MINIMUM_VERSION: ["no common TLS version", "the server must offer TLS 1.2 or newer"],
};

/** Codes of failures below TLS. Source: connect(2), getaddrinfo(3). */
const NETWORK_REMEDIES: Readonly<Record<string, readonly [detail: string, remedy: string]>> = {
  ECONNREFUSED: ["connection refused", "is the port right, and is a firewall rejecting it?"],
  ENOTFOUND: ["host name not found", "check the host name and the device's DNS servers"],
  EAI_AGAIN: ["DNS does not answer", "check the device's DNS servers and its network"],
  ENETUNREACH: ["network unreachable", "check the device's network and its default route"],
  EHOSTUNREACH: ["host unreachable", "check the device's network and its firewall"],
  ETIMEDOUT: ["connection timed out", "is outbound traffic to this port allowed?"],
  ECONNRESET: ["connection reset", "a firewall or proxy may cut it; it is retried"],
  EPIPE: ["connection lost", "check the device's network; it is retried"],
};

/** The code of an error that Node threw, or of the first inner one (several addresses were tried). */
export function errorCodeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  if ("errors" in error && Array.isArray(error.errors)) return errorCodeOf(error.errors[0]);
  return "";
}

/** Judges a failure to reach the server: network, proxy or TLS. */
export function faultOfDialError(error: unknown, context: FaultContext): Fault {
  if (error instanceof FaultError) return error.reason;
  const code = errorCodeOf(error);
  const at = `${context.address}: `;
  if (code === "CERT_NOT_YET_VALID") {
    return fault("clock-skew", `${at}the certificate is not valid yet`, CLOCK_REMEDY);
  }
  if (code === "CERT_HAS_EXPIRED" && context.isClockSynchronised === false) {
    const detail = `${at}the certificate looks expired, but this clock is not synchronised`;
    return fault("clock-skew", detail, CLOCK_REMEDY);
  }
  const tls = TLS_REMEDIES[code];
  if (tls !== undefined) return fault("tls", `${at}${tls[0]} (${code})`, tls[1]);
  const network = NETWORK_REMEDIES[code];
  if (network !== undefined)
    return fault("unreachable", `${at}${network[0]} (${code})`, network[1]);
  if (/^ERR_(?:SSL|TLS)|^ERR_OSSL/.test(code) || /\bSSL routines\b/.test(describeError(error))) {
    const remedy = "the server must offer TLS 1.2 or newer; a client certificate may be refused";
    return fault("tls", `${at}TLS handshake failed (${code})`, remedy);
  }
  const remedy = "check the address, the port and the device's network";
  return fault("unreachable", `${at}${describeError(error)}`, remedy);
}

/** Judges a CONNACK that refuses. `version` 4 is MQTT 3.1.1. Source: MQTT 3.1.1 §3.2.2.3, 5.0 §3.2.2.2. */
export function faultOfConnack(code: number, context: FaultContext): Fault {
  const isCredentials = [4, 5, 0x86, 0x87, 0x8a, 0x8c].includes(code);
  if (isCredentials && context.isClockSynchronised === false) {
    const detail = `the hub refused the credentials (CONNACK ${code}), and this clock is not synchronised`;
    return fault("clock-skew", detail, CLOCK_REMEDY);
  }
  if (isCredentials) {
    const remedy =
      "check the key or certificate, that the identity exists and is enabled, the hub's name and the clock";
    return fault("credentials", `the hub refused the credentials (CONNACK ${code})`, remedy);
  }
  if ([3, 0x88, 0x89, 0x97, 0x9f].includes(code)) {
    const remedy = "the hub is busy or its quota is used up; it is retried slowly";
    return fault("throttled", `the hub is unavailable or throttling (CONNACK ${code})`, remedy);
  }
  const remedy = "is the address a hub's MQTT port, and are the identity's names right?";
  return fault("protocol", `the hub refused the connection (CONNACK ${code})`, remedy);
}

/** Carries a fault through code that throws. */
export class FaultError extends Error {
  readonly reason: Fault;

  constructor(reason: Fault) {
    super(reason.detail);
    this.name = "FaultError";
    this.reason = reason;
  }
}
