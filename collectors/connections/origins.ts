import type { Clock } from "../../src/contract/clock.ts";
import type { Probe } from "../../src/contract/probe.ts";
import type { ConntrackFlow } from "../../src/parse/conntrack.ts";
import { parseLocalIpv4, parseLocalIpv6 } from "../../src/parse/local-addresses.ts";
import type { Direction } from "./connection.ts";

/** Connections whose first packet was seen; the oldest are forgotten first. */
const MOST_REMEMBERED = 8_192;
const REFRESH_MS = 10_000;
const MAX_TABLE_BYTES = 4_194_304;

/** Who began a connection, where connection tracking has told. */
export interface Origins {
  /** On which sides of a flow this device is; none for what it only forwards. */
  directionsOf(flow: ConntrackFlow): readonly Direction[];
  remember(key: string, direction: Direction): void;
  directionOf(key: string): Direction | undefined;
}

export function createOrigins(probe: Probe, clock: Clock): Origins {
  const remembered = new Map<string, Direction>();
  let own: ReadonlySet<string> = new Set();
  let readAtMs = Number.NEGATIVE_INFINITY;

  function ownAddresses(): ReadonlySet<string> {
    const nowMs = clock.monotonicMs();
    if (nowMs - readAtMs < REFRESH_MS) return own;
    readAtMs = nowMs;
    const v4 = probe.readText("/proc/net/fib_trie", MAX_TABLE_BYTES);
    const v6 = probe.readText("/proc/net/if_inet6", MAX_TABLE_BYTES);
    own = new Set([
      ...(v4.ok ? parseLocalIpv4(v4.value) : []),
      ...(v6.ok ? parseLocalIpv6(v6.value) : []),
    ]);
    return own;
  }

  return {
    directionsOf(flow) {
      const addresses = ownAddresses();
      const directions: Direction[] = [];
      if (addresses.has(flow.sourceAddress)) directions.push("Out");
      if (addresses.has(flow.destinationAddress)) directions.push("In");
      return directions;
    },
    remember(key, direction) {
      remembered.set(key, direction);
      const [oldest] = remembered.keys();
      if (remembered.size > MOST_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    },
    directionOf: (key) => remembered.get(key),
  };
}
