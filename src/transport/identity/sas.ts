import { createHmac } from "node:crypto";

/** encodeURIComponent leaves `!'()*` alone; the hub's canonical form does not. Source: RFC 3986 section 2.2. */
function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export interface SasRequest {
  /** What the token is for, not encoded: `hub/devices/d/modules/m`, `scope/registrations/r`. */
  readonly resource: string;
  /** Symmetric key, base64. */
  readonly keyBase64: string;
  /** End of the token's life, Unix seconds. */
  readonly expirySeconds: number;
  /** Policy name, only where the service asks for one (provisioning: `registration`). */
  readonly keyName?: string;
}

/**
 * Signs a shared access signature token. Source: IoT Hub documentation, "Control access to IoT Hub
 * using SAS tokens".
 */
export function signSas(request: SasRequest): string {
  const resource = encodeStrictly(request.resource);
  const signature = createHmac("sha256", Buffer.from(request.keyBase64, "base64"))
    .update(`${resource}\n${request.expirySeconds}`, "utf8")
    .digest("base64");
  const name = request.keyName === undefined ? "" : `&skn=${encodeStrictly(request.keyName)}`;
  const signed = `sr=${resource}&sig=${encodeStrictly(signature)}&se=${request.expirySeconds}`;
  return `SharedAccessSignature ${signed}${name}`;
}

/** Expiry of a token that somebody else signed, Unix seconds; undefined when it is no such token. */
export function expiryOfSas(token: string): number | undefined {
  const match = /^SharedAccessSignature (?:.*&)?se=(\d{1,12})(?:&|$)/.exec(token);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/**
 * The key of one device of a symmetric-key enrolment group. Source: Device Provisioning Service
 * documentation, "Symmetric key attestation", group enrolments.
 */
export function deriveDeviceKey(groupKeyBase64: string, registrationId: string): string {
  return createHmac("sha256", Buffer.from(groupKeyBase64, "base64"))
    .update(registrationId, "utf8")
    .digest("base64");
}

/** True for non-empty base64 in its one canonical form. */
export function isBase64Key(text: string): boolean {
  return text !== "" && Buffer.from(text, "base64").toString("base64") === text;
}
