import type { PemPair } from "./authority.ts";
import type { HubCertificates } from "./hub-certificates.ts";
import type { HubFaults } from "./hub-contract.ts";
import type { HubCore } from "./hub-model.ts";
import { pushDesired } from "./twin-desk.ts";

/** What the faults need from the sockets. */
export interface FaultySockets {
  dropAll(): void;
  goDown(): Promise<void>;
  resume(): Promise<void>;
  /** Presents this certificate on new connections; undefined: the hub's own. */
  present(pair: PemPair | undefined): void;
}

/** The faults of a hub, on demand. */
export function createHubFaults(
  core: HubCore,
  sockets: FaultySockets,
  certificates: HubCertificates,
): HubFaults {
  const { faults } = core;
  return {
    dropConnections: () => sockets.dropAll(),
    goDown: () => sockets.goDown(),
    resume: () => sockets.resume(),
    loseSessions() {
      for (const record of core.all()) record.keptSession = undefined;
    },
    withholdPuback(on) {
      faults.isPubackWithheld = on;
    },
    delaySuback(delayMs) {
      faults.subackDelayMs = delayMs;
    },
    patchBeforeNextTwinGet(patch) {
      faults.patchesBeforeGet.push(patch);
    },
    answerTwinGets: (reply, count) => faults.twinGets.add(reply, count),
    answerReports: (reply, count) => faults.reports.add(reply, count),
    ignoreTwinGets: (count) => faults.twinGets.add("silence", count),
    throttle(count) {
      faults.throttled = count;
    },
    rejectAuthentication(on) {
      faults.isAuthenticationRejected = on;
    },
    expireTokens() {
      for (const { client } of core.all()) {
        if (client?.hasToken === true) client.disconnect("the token has expired");
      }
    },
    async presentCertificate(which) {
      sockets.present(which === undefined ? undefined : await certificates.bad(which));
    },
    pushRawDesired(payload) {
      for (const record of core.all()) {
        if (record.client === undefined) continue;
        pushDesired(record, payload, record.twin.countDesiredUp());
      }
    },
  };
}
