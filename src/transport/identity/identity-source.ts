import type { HubIdentity } from "./hub-identity.ts";

/** Where the identity of each connection comes from. */
export interface IdentitySource {
  /** The identity as it was when the source was opened; undefined when it comes over the network. */
  readonly initial: HubIdentity | undefined;
  /**
   * The identity to connect with. Files are read again each time, so that a rotated key is picked up.
   * Rejects with FaultError.
   */
  resolve(signal: AbortSignal): Promise<HubIdentity>;
  /** The hub refused the identity: what was remembered is asked for again next time. */
  forget(): void;
}
