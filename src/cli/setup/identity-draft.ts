import { AgentError } from "../../contract/errors.ts";
import type { JsonObject } from "../../contract/json.ts";
import { credentialReference } from "../../system/secrets.ts";
import {
  checkedKey,
  type HubIdentity,
  parseConnectionString,
} from "../../transport/identity/hub-identity.ts";
import { type CertificatePair, checkCertificate } from "./client-certificate.ts";

/** Who the agent is to be, with its secrets as texts: from options or from answers. */
export type GivenIdentity =
  | {
      readonly kind: "connection-string";
      readonly text: string;
      /** For a connection string that says `x509=true`. */
      readonly certificate: CertificatePair | undefined;
      readonly gatewayHost: string | undefined;
    }
  | {
      readonly kind: "x509";
      readonly hostName: string;
      readonly deviceId: string;
      readonly moduleId: string | undefined;
      readonly certificate: CertificatePair;
      readonly gatewayHost: string | undefined;
    }
  | {
      readonly kind: "provisioning";
      readonly idScope: string;
      readonly registrationId: string;
      readonly moduleId: string | undefined;
      /** Host name, with a port if need be; undefined for the global one. */
      readonly endpoint: string | undefined;
      readonly proof:
        | { readonly kind: "symmetric-key" | "group-key"; readonly key: string }
        | { readonly kind: "x509"; readonly certificate: CertificatePair };
    };

/** An identity as it goes into the configuration and into the folder of credentials. */
export interface IdentityDraft {
  /** Keys of the section `iothub`. */
  readonly iothub: JsonObject;
  /** Texts by file name in the folder of credentials. */
  readonly credentials: ReadonlyMap<string, string>;
  /** What it is, in words without a secret. */
  readonly summary: string;
  /** What is doubtful but works. */
  readonly notes: readonly string[];
  /** It acts as the device itself, not as a module. */
  readonly isDevice: boolean;
}

/** File names in the folder of credentials. */
export const CREDENTIAL_FILES = {
  connectionString: "iothub-connection-string",
  certificate: "iothub-certificate",
  key: "iothub-key",
  deviceKey: "dps-key",
  groupKey: "dps-group-key",
  ca: "iothub-ca",
  proxyPassword: "proxy-password",
} as const;

const WHERE_TO_COPY =
  "In the Azure portal: the hub, Devices, this device, its module (azureiotsecurity), then the " +
  "connection string; or: az iot hub module-identity connection-string show --hub-name HUB " +
  "--device-id DEVICE --module-id MODULE.";

/** Checks an identity and brings it into the form that is written. Throws AGENT_IDENTITY_INVALID. */
export function draftIdentity(given: GivenIdentity, nowMs: number): IdentityDraft {
  if (given.kind === "connection-string") return fromConnectionString(given, nowMs);
  if (given.kind === "x509") return fromCertificate(given, nowMs);
  return fromProvisioning(given, nowMs);
}

function fromConnectionString(
  given: Extract<GivenIdentity, { kind: "connection-string" }>,
  nowMs: number,
): IdentityDraft {
  const text = withGateway(unquoted(given.text), given.gatewayHost);
  const files = {
    certificateFile: credentialReference(CREDENTIAL_FILES.certificate),
    keyFile: credentialReference(CREDENTIAL_FILES.key),
  };
  const identity = parsed(text, given.certificate === undefined ? {} : files);
  const credentials = new Map([[CREDENTIAL_FILES.connectionString as string, `${text}\n`]]);
  const notes: string[] = [];
  const { credential, deviceId, moduleId } = identity;
  if (credential.kind === "certificate" && given.certificate !== undefined) {
    notes.push(...checkCertificate(given.certificate, nameOf(deviceId, moduleId), nowMs));
    addPair(credentials, given.certificate);
  } else if (given.certificate !== undefined) {
    throw invalid(
      "a certificate is given, but the connection string does not say x509=true",
      "leave --certificate and --key out, or give --host, --device and --module instead",
    );
  }
  if (credential.kind === "token") {
    notes.push("a SAS token cannot be renewed: the agent stops when it ends; better give the key");
  }
  const isCertificate = credential.kind === "certificate";
  return {
    iothub: {
      connectionStringFile: credentialReference(CREDENTIAL_FILES.connectionString),
      ...(isCertificate ? files : {}),
    },
    credentials,
    summary: `${summaryOf(identity)}, by ${isCertificate ? "certificate" : "connection string"}${
      identity.hasGateway ? `, through the gateway ${identity.dialHost}` : ""
    }`,
    notes,
    isDevice: moduleId === undefined,
  };
}

function parsed(
  text: string,
  files: { readonly certificateFile?: string; readonly keyFile?: string },
): HubIdentity {
  if (/(?:^|;)\s*SharedAccessKeyName\s*=/i.test(text)) {
    throw new AgentError(
      "AGENT_IDENTITY_INVALID",
      "this is the connection string of a service policy (it has SharedAccessKeyName): it opens the " +
        "whole hub and no device connects with it",
      { remedy: `Take that of the module. ${WHERE_TO_COPY}` },
    );
  }
  if (!text.includes("=")) {
    throw new AgentError("AGENT_IDENTITY_INVALID", "this is no connection string", {
      remedy: `It begins with HostName=. ${WHERE_TO_COPY}`,
    });
  }
  if (/(?:^|;)\s*x509\s*=\s*true/i.test(text) && files.certificateFile === undefined) {
    throw invalid(
      "the connection string says x509=true, but there is no certificate",
      "give --certificate FILE and --key FILE as well",
    );
  }
  try {
    return parseConnectionString(text, files);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    throw new AgentError("AGENT_IDENTITY_INVALID", error.message, { remedy: WHERE_TO_COPY });
  }
}

/** Quotes come along when it is copied out of JSON or a shell script. */
function unquoted(text: string): string {
  const trimmed = text.trim();
  const quote = trimmed[0];
  const isQuoted = (quote === '"' || quote === "'") && trimmed.endsWith(quote);
  return isQuoted ? trimmed.slice(1, -1).trim() : trimmed;
}

function withGateway(text: string, gatewayHost: string | undefined): string {
  if (gatewayHost === undefined) return text;
  if (/(?:^|;)\s*GatewayHostName\s*=/i.test(text)) {
    const remedy = "leave --gateway-host out";
    throw invalid("the connection string names a gateway already", remedy);
  }
  return `${text.replace(/;+$/, "")};GatewayHostName=${gatewayHost}`;
}

function fromCertificate(
  given: Extract<GivenIdentity, { kind: "x509" }>,
  nowMs: number,
): IdentityDraft {
  const { hostName, deviceId, moduleId, gatewayHost, certificate } = given;
  const credentials = new Map<string, string>();
  addPair(credentials, certificate);
  return {
    iothub: {
      x509: { hostName, deviceId, ...(moduleId === undefined ? {} : { moduleId }), ...pairKeys() },
      ...(gatewayHost === undefined ? {} : { gatewayHostName: gatewayHost }),
    },
    credentials,
    summary: `${summaryOf({ hostName, deviceId, moduleId })}, by certificate`,
    notes: checkCertificate(certificate, nameOf(deviceId, moduleId), nowMs),
    isDevice: moduleId === undefined,
  };
}

function fromProvisioning(
  given: Extract<GivenIdentity, { kind: "provisioning" }>,
  nowMs: number,
): IdentityDraft {
  const { idScope, registrationId, moduleId, proof } = given;
  const credentials = new Map<string, string>();
  const notes: string[] = [];
  let keys: JsonObject;
  if (proof.kind === "x509") {
    notes.push(...checkCertificate(proof.certificate, registrationId, nowMs));
    addPair(credentials, proof.certificate);
    keys = pairKeys();
  } else {
    const isGroup = proof.kind === "group-key";
    const file = isGroup ? CREDENTIAL_FILES.groupKey : CREDENTIAL_FILES.deviceKey;
    const key = provisioningKey(proof.key.trim());
    credentials.set(file, `${key}\n`);
    keys = { [isGroup ? "groupKeyFile" : "symmetricKeyFile"]: credentialReference(file) };
    if (isGroup) {
      notes.push(
        "a group key on a device opens every device of the group to whoever reads it: better derive " +
          "this device's own key elsewhere and give it with --dps-key-file",
      );
    }
  }
  const actor = moduleId === undefined ? "the device itself" : `module ${moduleId}`;
  return {
    iothub: {
      provisioning: {
        idScope,
        registrationId,
        ...endpointKeys(given.endpoint),
        ...(moduleId === undefined ? {} : { moduleId }),
        ...keys,
      },
    },
    credentials,
    summary: `registration ${registrationId} at ID scope ${idScope}, ${actor}`,
    notes,
    isDevice: moduleId === undefined,
  };
}

function provisioningKey(text: string): string {
  try {
    return checkedKey(text, "the provisioning key");
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    const remedy = "Copy the primary key of the enrolment at the provisioning service.";
    throw new AgentError("AGENT_IDENTITY_INVALID", error.message, { remedy });
  }
}

function endpointKeys(endpoint: string | undefined): JsonObject {
  if (endpoint === undefined) return {};
  const match = /^(.*):(\d{1,5})$/.exec(endpoint);
  if (match === null) return { globalEndpoint: endpoint };
  return { globalEndpoint: match[1] ?? "", port: Number(match[2]) };
}

function pairKeys(): JsonObject {
  return {
    certificateFile: credentialReference(CREDENTIAL_FILES.certificate),
    keyFile: credentialReference(CREDENTIAL_FILES.key),
  };
}

function addPair(credentials: Map<string, string>, pair: CertificatePair): void {
  credentials.set(CREDENTIAL_FILES.certificate, pair.certificatePem);
  credentials.set(CREDENTIAL_FILES.key, pair.keyPem);
}

/** The common name that the hub expects of a CA-signed certificate: device, or device/module. */
function nameOf(deviceId: string, moduleId: string | undefined): string {
  return moduleId === undefined ? deviceId : `${deviceId}/${moduleId}`;
}

function summaryOf(identity: {
  readonly hostName: string;
  readonly deviceId: string;
  readonly moduleId: string | undefined;
}): string {
  const { hostName, deviceId, moduleId } = identity;
  const actor =
    moduleId === undefined ? `device ${deviceId}` : `module ${moduleId} of device ${deviceId}`;
  return `${actor} at ${hostName}`;
}

function invalid(what: string, remedy: string): AgentError {
  return new AgentError("AGENT_IDENTITY_INVALID", what, { remedy });
}
