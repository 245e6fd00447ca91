import { AgentError } from "../../contract/errors.ts";
import type { ConnectionFault } from "../../contract/transport.ts";
import { deadline } from "../../transport/deadline.ts";
import { authorityOf } from "../../transport/dial-target.ts";
import { type Fault, FaultError } from "../../transport/fault.ts";
import { HubTarget } from "../../transport/hub-target.ts";
import { passwordOf } from "../../transport/identity/hub-password.ts";
import { openIdentitySource } from "../../transport/identity/open-identity-source.ts";
import { HubConnection } from "../../transport/iothub/hub-connection.ts";
import {
  type HubOptions,
  type TransportDeps,
  timingOf,
} from "../../transport/transport-options.ts";

/** What came of connecting with an identity. */
export type HubLogin =
  | { readonly isIn: true; readonly address: string; readonly who: string }
  | {
      readonly isIn: false;
      readonly fault: ConnectionFault;
      /** Where it failed and why, without a secret. */
      readonly detail: string;
      readonly remedy: string;
    };

/** All of it: provisioning, DNS, TCP, TLS, login, subscriptions. */
const DEADLINE_MS = 45_000;
const TOKEN_LIFE_MS = 300_000;
const CLOSE_MS = 2_000;

/**
 * Connects as the agent would, subscribes, and disconnects. A running agent of the same identity is
 * evicted by it and comes back. Rejects with AgentError for what a person must correct first.
 */
export async function tryLogin(options: HubOptions, deps: TransportDeps): Promise<HubLogin> {
  const limit = deadline(deps.clock, DEADLINE_MS);
  let address = provisioningAddress(options);
  try {
    const source = await openIdentitySource(options, deps);
    const identity = await source.resolve(limit.signal);
    const target = await new HubTarget(options.network, deps).of(identity);
    address = authorityOf(target);
    const connection = await HubConnection.open(
      {
        deps,
        timing: timingOf(options),
        identity,
        target,
        password: passwordOf(identity, deps.clock, TOKEN_LIFE_MS),
        modelId: options.modelId,
        keepAliveSeconds: 60,
        onMessage: () => undefined,
      },
      limit.signal,
    );
    await connection.close(CLOSE_MS);
    const { deviceId, moduleId } = identity;
    const who = moduleId === undefined ? `device ${deviceId}` : `module ${moduleId} of ${deviceId}`;
    return { isIn: true, address, who };
  } catch (error) {
    if (error instanceof AgentError) throw error;
    if (!(error instanceof FaultError)) throw error;
    return failure(error.reason, address);
  } finally {
    limit.cancel();
  }
}

function provisioningAddress(options: HubOptions): string {
  const { identity } = options;
  return identity.source === "provisioning" ? (identity.endpoint ?? "") : "";
}

function failure(reason: Fault, address: string): HubLogin {
  const isNamed = address === "" || reason.detail.includes(address);
  const detail = isNamed ? reason.detail : `${address}: ${reason.detail}`;
  return { isIn: false, fault: reason.fault, detail, remedy: reason.remedy };
}

/** What to do next, in terms of `gatewarden setup`. */
export function setupRemedy(fault: ConnectionFault, remedy: string): string {
  const text = `${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}`;
  const first = /[.?]$/.test(text) ? text : `${text}.`;
  if (fault === "credentials") {
    return `${first} A key that was renewed at the hub makes the old connection string useless.`;
  }
  if (fault === "unreachable" || fault === "timed-out") {
    return (
      `${first} Where a firewall closes port 8883, use --protocol mqtt-ws (port 443); a proxy is ` +
      "named with --proxy."
    );
  }
  if (fault === "tls") return `${first} With setup: --ca FILE.`;
  return first;
}
