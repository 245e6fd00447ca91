import type { Clock } from "../../contract/clock.ts";
import { FaultError, fault } from "../fault.ts";
import type { HubIdentity } from "./hub-identity.ts";
import { signSas } from "./sas.ts";

/** Source: IoT Hub documentation, "Use MQTT to communicate with IoT Hub", user name field. */
const API_VERSION = "2021-04-12";

export function clientIdOf(identity: HubIdentity): string {
  const { deviceId, moduleId } = identity;
  return moduleId === undefined ? deviceId : `${deviceId}/${moduleId}`;
}

/** The MQTT user name. `modelId` is a digital twin model id and goes unescaped, as the service expects. */
export function userNameOf(
  identity: HubIdentity,
  agentVersion: string,
  modelId: string | undefined,
): string {
  const model = modelId === undefined ? "" : `&model-id=${modelId}`;
  const client = encodeURIComponent(`gatewarden/${agentVersion}`);
  return `${identity.hostName}/${clientIdOf(identity)}/?api-version=${API_VERSION}${model}&DeviceClientType=${client}`;
}

export interface Password {
  /** Absent for X.509. */
  readonly text: string | undefined;
  /** When the token ends, wall clock ms; undefined for X.509. */
  readonly expiresAtMs: number | undefined;
  /** A token of somebody else cannot be replaced before it ends. */
  readonly isRenewable: boolean;
}

/** The MQTT password of this moment. Throws FaultError `token-expired` for a given token past its end. */
export function passwordOf(identity: HubIdentity, clock: Clock, lifetimeMs: number): Password {
  const { credential } = identity;
  if (credential.kind === "certificate") {
    return { text: undefined, expiresAtMs: undefined, isRenewable: false };
  }
  if (credential.kind === "token") {
    const expiresAtMs = credential.expirySeconds * 1_000;
    if (expiresAtMs <= clock.nowMs()) {
      const remedy = "write a new token, or use the key: then tokens are signed and renewed here";
      throw new FaultError(fault("token-expired", "the given SAS token has expired", remedy));
    }
    return { text: credential.token, expiresAtMs, isRenewable: false };
  }
  const expirySeconds = Math.ceil((clock.nowMs() + lifetimeMs) / 1_000);
  const resource = resourceOf(identity);
  const text = signSas({ resource, keyBase64: credential.keyBase64, expirySeconds });
  return { text, expiresAtMs: expirySeconds * 1_000, isRenewable: true };
}

/** What a token of this identity is for. */
export function resourceOf(identity: HubIdentity): string {
  const module = identity.moduleId === undefined ? "" : `/modules/${identity.moduleId}`;
  return `${identity.hostName}/devices/${identity.deviceId}${module}`;
}

/** Renewal happens in the last quarter of a token's life, at a moment of chance, so that a fleet spreads. */
export function renewalDelayMs(lifetimeMs: number, fraction: number): number {
  return lifetimeMs * (0.75 + 0.15 * fraction);
}
