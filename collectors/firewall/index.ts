import { defineSnapshotCollector } from "../../src/contract/collector.ts";
import { collectFirewall, watchFirewallChanges } from "./collect.ts";
import { firewallPayload, firewallSettings } from "./schema.ts";

export const firewall = defineSnapshotCollector({
  name: "firewall",
  summary:
    "Every rule and policy that the kernel enforces: iptables-legacy, iptables-nft and nftables, IPv4 and IPv6.",
  eventName: "FirewallConfiguration",
  cost: "moderate",
  needs: [
    {
      kind: "capability",
      what: "CAP_NET_ADMIN",
      lostWithout: "Everything: the rules are reported as unknown, and changes are not noticed",
    },
    {
      kind: "capability",
      what: "CAP_NET_RAW",
      lostWithout: "Rules of iptables-legacy",
    },
    {
      kind: "capability",
      what: "CAP_DAC_READ_SEARCH",
      lostWithout: "Whether iptables-legacy has tables, unless the agent is root",
    },
    {
      kind: "program",
      what: "iptables-nft-save and ip6tables-nft-save",
      lostWithout: "Matches of iptables-nft that nft does not know",
    },
    {
      kind: "program",
      what: "iptables-legacy-save and ip6tables-legacy-save",
      lostWithout: "Rules of iptables-legacy, where it is in use",
    },
    { kind: "program", what: "nft", lostWithout: "Native rules of nftables" },
  ],
  sources: [
    "iptables-save(8)",
    "iptables-extensions(8)",
    "nft(8)",
    "libnftables-json(5)",
    "linux/netfilter/nf_tables.h",
    "linux/netfilter_ipv4/ip_tables.h",
  ],
  settings: firewallSettings,
  payload: firewallPayload,
  collect: collectFirewall,
  watchChanges: watchFirewallChanges,
});
