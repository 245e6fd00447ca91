import type { Firewall } from "../../contract/firewall.ts";
import type { Problem } from "../../contract/result.ts";
import type { HostNetwork } from "../exposure/query.ts";
import { type AllowedPort, isAllowed } from "./allowed-ports.ts";
import type { ExposureKind, SocketExposure } from "./exposure-details.ts";
import { type FirewallFacts, missingOfFirewall } from "./firewall-facts.ts";
import type { ListeningSocket } from "./listening-socket.ts";
import { exposeSockets } from "./socket-exposure.ts";
import { MOST_EVIDENCE, type Verdict, verdictOf } from "./verdict.ts";

/** What IoT_OpenPorts is judged by. */
export interface OpenPortsInput {
  /** Undefined: not read yet. `problems`: what of the list could not be read. */
  readonly sockets:
    | { readonly list: readonly ListeningSocket[]; readonly problems?: readonly Problem[] }
    | undefined;
  readonly firewall: FirewallFacts | undefined;
  readonly host: HostNetwork | undefined;
  readonly allowed: readonly AllowedPort[];
  /** See CONTAINER_INTERFACES. */
  readonly containerInterfaces?: readonly string[];
}

const TYPE = "IoT_OpenPorts";
const UNREAD: Firewall = { tables: [], isComplete: false };
const ORDER: readonly ExposureKind[] = ["reachable", "unknown", "container", "blocked", "loopback"];

interface Graded extends SocketExposure {
  readonly isAllowed: boolean;
}

/**
 * IoT_OpenPorts: unhealthy when a socket that the list does not allow can be reached from the network.
 * Sockets that this device, its containers or nobody can reach are evidence without being counted, and so
 * are allowed ones. Unknown where nothing is surely open and sockets or rules could not be seen.
 */
export function judgeOpenPorts(input: OpenPortsInput): Verdict {
  const { sockets, host } = input;
  if (sockets === undefined) {
    const missing = ["the listening sockets, which have not been read yet"];
    return verdictOf(TYPE, { state: "unknown", missing });
  }
  const graded = exposeSockets({
    ...input,
    sockets: sockets.list,
    firewall: input.firewall?.firewall ?? UNREAD,
  }).map((one) => ({ ...one, isAllowed: isAllowed(one.listener, input.allowed) }));
  const open = graded.filter((one) => one.kind === "reachable" && !one.isAllowed);
  const unsure = graded.filter((one) => one.kind === "unknown" && !one.isAllowed);
  const problems = (sockets.problems ?? []).map(
    ({ subject, detail, code }) => `sockets: ${subject}: ${detail} (${code})`,
  );
  const isUnknown = unsure.length > 0 || problems.length > 0;
  return verdictOf(TYPE, {
    state: open.length > 0 ? "unhealthy" : isUnknown ? "unknown" : "healthy",
    count: open.length,
    evidence: worstFirst(graded).map(recordOf),
    missing: [...problems, ...missingOf(unsure, input.firewall, host)],
  });
}

function missingOf(
  unsure: readonly Graded[],
  firewall: FirewallFacts | undefined,
  host: HostNetwork | undefined,
): readonly string[] {
  if (unsure.length === 0) return [];
  const rules = unsure.map(({ rule, reason }) =>
    rule === undefined ? (reason ?? "") : `whether this rule applies: ${rule}`,
  );
  return [
    ...missingOfFirewall(firewall),
    ...(host === undefined ? ["the addresses of the device"] : []),
    ...rules.filter((text) => text !== ""),
  ];
}

/** What is open and not allowed, then what may be, then what is allowed, then the rest. */
function worstFirst(graded: readonly Graded[]): readonly Graded[] {
  const rank = ({ kind, isAllowed }: Graded): number =>
    ORDER.indexOf(kind) * 2 + (isAllowed ? 3 : 0);
  return [...graded].sort((a, b) => rank(a) - rank(b)).slice(0, MOST_EVIDENCE);
}

function recordOf(one: Graded): Readonly<Record<string, string | number | undefined>> {
  const { socket, process } = one.listener;
  return {
    protocol: socket.protocol,
    address: socket.localAddress,
    port: socket.localPort,
    exposure: one.kind,
    interfaces: one.interfaces.join(","),
    sources: one.sources,
    arrivesAt: one.arrivesAt,
    rule: one.rule,
    reason: one.rule === undefined ? one.reason : undefined,
    process: process?.name,
    executable: process?.executable,
    pid: process?.processId,
    unit: process?.unit,
    container: process?.container?.id.slice(0, 12),
    isAllowed: one.isAllowed ? "true" : undefined,
  };
}
