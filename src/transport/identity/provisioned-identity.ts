import { AgentError } from "../../contract/errors.ts";
import { type DialTarget, parseAuthority } from "../dial-target.ts";
import { proxyTargetOf } from "../reach.ts";
import { TlsTrust } from "../tls-trust.ts";
import {
  type HubAssignment,
  type HubOptions,
  type ProvisioningOptions,
  type TransportDeps,
  timingOf,
} from "../transport-options.ts";
import { type Credential, checkedKey, type HubIdentity, hubIdentity } from "./hub-identity.ts";
import type { IdentitySource } from "./identity-source.ts";
import { fetchModuleKey } from "./module-key.ts";
import { register } from "./provisioning.ts";
import { deriveDeviceKey } from "./sas.ts";

const GLOBAL_ENDPOINT = "global.azure-devices-provisioning.net";

/**
 * Identity through the Device Provisioning Service. The assignment is kept by the caller's store; a
 * refused identity is provisioned again. Throws AGENT_IDENTITY_INVALID for unusable names.
 */
export function provisionedIdentity(
  options: ProvisioningOptions,
  hub: HubOptions,
  deps: TransportDeps,
): IdentitySource {
  checkNames(options);
  const provisioner = new Provisioner(options, hub, deps);
  return {
    initial: undefined,
    resolve: (signal) => provisioner.resolve(signal),
    forget: () => provisioner.forget(),
  };
}

/** Both go into topics, user names and tokens. Source: DPS documentation, registration id. */
function checkNames(options: ProvisioningOptions): void {
  for (const part of ["idScope", "registrationId"] as const) {
    if (/^[A-Za-z0-9._:-]{1,128}$/.test(options[part])) continue;
    throw new AgentError("AGENT_IDENTITY_INVALID", `identity: ${part} is missing or malformed`, {
      remedy: "copy it from the provisioning service; letters, digits and . _ : - are allowed",
    });
  }
}

class Provisioner {
  private readonly options: ProvisioningOptions;
  private readonly hub: HubOptions;
  private readonly deps: TransportDeps;
  private readonly trust: TlsTrust;
  private remembered: HubIdentity | undefined;
  private mustRegister = false;

  constructor(options: ProvisioningOptions, hub: HubOptions, deps: TransportDeps) {
    const { attestation } = options;
    const certificate = attestation.kind === "x509" ? attestation : {};
    this.options = options;
    this.hub = hub;
    this.deps = deps;
    this.trust = new TlsTrust({ caFile: hub.network?.caFile, ...certificate }, deps);
  }

  async resolve(signal: AbortSignal): Promise<HubIdentity> {
    this.remembered ??= await this.provision(signal);
    return this.remembered;
  }

  forget(): void {
    this.remembered = undefined;
    this.mustRegister = true;
  }

  private async provision(signal: AbortSignal): Promise<HubIdentity> {
    const deviceKey = await this.deviceKey();
    const stored = this.mustRegister ? undefined : await this.deps.assignments?.load();
    const assignment = stored ?? (await this.register(deviceKey, signal));
    const { moduleId } = this.options;
    const credential = await this.credential(assignment, deviceKey, signal);
    this.mustRegister = false;
    return hubIdentity({ ...assignment, moduleId, credential });
  }

  private async register(
    keyBase64: string | undefined,
    signal: AbortSignal,
  ): Promise<HubAssignment> {
    const { idScope, registrationId, endpoint } = this.options;
    const isWebSocket = this.hub.network?.protocol === "websockets";
    const target: DialTarget = {
      ...(await this.target(endpoint ?? GLOBAL_ENDPOINT, isWebSocket ? 443 : 8883)),
      ...(isWebSocket ? { webSocketPath: "/$iothub/websocket" } : {}),
    };
    const registration = { target, idScope, registrationId, keyBase64 };
    const assignment = await register(registration, this.deps, timingOf(this.hub), signal);
    await this.deps.assignments?.save(assignment);
    const { hostName, deviceId } = assignment;
    this.deps.log.info({ hub: hostName, deviceId }, "device provisioned");
    return assignment;
  }

  private async credential(
    assignment: HubAssignment,
    deviceKeyBase64: string | undefined,
    signal: AbortSignal,
  ): Promise<Credential> {
    const { attestation, moduleId } = this.options;
    if (attestation.kind === "x509") {
      const { certificateFile, keyFile } = attestation;
      return { kind: "certificate", certificateFile, keyFile };
    }
    const keyBase64 = deviceKeyBase64 ?? "";
    if (moduleId === undefined) return { kind: "key", keyBase64 };
    const target = await this.target(assignment.hostName, 443);
    const request = { target, assignment, moduleId, deviceKeyBase64: keyBase64 };
    const moduleKey = await fetchModuleKey(request, this.deps, timingOf(this.hub), signal);
    return { kind: "key", keyBase64: moduleKey };
  }

  private async deviceKey(): Promise<string | undefined> {
    const { attestation, registrationId } = this.options;
    if (attestation.kind === "x509") return undefined;
    const text = await this.deps.readSecret(attestation.keyFile, "provisioning key");
    const key = checkedKey(text.trim(), "the provisioning key");
    return attestation.kind === "group-key" ? deriveDeviceKey(key, registrationId) : key;
  }

  private async target(authority: string, defaultPort: number): Promise<DialTarget> {
    const parsed = parseAuthority(authority, "provisioning endpoint");
    if (!parsed.ok) {
      throw new AgentError("AGENT_IDENTITY_INVALID", "identity: the endpoint is no host name", {
        remedy: "write the provisioning endpoint as host or host:port",
      });
    }
    return {
      host: parsed.value.host,
      port: parsed.value.port ?? defaultPort,
      secureContext: await this.trust.context(),
      proxy: await proxyTargetOf(this.hub.network?.proxy, this.deps),
    };
  }
}
