import type { Condition, TableFamily } from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";

/** Whether packets of a family pass the tables of another. Source: nft(8), address families. */
export function carries(table: TableFamily, family: AddressFamily): boolean {
  if (table === "inet") return true;
  return table === (family === "ipv4" ? "ip" : "ip6");
}

/**
 * Whether a condition holds for the first packet of any new connection with another host, whatever its
 * protocol, addresses and ports: what is left to decide about when no rule speaks of a packet.
 */
export function holdsForStrangers(condition: Condition, family: AddressFamily): boolean {
  switch (condition.kind) {
    case "family":
      return (condition.family === family) !== condition.isNegated;
    case "interface":
      if (condition.isNegated) return condition.names.every((name) => name === "lo");
      return condition.names.includes("*");
    case "connection-state":
      return condition.states.includes("new") !== condition.isNegated;
    case "connection-direction":
      return (condition.direction === "original") !== condition.isNegated;
    default:
      return false;
  }
}
