import type { Clock } from "../contract/clock.ts";
import type { Log } from "../contract/log.ts";
import type { Random } from "../contract/random.ts";
import { plainText } from "../parse/plain-text.ts";
import { createFaultState } from "./fault-state.ts";
import type { HubEvents } from "./hub-contract.ts";
import type { HubCore, HubTraits, IdentityRecord } from "./hub-model.ts";
import { identityName } from "./hub-topics.ts";
import { createMethodCalls } from "./method-calls.ts";

const REMEMBERED_MESSAGES = 10_000;

/** A hub without identities and without sockets. */
export function createHubCore(parts: {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly traits: HubTraits;
}): HubCore {
  const records = new Map<string, IdentityRecord>();
  const observers = new Set<HubEvents>();
  const seen = new Set<string>();
  return {
    ...parts,
    faults: createFaultState(),
    calls: createMethodCalls(parts.clock, parts.random),
    assignedHub: "",
    add: (record) => void records.set(identityName(record.identity), record),
    find: (identity) => records.get(identityName(identity)),
    all: () => [...records.values()],
    observe(events) {
      observers.add(events);
      return () => observers.delete(events);
    },
    isRepeated(identity, messageId) {
      if (messageId === undefined) return false;
      const id = `${identityName(identity)} ${messageId}`;
      if (seen.has(id)) return true;
      seen.add(id);
      const [oldest] = seen;
      if (seen.size > REMEMBERED_MESSAGES && oldest !== undefined) seen.delete(oldest);
      return false;
    },
    tellMessage(message) {
      for (const observer of observers) observer.onMessage?.(message);
    },
    tellConnection(connection) {
      for (const observer of observers) observer.onConnection?.(connection);
    },
    tellDisconnection(identity, why) {
      for (const observer of observers) observer.onDisconnection?.(identity, why);
    },
    tellReported(identity, patch, version) {
      for (const observer of observers) observer.onReported?.(identity, patch, version);
    },
    tellViolation(violation) {
      const what = plainText(violation.what, 300);
      const name = violation.identity === undefined ? "" : identityName(violation.identity);
      parts.log.debug(
        { identity: plainText(name, 160), what },
        "client broke a rule or was refused",
      );
      for (const observer of observers) observer.onViolation?.({ ...violation, what });
    },
  };
}
