import { AgentError } from "../../contract/errors.ts";
import { FaultError, fault } from "../fault.ts";
import type { HubOptions, TransportDeps } from "../transport-options.ts";
import { type HubIdentity, hubIdentity, parseConnectionString } from "./hub-identity.ts";

import type { IdentitySource } from "./identity-source.ts";

/**
 * Opens the configured source. An identity that is on the device is checked now: rejects with
 * AgentError (`AGENT_IDENTITY_INVALID`, or what reading the secret threw). Provisioning happens later,
 * over the network.
 */
export async function openIdentitySource(
  options: HubOptions,
  deps: TransportDeps,
): Promise<IdentitySource> {
  const { identity } = options;
  if (identity.source === "provisioning") {
    const { provisionedIdentity } = await import("./provisioned-identity.ts");
    return provisionedIdentity(identity, options, deps);
  }
  const read = async (): Promise<HubIdentity> => {
    if (identity.source === "connection-string") {
      const text = await deps.readSecret(identity.connectionStringFile, "connection string");
      return parseConnectionString(text, identity);
    }
    const { certificateFile, keyFile } = identity;
    return hubIdentity({
      ...identity,
      credential: { kind: "certificate", certificateFile, keyFile },
    });
  };
  const initial = await read();
  return { initial, resolve: () => asFault(read), forget: () => undefined };
}

/** An identity that went bad while the agent runs is waited out like any other failure. */
async function asFault(read: () => Promise<HubIdentity>): Promise<HubIdentity> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    throw new FaultError(fault("credentials", error.message, error.remedy));
  }
}
