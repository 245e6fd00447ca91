import type { RuleAction } from "../../contract/firewall.ts";
import type { Destination, Flow } from "./flow.ts";
import type { HostView } from "./host-network.ts";

type DestinationNat = Extract<RuleAction, { kind: "destination-nat" }>;

/** What DNAT or REDIRECT makes of a flow. A range of addresses or ports leaves them unknown or first. */
export function translateDestination(flow: Flow, action: DestinationNat, host: HostView): Flow {
  const port = action.ports === undefined ? flow.destination.port : action.ports.from;
  const address = addressAfter(flow, action, host);
  const destination: Destination = { address, port };
  return { ...flow, destination, isDestinationTranslated: true };
}

function addressAfter(flow: Flow, action: DestinationNat, host: HostView): bigint | undefined {
  if (action.isRedirect) {
    if (flow.inInterface === "lo") return flow.family === "ipv4" ? 0x7f000001n : 1n;
    return host.addressOf(flow.family, flow.inInterface);
  }
  // Which of several targets is chosen does not matter as long as one stands for all.
  return action.addresses?.from ?? flow.destination.address;
}
