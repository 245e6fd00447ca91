/**
 * A client, a gateway and a container in network namespaces of their own. Rules are loaded into the gateway,
 * packets are sent by the client, and listeners say which of them were let in. Needs root, ip and the
 * programs of the rule sets; touches nothing outside the namespaces.
 */
import { existsSync } from "node:fs";
import { type Driver, startDriver } from "./driver-handle.ts";
import type { Probe, ProgramCall, ProgramEnd } from "./driver-protocol.ts";
import { buildNetwork, canMakeNamespaces } from "./namespaces.ts";
import { PORTS } from "./topology.ts";

/** Where a packet was seen: at the gateway or at the container, and at which port. */
export interface Observation {
  readonly at: "gateway" | "container" | "nowhere";
  readonly port?: number;
}

export interface TestBed {
  /** Runs programs inside the gateway, one after the other. */
  run(calls: readonly ProgramCall[]): Promise<readonly ProgramEnd[]>;
  /** A source port that no packet of this test bed has used. */
  freshSourcePort(): number;
  /**
   * Sends all at once and says for each where it arrived. Waits 150 ms for packets that are not expected,
   * and up to 1.5 s for those that are.
   */
  observe(
    probes: readonly Probe[],
    isExpected: (probe: Probe) => boolean,
  ): Promise<readonly Observation[]>;
  /** Packets that arrived after their probe was given up. */
  lateArrivals(): readonly Probe[];
  close(): Promise<void>;
}

const PATIENCE_MS = 150;
const LONGEST_WAIT_MS = 1500;
const PROGRAMS = ["ip", "nft", "ipset"];
const FIRST_SOURCE_PORT = 20_000;
/** A prime number of them: every step leads through all, so that rules for source ports are met. */
const SOURCE_PORTS = 40_961;
const SOURCE_PORT_STEP = 7919;

/** Why the test bed cannot be used here; undefined when it can. */
export function missingForTestBed(): string | undefined {
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const missing = [
    ...PROGRAMS,
    ...["iptables", "ip6tables"].flatMap((name) =>
      ["nft", "legacy"].flatMap((kind) => [`${name}-${kind}-save`, `${name}-${kind}-restore`]),
    ),
  ].filter((name) => !["/usr/sbin", "/sbin", "/usr/bin"].some((at) => existsSync(`${at}/${name}`)));
  if (missing.length > 0) return `not installed: ${missing.join(", ")}`;
  return canMakeNamespaces() ? undefined : "network namespaces cannot be made here";
}

const key = (packet: { readonly protocol: string; readonly sourcePort: number }): string =>
  `${packet.protocol}/${packet.sourcePort}`;

/** Throws where a namespace or a driver cannot be made; leaves nothing behind then. */
export async function openTestBed(): Promise<TestBed> {
  const network = buildNetwork();
  const client = startDriver(network.client);
  const gateway = startDriver(network.gateway);
  const container = startDriver(network.container);
  const close = async (): Promise<void> => {
    await Promise.all([client, gateway, container].map((driver) => driver.stop()));
    network.remove();
  };
  try {
    await Promise.all([gateway, container].map((driver) => driver.listen(PORTS)));
  } catch (cause) {
    await close();
    throw cause;
  }
  return { ...observer(client, gateway, container), run: gateway.run, close };
}

function observer(
  client: Driver,
  gateway: Driver,
  container: Driver,
): Pick<TestBed, "observe" | "freshSourcePort" | "lateArrivals"> {
  const seen = new Map<string, Observation>();
  const givenUp: Probe[] = [];
  let used = 0;
  const collect = async (): Promise<void> => {
    const [atGateway, atContainer] = await Promise.all([gateway.collect(), container.collect()]);
    for (const packet of atGateway) seen.set(key(packet), { at: "gateway", port: packet.port });
    for (const packet of atContainer) seen.set(key(packet), { at: "container", port: packet.port });
  };
  return {
    freshSourcePort() {
      if (used === SOURCE_PORTS) throw new Error("no source port is left");
      used += 1;
      return FIRST_SOURCE_PORT + ((used * SOURCE_PORT_STEP) % SOURCE_PORTS);
    },
    lateArrivals: () => givenUp.filter((probe) => seen.has(key(probe))),
    async observe(probes, isExpected) {
      await client.probe(probes);
      const startedMs = performance.now();
      for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, 200)) {
        await collect();
        const unseen = probes.filter((probe) => !seen.has(key(probe)));
        const elapsedMs = performance.now() - startedMs;
        if (unseen.length === 0 || elapsedMs > LONGEST_WAIT_MS) break;
        if (elapsedMs > PATIENCE_MS && !unseen.some(isExpected)) break;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
      await client.abort();
      givenUp.push(...probes.filter((probe) => !seen.has(key(probe))));
      return probes.map((probe) => seen.get(key(probe)) ?? { at: "nowhere" });
    },
  };
}
