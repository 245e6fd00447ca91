import { AgentError } from "../../contract/errors.ts";
import { parseAuthority } from "../dial-target.ts";
import { expiryOfSas, isBase64Key } from "./sas.ts";

/** How the identity proves itself. Never logged. */
export type Credential =
  | { readonly kind: "key"; readonly keyBase64: string }
  /** A token that somebody else signed: it cannot be renewed here. */
  | { readonly kind: "token"; readonly token: string; readonly expirySeconds: number }
  | { readonly kind: "certificate"; readonly certificateFile: string; readonly keyFile: string };

/** Who connects, to what, and with what proof. */
export interface HubIdentity {
  /** The hub's name as tokens and user names carry it, without port. */
  readonly hostName: string;
  /** Where to dial and which name the certificate must carry: the gateway, or the hub itself. */
  readonly dialHost: string;
  readonly dialPort: number | undefined;
  readonly hasGateway: boolean;
  readonly deviceId: string;
  readonly moduleId: string | undefined;
  readonly credential: Credential;
}

const REMEDY =
  "copy the connection string of the module (or device) from the hub, or have it written again";

function invalid(what: string): AgentError {
  return new AgentError("AGENT_IDENTITY_INVALID", `identity: ${what}`, { remedy: REMEDY });
}

const KNOWN = [
  "HostName",
  "DeviceId",
  "ModuleId",
  "SharedAccessKey",
  "SharedAccessSignature",
  "GatewayHostName",
  "x509",
] as const;

/** Splits `Name=value;…` at the first `=` of each part. Throws AGENT_IDENTITY_INVALID without quoting values. */
function partsOf(text: string): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  for (const part of text.trim().split(";")) {
    if (part.trim() === "") continue;
    const at = part.indexOf("=");
    // A part that is not of this form may be a piece of the key: it is not quoted.
    if (at <= 0) throw invalid("the connection string has a part that is not Name=value");
    const name = part.slice(0, at).trim();
    if (name === "SharedAccessKeyName") {
      throw invalid("this is a service policy's connection string, not a module's or device's");
    }
    if (!KNOWN.some((known) => known === name)) {
      throw invalid(`the connection string has an unknown part${describeName(name)}`);
    }
    if (parts.has(name)) throw invalid(`${name} is in the connection string twice`);
    parts.set(name, part.slice(at + 1).trim());
  }
  return parts;
}

/** A name is quoted only when it is a known one misspelt in case: any other may be a piece of the key. */
function describeName(name: string): string {
  const meant = KNOWN.find((known) => known.toLowerCase() === name.toLowerCase());
  return meant === undefined ? "" : ` (${meant} in other letter case)`;
}

/** Fields of an identity before they are checked; from a connection string, options or provisioning. */
export interface IdentityFields {
  readonly hostName: string | undefined;
  readonly deviceId: string | undefined;
  readonly moduleId?: string | undefined;
  readonly gatewayHostName?: string | undefined;
  readonly credential: Credential;
}

/**
 * Checks and completes an identity. Host names may carry `:port`; with a gateway, only the gateway's
 * port counts. Throws AGENT_IDENTITY_INVALID naming the part.
 */
export function hubIdentity(fields: IdentityFields): HubIdentity {
  const host = authority(fields.hostName, "HostName");
  const gateway =
    fields.gatewayHostName === undefined
      ? undefined
      : authority(fields.gatewayHostName, "GatewayHostName");
  const dialled = gateway ?? host;
  return {
    hostName: host.host,
    dialHost: dialled.host,
    dialPort: dialled.port,
    hasGateway: gateway !== undefined,
    deviceId: checkedId(fields.deviceId, "DeviceId"),
    moduleId: fields.moduleId === undefined ? undefined : checkedId(fields.moduleId, "ModuleId"),
    credential: fields.credential,
  };
}

function authority(text: string | undefined, part: string) {
  if (text === undefined || text === "") throw invalid(`${part} is missing`);
  const parsed = parseAuthority(text, part);
  if (!parsed.ok) throw invalid(`${part} is ${parsed.problem.detail}`);
  return parsed.value;
}

/**
 * Ids as the hub allows them, less `#` and `+`, which no MQTT topic can carry. Source: IoT Hub
 * documentation, "Understand the identity registry"; MQTT 3.1.1 section 4.7.
 */
function checkedId(id: string | undefined, part: string): string {
  if (id === undefined || id === "") throw invalid(`${part} is missing`);
  if (/^[A-Za-z0-9\-:.%_*?!(),=@$']{1,128}$/.test(id)) return id;
  throw invalid(`${part} has characters that cannot be used over MQTT, or over 128 of them`);
}

/**
 * Reads a connection string of a device or module. `files` serve one that says `x509=true`. Throws
 * AGENT_IDENTITY_INVALID naming the missing or wrong part, never a value.
 */
export function parseConnectionString(
  text: string,
  files: {
    readonly certificateFile?: string | undefined;
    readonly keyFile?: string | undefined;
  } = {},
): HubIdentity {
  const parts = partsOf(text);
  return hubIdentity({
    hostName: parts.get("HostName"),
    deviceId: parts.get("DeviceId"),
    moduleId: parts.get("ModuleId"),
    gatewayHostName: parts.get("GatewayHostName"),
    credential: credentialOf(parts, files),
  });
}

function credentialOf(
  parts: ReadonlyMap<string, string>,
  files: { readonly certificateFile?: string | undefined; readonly keyFile?: string | undefined },
): Credential {
  if (parts.get("x509")?.toLowerCase() === "true") {
    const { certificateFile, keyFile } = files;
    if (certificateFile === undefined || keyFile === undefined) {
      throw invalid("x509=true needs a certificate file and a key file in the configuration");
    }
    return { kind: "certificate", certificateFile, keyFile };
  }
  const token = parts.get("SharedAccessSignature");
  if (token !== undefined) {
    const expirySeconds = expiryOfSas(token);
    if (expirySeconds === undefined) throw invalid("SharedAccessSignature is not a SAS token");
    return { kind: "token", token, expirySeconds };
  }
  const keyBase64 = parts.get("SharedAccessKey");
  if (keyBase64 === undefined || keyBase64 === "") throw invalid("SharedAccessKey is missing");
  return { kind: "key", keyBase64: checkedKey(keyBase64, "SharedAccessKey") };
}

/** The key itself when it is base64. Throws AGENT_IDENTITY_INVALID otherwise, without quoting it. */
export function checkedKey(key: string, part: string): string {
  if (isBase64Key(key)) return key;
  throw invalid(`${part} is not base64: was it cut when it was copied?`);
}
