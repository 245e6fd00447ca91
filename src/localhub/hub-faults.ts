import { createAuthority, type PemPair } from "./authority.ts";
import type { HubFaults } from "./hub-contract.ts";
import type { HubCore } from "./hub-core.ts";
import { pushDesired } from "./twin-desk.ts";

/** What the faults need from the sockets. */
export interface FaultySockets {
  dropAll(): void;
  goDown(): Promise<void>;
  resume(): Promise<void>;
  present(pair: PemPair | undefined): Promise<void>;
  /** Names the hub's own certificate carries. */
  readonly names: readonly string[];
}

/** The faults of a hub, on demand. */
export function createHubFaults(core: HubCore, sockets: FaultySockets): HubFaults {
  const { faults } = core;
  return {
    dropConnections: () => sockets.dropAll(),
    goDown: () => sockets.goDown(),
    resume: () => sockets.resume(),
    loseSessions() {
      for (const record of core.all()) record.session = undefined;
      sockets.dropAll();
    },
    withholdPuback(on) {
      faults.withholdPuback = on;
    },
    delaySuback(delayMs) {
      faults.subackDelayMs = delayMs;
    },
    patchBeforeNextTwinGet(patch) {
      faults.patchBeforeNextTwinGet = patch;
    },
    answerTwinGets(reply, count) {
      faults.twinGetReplies.push(...Array.from({ length: count }, () => reply));
    },
    answerReports(reply, count) {
      faults.reportReplies.push(...Array.from({ length: count }, () => reply));
    },
    ignoreTwinGets(count) {
      faults.ignoredTwinGets += count;
    },
    throttle(count) {
      faults.throttled += count;
    },
    rejectAuthentication(on) {
      faults.rejectAuthentication = on;
    },
    expireTokens() {
      for (const record of core.all()) record.client?.disconnect("the token has expired");
    },
    presentCertificate: async (which) => sockets.present(await certificateOf(core, which, sockets)),
    pushRawDesired(payload) {
      for (const record of core.all()) pushDesired(record, payload, Number.MAX_SAFE_INTEGER);
    },
  };
}

async function certificateOf(
  core: HubCore,
  which: "other-host" | "untrusted" | "expired" | undefined,
  sockets: FaultySockets,
): Promise<PemPair | undefined> {
  if (which === undefined) return undefined;
  const usage = "server" as const;
  const { names } = sockets;
  if (which === "other-host") {
    const commonName = "other.example";
    return core.state.authority.issue({ commonName, names: [commonName], usage });
  }
  if (which === "expired") {
    return core.state.authority.issue({ commonName: core.hostName, names, usage, isExpired: true });
  }
  const stranger = await createAuthority("Somebody else's CA", core.clock.nowMs());
  return stranger.issue({ commonName: core.hostName, names, usage });
}
