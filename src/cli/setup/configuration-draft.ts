import { readConfig } from "../../config/read-config.ts";
import type { LocalConfig } from "../../config/schema.ts";
import type { TransportChoice } from "../../config/transport-choice.ts";
import { AgentError } from "../../contract/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import { credentialReference, fileOfCredential } from "../../system/secrets.ts";
import { CREDENTIAL_FILES, type IdentityDraft } from "./identity-draft.ts";

/** How the hub is reached; what is absent stays as an existing configuration has it. */
export interface GivenNetwork {
  readonly transport: string | undefined;
  readonly protocol: string | undefined;
  readonly port: number | undefined;
  readonly proxy: string | undefined;
  /** `user:password`. */
  readonly proxyPassword: string | undefined;
  readonly caPem: string | undefined;
}

/** What is going to be written, and what the agent will make of it. */
export interface ConfigurationDraft {
  readonly text: string;
  /** Texts by file name in the folder of credentials. */
  readonly credentials: ReadonlyMap<string, string>;
  readonly config: LocalConfig;
  readonly transport: TransportChoice;
  /** Faults that an existing configuration had before, one line each. */
  readonly notes: readonly string[];
  /** Files in the folder of credentials that the former configuration used and this one does not. */
  readonly unused: readonly string[];
}

/** Keys of `iothub` that say who the agent is: all of them are replaced together. */
const IDENTITY_KEYS = [
  "connectionStringFile",
  "certificateFile",
  "keyFile",
  "x509",
  "provisioning",
  "gatewayHostName",
];

const OPTION_OF: Readonly<Record<string, string>> = {
  "iothub.x509.hostName": "--host",
  "iothub.x509.deviceId": "--device",
  "iothub.x509.moduleId": "--module",
  "iothub.gatewayHostName": "--gateway-host",
  "iothub.provisioning.idScope": "--dps-scope",
  "iothub.provisioning.registrationId": "--registration-id",
  "iothub.provisioning.globalEndpoint": "--dps-endpoint",
  "iothub.provisioning.port": "--dps-endpoint",
  "iothub.provisioning.moduleId": "--module",
  "iothub.proxy": "--proxy",
};

/**
 * Puts identity and network into a configuration; whatever else an existing one says is kept. Throws
 * AGENT_CONFIG_INVALID naming the option whose value cannot be used.
 */
export function draftConfiguration(
  existing: JsonObject | undefined,
  identity: IdentityDraft,
  network: GivenNetwork,
): ConfigurationDraft {
  const credentials = new Map(identity.credentials);
  const before = existing ?? {};
  const section = isJsonObject(before["iothub"]) ? before["iothub"] : {};
  const kept = Object.fromEntries(
    Object.entries(section).filter(([key]) => !IDENTITY_KEYS.includes(key)),
  );
  // What is kept comes behind: a second setup with the same answers then writes the same text.
  const iothub: JsonObject = {
    ...identity.iothub,
    ...kept,
    ...networkKeys(network, credentials),
  };
  const tree: JsonObject = {
    ...before,
    transport: network.transport ?? transportOf(before["transport"]),
    iothub,
  };
  const text = `${JSON.stringify(tree, null, 2)}\n`;
  const reading = readConfig(text, {});
  const wrong = reading.faults.find(({ key }) => Object.hasOwn(OPTION_OF, key));
  if (wrong !== undefined || reading.transport === undefined) {
    const fault = wrong ?? reading.faults[0];
    const key = fault?.key ?? "";
    const subject = OPTION_OF[key] ?? key;
    throw new AgentError("AGENT_CONFIG_INVALID", `${subject}: ${fault?.message ?? "unusable"}`, {
      remedy: "Correct that value; `gatewarden setup --help` says what it is.",
    });
  }
  const used = referencesIn(tree);
  return {
    text,
    credentials,
    config: reading.config,
    transport: reading.transport,
    notes: reading.faults.map(({ key, message }) => (key === "" ? message : `${key}: ${message}`)),
    unused: referencesIn(before).filter((name) => !used.includes(name)),
  };
}

function networkKeys(network: GivenNetwork, credentials: Map<string, string>): JsonObject {
  const { protocol, port, proxy, proxyPassword, caPem } = network;
  if (caPem !== undefined) credentials.set(CREDENTIAL_FILES.ca, caPem);
  if (proxyPassword !== undefined) {
    credentials.set(CREDENTIAL_FILES.proxyPassword, `${proxyPassword}\n`);
  }
  return {
    ...(protocol === undefined ? {} : { protocol }),
    ...(port === undefined ? {} : { port }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(proxyPassword === undefined
      ? {}
      : { proxyPasswordFile: credentialReference(CREDENTIAL_FILES.proxyPassword) }),
    ...(caPem === undefined ? {} : { caFile: credentialReference(CREDENTIAL_FILES.ca) }),
  };
}

/** A broker or a file is left for the hub that is being set up. */
function transportOf(before: JsonValue | undefined): string {
  return before === "iothub-sdk" ? "iothub-sdk" : "iothub";
}

/** Files of the folder of credentials that a configuration names, sorted, each once. */
function referencesIn(tree: JsonObject): readonly string[] {
  const found = new Set<string>();
  function visit(value: JsonValue): void {
    if (typeof value === "string") {
      const file = fileOfCredential(value);
      if (file !== undefined) found.add(file);
    } else if (Array.isArray(value)) for (const item of value) visit(item);
    else if (isJsonObject(value)) for (const item of Object.values(value)) visit(item);
  }
  visit(tree);
  return [...found].sort();
}
