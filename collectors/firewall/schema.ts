import { boolean, choice, integer, optional, record, text } from "../../src/contract/schema.ts";

export const firewallSettings = record({
  maxRules: integer({
    default: 2000,
    min: 100,
    max: 20_000,
    doc: "Most rules in one event; chains that decide about the device itself come first",
  }),
  includeCounters: boolean({
    default: true,
    doc: "Send the packet and byte counters of each rule",
  }),
});

function part(doc: string) {
  return optional(text({ maxLength: 4096, doc }));
}
function detail(doc: string, maxLength = 256) {
  return optional(text({ maxLength, doc }));
}

/** Source: iptables-save(8), iptables-extensions(8), libnftables-json(5), nft(8). */
export const firewallPayload = record({
  Priority: optional(integer({ min: 0, doc: "Place in its chain from 0; the policy comes last" })),
  Direction: optional(
    choice(["In", "Out"] as const, {
      doc: "`In` and `Out` for chains that decide about packets to and from the device",
    }),
  ),
  ChainName: detail("Chain, as iptables or nftables name it"),
  Enabled: boolean({ doc: "`false` for rules of a dormant nftables table" }),
  Action: choice(["Allow", "Deny", "Other"] as const, {
    doc: "Allow: accept; Deny: drop, reject; Other: all else, named in `Target`",
  }),
  SourceAddress: part("`a`, `a/prefix`, `a-b`, lists with `,`, `!` for not; absent: any"),
  SourcePort: part("`22`, `1024-65535`, lists with `,`, `!` for not; absent: any"),
  DestinationAddress: part("Like SourceAddress"),
  DestinationPort: part("Like SourcePort"),
  Protocol: part("Name or number of the IP protocol; absent: any"),
  ExtraDetails: optional(
    record({
      Backend: detail("`iptables-legacy`, `iptables-nft` or `nftables`"),
      Family: detail("Family of the table: ip, ip6, inet, bridge, netdev, arp"),
      Table: detail("Table: `*name` of iptables-save, `table` of nft"),
      Hook: detail("Hook of a base chain; absent for chains that only jumps reach"),
      HookPriority: detail("Priority of a base chain at its hook; lower comes earlier"),
      ChainType: detail("Type of a base chain: filter, nat or route"),
      Policy: detail("`true`: this item is the policy of the chain"),
      InInterface: detail("Interface the packet came in by; `*` at the end: any that begins so"),
      OutInterface: detail("Interface the packet leaves by"),
      ConnectionState: detail("States of connection tracking: new, established, …"),
      FurtherConditions: detail("Conditions without a field of their own, `; ` between them", 1024),
      Target: detail("What the rule does when it neither allows nor denies plainly"),
      JumpTarget: detail("Chain that the rule jumps or goes to"),
      MapEntries: detail("Entries of the verdict map that decides"),
      Comment: detail("Comment on the rule"),
      Packets: detail("Packets that met the rule"),
      Bytes: detail("Bytes of these packets"),
      Rule: detail("The whole rule in the language of its backend", 1024),
      State: detail("`unknown`: this backend could not be asked; the item stands for its rules"),
      Reason: detail("Why it could not be asked"),
    }),
  ),
});
