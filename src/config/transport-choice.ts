import type { HubConfig, LocalConfig } from "./schema.ts";

/** Why the chosen transport cannot work, by key. */
export interface ChoiceError {
  readonly key: string;
  readonly message: string;
}

type Chosen<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: readonly ChoiceError[] };

/** Who the agent is at the hub, complete. */
export type HubIdentityChoice =
  | {
      readonly source: "connection-string";
      readonly connectionStringFile: string;
      readonly certificateFile?: string;
      readonly keyFile?: string;
    }
  | {
      readonly source: "x509";
      readonly hostName: string;
      readonly deviceId: string;
      readonly moduleId?: string;
      readonly gatewayHostName?: string;
      readonly certificateFile: string;
      readonly keyFile: string;
    }
  | {
      readonly source: "provisioning";
      /** Host name, with a port when one was given. */
      readonly endpoint: string;
      readonly idScope: string;
      readonly registrationId: string;
      readonly moduleId?: string;
      readonly attestation: AttestationChoice;
    };

/** How the device proves itself to the provisioning service. */
export type AttestationChoice =
  | { readonly kind: "symmetric-key"; readonly keyFile: string }
  | { readonly kind: "group-key"; readonly keyFile: string }
  | { readonly kind: "x509"; readonly certificateFile: string; readonly keyFile: string };

/** The chosen transport with everything it needs from the configuration. */
export type TransportChoice =
  | {
      readonly kind: "iothub" | "iothub-sdk";
      readonly identity: HubIdentityChoice;
      readonly config: HubConfig;
    }
  | { readonly kind: "mqtt"; readonly url: string; readonly config: LocalConfig["mqtt"] }
  | { readonly kind: "file"; readonly path: string; readonly config: LocalConfig["file"] };

/** The transport that the configuration asks for, or every reason why it cannot work. */
export function chooseTransport(config: LocalConfig): Chosen<TransportChoice> {
  if (config.transport === "mqtt") return chooseBroker(config.mqtt);
  if (config.transport === "file") return chooseFile(config.file);
  const identity = chooseIdentity(config.iothub);
  if (!identity.ok) return identity;
  return chosen({ kind: config.transport, identity: identity.value, config: config.iothub });
}

function chosen<T>(value: T): Chosen<T> {
  return { ok: true, value };
}

function failed(key: string, message: string): { ok: false; errors: readonly ChoiceError[] } {
  return { ok: false, errors: [{ key, message }] };
}

function chooseBroker(mqtt: LocalConfig["mqtt"]): Chosen<TransportChoice> {
  const pair = pairError("mqtt", mqtt);
  if (pair !== undefined) return pair;
  if (mqtt.url === undefined) return failed("mqtt.url", "missing: the transport mqtt needs it");
  return chosen({ kind: "mqtt", url: mqtt.url, config: mqtt });
}

function chooseFile(file: LocalConfig["file"]): Chosen<TransportChoice> {
  if (file.path === undefined) return failed("file.path", "missing: the transport file needs it");
  return chosen({ kind: "file", path: file.path, config: file });
}

const IDENTITIES = ["connectionStringFile", "x509", "provisioning"] as const;

function chooseIdentity(hub: HubConfig): Chosen<HubIdentityChoice> {
  const given = IDENTITIES.filter((key) => hub[key] !== undefined);
  if (given.length > 1) {
    const names = given.map((key) => `iothub.${key}`).join(" and ");
    return failed("iothub", `more than one identity: ${names}; keep one of them`);
  }
  if (hub.connectionStringFile !== undefined) {
    return chooseConnectionString(hub.connectionStringFile, hub);
  }
  if (hub.x509 !== undefined) return chooseX509(hub.x509, hub.gatewayHostName);
  if (hub.provisioning !== undefined) return chooseProvisioning(hub.provisioning);
  const keys = IDENTITIES.map((key) => `iothub.${key}`).join(", ");
  return failed("iothub", `no identity: give one of ${keys}`);
}

function chooseConnectionString(file: string, hub: HubConfig): Chosen<HubIdentityChoice> {
  const pair = pairError("iothub", hub);
  if (pair !== undefined) return pair;
  const { certificateFile, keyFile } = hub;
  return chosen({
    source: "connection-string",
    connectionStringFile: file,
    ...(certificateFile === undefined ? {} : { certificateFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  });
}

function chooseX509(
  x509: NonNullable<HubConfig["x509"]>,
  gatewayHostName: string | undefined,
): Chosen<HubIdentityChoice> {
  const { hostName, deviceId, moduleId, certificateFile, keyFile } = x509;
  if (
    hostName === undefined ||
    deviceId === undefined ||
    certificateFile === undefined ||
    keyFile === undefined
  ) {
    return missing("iothub.x509", { hostName, deviceId, certificateFile, keyFile });
  }
  return chosen({
    source: "x509",
    hostName,
    deviceId,
    certificateFile,
    keyFile,
    ...(moduleId === undefined ? {} : { moduleId }),
    ...(gatewayHostName === undefined ? {} : { gatewayHostName }),
  });
}

function chooseProvisioning(
  provisioning: NonNullable<HubConfig["provisioning"]>,
): Chosen<HubIdentityChoice> {
  const { idScope, registrationId, moduleId, globalEndpoint, port } = provisioning;
  const attestation = chooseAttestation(provisioning);
  if (idScope === undefined || registrationId === undefined) {
    const first = missing("iothub.provisioning", { idScope, registrationId });
    return attestation.ok ? first : { ok: false, errors: [...first.errors, ...attestation.errors] };
  }
  if (!attestation.ok) return attestation;
  return chosen({
    source: "provisioning",
    endpoint: port === undefined ? globalEndpoint : `${globalEndpoint}:${port}`,
    idScope,
    registrationId,
    attestation: attestation.value,
    ...(moduleId === undefined ? {} : { moduleId }),
  });
}

function chooseAttestation(
  provisioning: NonNullable<HubConfig["provisioning"]>,
): Chosen<AttestationChoice> {
  const key = "iothub.provisioning";
  const { symmetricKeyFile, groupKeyFile, certificateFile, keyFile } = provisioning;
  const pair = pairError(key, provisioning);
  if (pair !== undefined) return pair;
  const given = [symmetricKeyFile, groupKeyFile, certificateFile].filter(
    (path) => path !== undefined,
  );
  const forms = "symmetricKeyFile, groupKeyFile, or certificateFile with keyFile";
  if (given.length > 1) return failed(key, `more than one proof of identity: keep one of ${forms}`);
  if (symmetricKeyFile !== undefined) {
    return chosen({ kind: "symmetric-key", keyFile: symmetricKeyFile });
  }
  if (groupKeyFile !== undefined) return chosen({ kind: "group-key", keyFile: groupKeyFile });
  if (certificateFile !== undefined && keyFile !== undefined) {
    return chosen({ kind: "x509", certificateFile, keyFile });
  }
  return failed(key, `no proof of identity: give one of ${forms}`);
}

function missing(
  key: string,
  values: Readonly<Record<string, string | undefined>>,
): { readonly ok: false; readonly errors: readonly ChoiceError[] } {
  const names = Object.keys(values).filter((name) => values[name] === undefined);
  return failed(key, `${names.join(", ")} missing or unusable`);
}

/** A certificate without its key, or a key without its certificate. */
function pairError(
  key: string,
  files: { readonly certificateFile?: string | undefined; readonly keyFile?: string | undefined },
): ReturnType<typeof failed> | undefined {
  if ((files.certificateFile === undefined) === (files.keyFile === undefined)) return undefined;
  return failed(key, "certificateFile and keyFile belong together: one of them is missing");
}
