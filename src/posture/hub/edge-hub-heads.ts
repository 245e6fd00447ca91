import { type Verdict, verdictWith } from "../recommendations/verdict.ts";
import { HEAD_WINDOW_DAYS, HUB_CATALOGUE } from "./catalogue.ts";
import { createDeviceGroups, namesOf, numbered } from "./device-groups.ts";
import { brokenOf, missingOfEdge, stateOf } from "./edge-coverage.ts";
import type { EdgeDeployment, EdgeFacts } from "./hub-facts.ts";

const WINDOW_MS = HEAD_WINDOW_DAYS * 86_400_000;

/**
 * Protocol heads of the edge hub that nobody uses. No twin says which protocol a client speaks, so this
 * counts: a client speaks one protocol, hence of the two heads that hold connections at least so many are
 * idle as exceed the clients of the window. Clients over HTTP are not listed, so that head is never said to
 * be unused, and nothing is healthy while it is on and its use not known.
 */
export function judgeEdgeHubHeads(edge: EdgeFacts): Verdict<"IoT_EdgeHubMemOptimize"> {
  const groups = createDeviceGroups();
  const noClients: string[] = [];
  const undecided: string[] = [];
  for (const deployment of edge.deployments) {
    const heads = deployment.modules.find((module) => module.heads !== undefined)?.heads ?? [];
    if (heads.length === 0) continue;
    const connecting = heads.filter((head) => head !== "http");
    if (deployment.clients === undefined) {
      noClients.push(deployment.deviceId);
      continue;
    }
    const clients = clientsInWindow(deployment);
    const unused = connecting.length - clients;
    if (unused > 0) {
      const unusedHeads =
        unused === connecting.length
          ? connecting.join(", ")
          : `${unused} of ${connecting.join(", ")}`;
      const fields = { enabledHeads: heads.join(", "), clients: String(clients), unusedHeads };
      groups.add(fields, deployment.deviceId);
    } else if (heads.length > 1) undecided.push(deployment.deviceId);
  }
  const evidence = groups.evidence();
  const missing = [
    ...missingOfEdge(edge),
    ...brokenOf(edge, (part) => /edgehub/i.test(part)),
    ...some(noClients, "clients of the edge hub, from its $edgeHub twin, of"),
    ...some(
      undecided,
      "protocols that clients use (on the gateway: ss -tn, ports 5671, 8883, 443) of",
    ),
  ];
  return verdictWith(HUB_CATALOGUE.IoT_EdgeHubMemOptimize, {
    state: stateOf(evidence.length, missing),
    evidence,
    missing,
  });
}

function some(ids: readonly string[], what: string): readonly string[] {
  return ids.length === 0 ? [] : [`${what} ${numbered(ids.length, "gateway")}: ${namesOf(ids)}`];
}

/** Clients that are connected, or were within the window before the newest time that the twin gives. */
function clientsInWindow({ clients = [], clientsAtMs }: EdgeDeployment): number {
  return clients.filter(({ isConnected, lastSeenMs }) => {
    if (isConnected || clientsAtMs === undefined) return true;
    return lastSeenMs !== undefined && clientsAtMs - lastSeenMs <= WINDOW_MS;
  }).length;
}
