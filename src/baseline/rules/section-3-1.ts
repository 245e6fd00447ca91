import type { Check } from "../check.ts";
import type { Rule } from "../rule.ts";

/** What the rules of the host's network parameters have in common. */
const COMMON = { level: 1, workstationLevel: 1, isScored: true, cost: "shared" } as const;
const HOST = { ...COMMON, group: "Network Parameters Host" } as const;
const ROUTER = { ...COMMON, group: "Network Parameters Host and Router" } as const;

const OFF = { oneOf: ["0"] };
const ON = { oneOf: ["1"] };

type Interfaces = Extract<Check, { readonly test: "sysctl-interfaces" }>;

/** A parameter of each interface, with what the kernel starts with. */
function onInterfaces(
  family: Interfaces["family"],
  name: string,
  inForce: Interfaces["inForce"],
  values: { readonly want: "0" | "1"; readonly all: string; readonly default: string },
): Check {
  return {
    test: "sysctl-interfaces",
    family,
    name,
    inForce,
    expected: { oneOf: [values.want] },
    kernelDefaults: { all: values.all, default: values.default },
  };
}

/** The steps that set parameters, with a line for each. */
function remedy(...lines: readonly string[]): string {
  return `Put these lines into /etc/sysctl.d/60-hardening.conf and run \`sysctl --system\`:\n${lines.join("\n")}`;
}

/** Lines for `all` and `default`, and for the interfaces that are there already. */
function forInterfaces(family: "ipv4" | "ipv6", name: string, value: string): readonly string[] {
  return ["all", "default", "*"].map((one) => `net.${family}.conf.${one}.${name} = ${value}`);
}

/** Controls 3.1 and 3.2: what the kernel does with packets of others. */
export const SECTION_3_1: readonly Rule[] = [
  {
    ...HOST,
    id: "3.1.1",
    title: "Packets are not forwarded between interfaces",
    rationale:
      "A device that forwards packets joins networks that someone may have meant to keep apart. A gateway whose work is routing needs a waiver with that reason.",
    remediation: remedy("net.ipv4.ip_forward = 0", "net.ipv6.conf.all.forwarding = 0"),
    severity: "Warning",
    check: {
      all: [
        { test: "sysctl", key: "net.ipv4.ip_forward", expected: OFF, kernelDefault: "0" },
        { test: "sysctl", key: "net.ipv4.conf.all.forwarding", expected: OFF, kernelDefault: "0" },
        { test: "sysctl", key: "net.ipv6.conf.all.forwarding", expected: OFF, kernelDefault: "0" },
      ],
    },
  },
  {
    ...HOST,
    id: "3.1.2",
    title: "ICMP redirects are not sent",
    rationale:
      "Only routers have a reason to tell others of a better way; from a taken-over host such messages turn the traffic of its neighbours.",
    remediation: remedy(...forInterfaces("ipv4", "send_redirects", "0")),
    severity: "Warning",
    check: onInterfaces("ipv4", "send_redirects", "larger", { want: "0", all: "1", default: "1" }),
  },
  {
    ...ROUTER,
    id: "3.2.1",
    title: "Packets that name their own route are refused",
    rationale:
      "With source routing a sender chooses the way of a packet, and so reaches addresses behind the device that are not routed to from outside.",
    remediation: remedy(
      ...forInterfaces("ipv4", "accept_source_route", "0"),
      ...forInterfaces("ipv6", "accept_source_route", "0"),
    ),
    severity: "Important",
    check: {
      all: [
        onInterfaces("ipv4", "accept_source_route", "smaller", {
          want: "0",
          all: "0",
          default: "1",
        }),
        onInterfaces("ipv6", "accept_source_route", "smaller", {
          want: "0",
          all: "0",
          default: "0",
        }),
      ],
    },
  },
  {
    ...ROUTER,
    id: "3.2.2",
    title: "ICMP redirects are ignored",
    rationale:
      "A forged redirect changes the routes of the device, so that its traffic passes someone who listens.",
    remediation: remedy(
      ...forInterfaces("ipv4", "accept_redirects", "0"),
      ...forInterfaces("ipv6", "accept_redirects", "0"),
    ),
    severity: "Important",
    check: {
      all: [
        onInterfaces("ipv4", "accept_redirects", "larger", { want: "0", all: "1", default: "1" }),
        onInterfaces("ipv6", "accept_redirects", "own", { want: "0", all: "1", default: "1" }),
      ],
    },
  },
  {
    ...ROUTER,
    id: "3.2.3",
    title: "Redirects of known gateways are ignored as well",
    rationale:
      "The sender's address of a redirect is easily forged, and a known gateway may have been taken over itself.",
    remediation: remedy(...forInterfaces("ipv4", "secure_redirects", "0")),
    severity: "Warning",
    check: onInterfaces("ipv4", "secure_redirects", "larger", {
      want: "0",
      all: "1",
      default: "1",
    }),
  },
  {
    ...ROUTER,
    id: "3.2.4",
    title: "Packets with impossible addresses are logged",
    rationale:
      "Such packets come from forged senders or a wrong set-up; without a line in the log nobody learns of them.",
    remediation: remedy(...forInterfaces("ipv4", "log_martians", "1")),
    severity: "Informational",
    check: onInterfaces("ipv4", "log_martians", "larger", { want: "1", all: "0", default: "0" }),
  },
  {
    ...ROUTER,
    id: "3.2.5",
    title: "Echo requests to broadcast addresses are ignored",
    rationale:
      "A ping to a whole network with a forged sender makes all that answer flood the victim.",
    remediation: remedy("net.ipv4.icmp_echo_ignore_broadcasts = 1"),
    severity: "Warning",
    check: {
      test: "sysctl",
      key: "net.ipv4.icmp_echo_ignore_broadcasts",
      expected: ON,
      kernelDefault: "1",
    },
  },
  {
    ...ROUTER,
    id: "3.2.6",
    title: "Malformed ICMP errors are ignored",
    rationale:
      "Some routers answer broadcasts with errors that break the standard; logging each of them fills the disk.",
    remediation: remedy("net.ipv4.icmp_ignore_bogus_error_responses = 1"),
    severity: "Informational",
    check: {
      test: "sysctl",
      key: "net.ipv4.icmp_ignore_bogus_error_responses",
      expected: ON,
      kernelDefault: "1",
    },
  },
  {
    ...ROUTER,
    id: "3.2.7",
    title: "Senders are checked against the routes",
    rationale:
      "A packet that arrives where an answer to its sender would not leave has a forged sender, and is dropped by the reverse path filter.",
    remediation: remedy(...forInterfaces("ipv4", "rp_filter", "1")),
    severity: "Warning",
    check: onInterfaces("ipv4", "rp_filter", "larger", { want: "1", all: "0", default: "0" }),
  },
  {
    ...ROUTER,
    id: "3.2.8",
    title: "SYN cookies are used",
    rationale:
      "When the queue of half-open connections is full, cookies let real connections through where a flood would keep them out.",
    remediation: remedy("net.ipv4.tcp_syncookies = 1"),
    severity: "Important",
    check: { test: "sysctl", key: "net.ipv4.tcp_syncookies", expected: ON, kernelDefault: "1" },
  },
  {
    ...ROUTER,
    id: "3.2.9",
    title: "IPv6 router advertisements are ignored",
    rationale:
      "Whoever sends such a message into the network becomes the way out of every device that believes it. Addresses and routes should be configured.",
    remediation: remedy(...forInterfaces("ipv6", "accept_ra", "0")),
    severity: "Warning",
    check: onInterfaces("ipv6", "accept_ra", "own", { want: "0", all: "1", default: "1" }),
  },
];
