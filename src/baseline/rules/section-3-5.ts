import type { Rule } from "../rule.ts";

const FIREWALL = {
  level: 1,
  workstationLevel: 1,
  group: "Firewall Configuration",
} as const;

interface FamilyWords {
  readonly family: "ipv4" | "ipv6";
  readonly number: "3.5.1" | "3.5.2";
  readonly name: "IPv4" | "IPv6";
  readonly tool: "iptables" | "ip6tables";
  readonly loopback: string;
  readonly icmp: string;
}

const FAMILIES: readonly FamilyWords[] = [
  {
    family: "ipv6",
    number: "3.5.1",
    name: "IPv6",
    tool: "ip6tables",
    loopback: "::1",
    icmp: "icmpv6",
  },
  {
    family: "ipv4",
    number: "3.5.2",
    name: "IPv4",
    tool: "iptables",
    loopback: "127.0.0.0/8",
    icmp: "icmp",
  },
];

/** The four rules that both families have. */
function familyRules({ family, number, name, tool, loopback, icmp }: FamilyWords): readonly Rule[] {
  const protocols = ["tcp", "udp", icmp];
  return [
    {
      ...FIREWALL,
      id: `${number}.1`,
      title: `${name} packets are refused unless a rule allows them`,
      rationale:
        "With an open policy every new service is reachable from its first second on; with a closed one someone must have decided so. Allow what you need before you close.",
      remediation: `\`${tool} -P INPUT DROP\`, \`${tool} -P FORWARD DROP\`, \`${tool} -P OUTPUT DROP\`, or chains of nftables with \`policy drop\`; save the rule set so that the next start loads it.`,
      isScored: true,
      severity: "Important",
      cost: "shared",
      check: { test: "firewall", family, want: "default-deny" },
    },
    {
      ...FIREWALL,
      id: `${number}.2`,
      title: `${name} loopback traffic passes, and only on its own interface`,
      rationale:
        "Programs of the device speak to each other over loopback. The same addresses arriving from a cable are forged.",
      remediation: `In this order: \`${tool} -A INPUT -i lo -j ACCEPT\`, \`${tool} -A OUTPUT -o lo -j ACCEPT\`, \`${tool} -A INPUT -s ${loopback} -j DROP\`.`,
      isScored: true,
      severity: "Warning",
      cost: "shared",
      check: { test: "firewall", family, want: "loopback" },
    },
    {
      ...FIREWALL,
      id: `${number}.3`,
      title: `${name} connections go out, and only their answers come in`,
      rationale:
        "A closed policy also stops the answers to the device's own connections; rules by connection state let in these and nothing else.",
      remediation: protocols
        .map(
          (one) =>
            `\`${tool} -A OUTPUT -p ${one} -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\`, \`${tool} -A INPUT -p ${one} -m conntrack --ctstate ESTABLISHED -j ACCEPT\``,
        )
        .join("\n"),
      isScored: false,
      severity: "Warning",
      cost: "shared",
      check: { test: "firewall", family, want: "established" },
    },
    {
      ...FIREWALL,
      id: `${number}.4`,
      title: `Each open ${name} port has a rule`,
      rationale:
        "A port that listens and that no rule names was opened by accident, or is closed by accident.",
      remediation: `For each port that shall be open: \`${tool} -A INPUT -p tcp --dport PORT -m conntrack --ctstate NEW -j ACCEPT\`; stop services that nobody needs.`,
      isScored: family === "ipv4",
      severity: "Warning",
      cost: "shared",
      check: { test: "firewall", family, want: "ports" },
    },
  ];
}

/** Controls 3.5 to 3.7: firewall, radio interfaces, IPv6. */
export const SECTION_3_5: readonly Rule[] = [
  ...FAMILIES.flatMap(familyRules),
  {
    ...FIREWALL,
    id: "3.5.3",
    title: "A tool for the firewall is installed",
    rationale: "Without iptables or nftables nothing loads a rule set when the device starts.",
    remediation: "`apt-get install nftables` (or iptables); Alpine: `apk add nftables`.",
    isScored: true,
    severity: "Important",
    cost: "shared",
    check: {
      test: "package",
      names: ["iptables*", "nftables", "nftables-json"],
      want: "installed",
    },
  },
  {
    id: "3.6",
    title: "No wireless interface is in use",
    rationale:
      "A radio reaches past the walls; a device on a cable that has one should keep it off.",
    remediation: "`ip link set wlan0 down` and `rfkill block wlan`, or `nmcli radio all off`.",
    level: 1,
    workstationLevel: 2,
    isScored: false,
    severity: "Warning",
    group: "Wireless",
    cost: "light",
    check: { test: "wireless-off" },
  },
  {
    id: "3.7",
    title: "IPv6 is off where it is not used",
    rationale:
      "A protocol that nobody configured still has addresses, and often no firewall. Networks that use IPv6 need a waiver.",
    remediation:
      'Add ipv6.disable=1 to GRUB_CMDLINE_LINUX in /etc/default/grub and run `update-grub`; or put "net.ipv6.conf.all.disable_ipv6 = 1" and "net.ipv6.conf.default.disable_ipv6 = 1" into /etc/sysctl.d/60-hardening.conf.',
    level: 2,
    workstationLevel: 2,
    isScored: false,
    severity: "Informational",
    group: "IPv6",
    cost: "light",
    check: { test: "ipv6-off" },
  },
];
