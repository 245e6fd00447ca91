/** Firewall models as iptables-save and nft write them, radio interfaces, and IPv6. */
import { unreadableFact, valueFact } from "../../../src/baseline/fact.ts";
import type { Firewall } from "../../../src/contract/firewall.ts";
import type { SocketFacts } from "../../../src/contract/probe.ts";
import { firewallFromIptables } from "../../../src/parse/firewall/from-iptables.ts";
import { firewallFromNft } from "../../../src/parse/firewall/from-nft.ts";
import { parseIptablesSave } from "../../../src/parse/iptables-save/parse-iptables-save.ts";
import { parseNftJson } from "../../../src/parse/nft-json/parse-nft-json.ts";
import type { RootFiles } from "../memory-root.ts";
import type { CaseDevice, RuleCases } from "../rule-case.ts";

type Family = "ipv4" | "ipv6";

const EMPTY: Firewall = { tables: [], isComplete: true };
const HAS_IPV6: RootFiles = { "/proc/sys/net/ipv6/conf/all/disable_ipv6": "0\n" };
const IPV6_OFF: RootFiles = {
  "/proc/sys/net/ipv6/conf/all/disable_ipv6": "1\n",
  "/etc/sysctl.d/a.conf": "net.ipv6.conf.all.disable_ipv6=1\n",
};

function saved(family: Family, policies: string, ...rules: readonly string[]): Firewall {
  const [input, forward, output] = policies.split(" ");
  const lines = [
    "*filter",
    `:INPUT ${input} [0:0]`,
    `:FORWARD ${forward} [0:0]`,
    `:OUTPUT ${output} [0:0]`,
    ":LAN - [0:0]",
    ...rules,
    "COMMIT",
  ];
  const save = parseIptablesSave(`${lines.join("\n")}\n`);
  return firewallFromIptables(save, { backend: "iptables-legacy", family });
}

function nft(
  rules: readonly unknown[],
  policy = "drop",
): Firewall {
  const at = { family: "inet", table: "filter" };
  const chains = ["input", "forward", "output"].map((hook) => ({
    chain: { ...at, name: hook, handle: 1, type: "filter", hook, prio: 0, policy },
  }));
  const json = {
    nftables: [
      { metainfo: { version: "1.0.6", json_schema_version: 1 } },
      { table: { family: "inet", name: "filter", handle: 1 } },
      ...chains,
      ...rules.map((rule, handle) => ({ rule: { ...at, handle: handle + 10, ...Object(rule) } })),
    ],
  };
  const read = parseNftJson(JSON.stringify(json));
  return firewallFromNft(read);
}

function device(firewall: Firewall, sockets: readonly SocketFacts[] = []): CaseDevice {
  return { files: HAS_IPV6, sockets, extras: { firewall: valueFact(firewall) } };
}

function cut(firewall: Firewall): CaseDevice {
  return device({ ...firewall, isComplete: false }, [socket("tcp", "ipv6", "::", 22)]);
}

function socket(
  protocol: "tcp" | "udp",
  family: Family,
  localAddress: string,
  localPort: number,
): SocketFacts {
  return {
    protocol,
    family,
    state: protocol === "tcp" ? 10 : 7,
    localAddress,
    localPort,
    remoteAddress: family === "ipv4" ? "0.0.0.0" : "::",
    remotePort: 0,
    userId: 0,
    inode: 1,
    interfaceIndex: 0,
  };
}

/** What no rule set of this family is about. */
function others(family: Family): readonly CaseDevice[] {
  const unread: CaseDevice = { files: HAS_IPV6 };
  const extras = { firewall: valueFact(EMPTY) };
  if (family === "ipv4") return [unread];
  return [unread, { files: IPV6_OFF, extras }, { files: { "/proc/cmdline": "quiet" }, extras }];
}

const REFUSED: CaseDevice = {
  files: HAS_IPV6,
  extras: { firewall: unreadableFact("nft: permission denied") },
};

function defaultDeny(rule: string, family: Family): RuleCases {
  return {
    rule,
    pass: [
      device(saved(family, "DROP DROP DROP", "-A INPUT -p tcp --dport 22 -j ACCEPT")),
      device(
        saved(family, "DROP DROP ACCEPT", "-A OUTPUT -p tcp -j ACCEPT", "-A OUTPUT -j REJECT"),
      ),
      device(saved(family, "DROP DROP ACCEPT", "-A OUTPUT -g LAN", "-A LAN -j DROP")),
      device(nft([])),
      { ...device({ ...nft([]), isComplete: false }) },
    ],
    fail: [
      device(EMPTY),
      device(saved(family, "ACCEPT DROP DROP")),
      device(saved(family, "DROP ACCEPT DROP")),
      device(saved(family, "DROP DROP ACCEPT")),
      device(saved(family, "DROP DROP DROP", "-A INPUT -j ACCEPT")),
      device(saved(family, "DROP DROP DROP", "-A INPUT -j LAN", "-A LAN -j ACCEPT")),
      device(saved(family === "ipv4" ? "ipv6" : "ipv4", "DROP DROP DROP")),
      device(nft([], "accept")),
    ],
    notApplicable: others(family),
    error: [
      REFUSED,
      cut(EMPTY),
      device(saved(family, "DROP DROP ACCEPT", "-A OUTPUT -j NFQUEUE --queue-num 0")),
    ],
  };
}

function loopback(rule: string, family: Family): RuleCases {
  const network = family === "ipv4" ? "127.0.0.0/8" : "::1/128";
  const input = "-A INPUT -i lo -j ACCEPT";
  const output = "-A OUTPUT -o lo -j ACCEPT";
  const refusal = `-A INPUT -s ${network} -j DROP`;
  const protocol = family === "ipv4" ? "ip" : "ip6";
  const lo = (key: string) => ({ match: { op: "==", left: { meta: { key } }, right: "lo" } });
  const address =
    family === "ipv4" ? { prefix: { addr: "127.0.0.0", len: 8 } } : "::1";
  const from = {
    match: { op: "==", left: { payload: { protocol, field: "saddr" } }, right: address },
  };
  const notLo = { match: { op: "!=", left: { meta: { key: "iif" } }, right: "lo" } };
  return {
    rule,
    pass: [
      device(saved(family, "DROP DROP DROP", input, refusal, output)),
      device(
        saved(family, "DROP DROP DROP", input, `-A INPUT ! -i lo -s ${network} -j REJECT`, output),
      ),
      device(
        nft([
          { chain: "input", expr: [lo("iifname"), { accept: null }] },
          { chain: "input", expr: [notLo, from, { drop: null }] },
          { chain: "output", expr: [lo("oif"), { accept: null }] },
        ]),
      ),
    ],
    fail: [
      device(EMPTY),
      device(saved(family, "DROP DROP DROP", refusal, output)),
      device(saved(family, "DROP DROP DROP", input, output)),
      device(saved(family, "DROP DROP DROP", input, refusal)),
      device(saved(family, "DROP DROP DROP", `${input.slice(0, 15)} -p tcp -j ACCEPT`, refusal, output)),
      device(saved(family, "DROP DROP DROP", "-A INPUT ! -i lo -j ACCEPT", refusal, output)),
    ],
    notApplicable: others(family),
    error: [REFUSED, cut(saved(family, "DROP DROP DROP"))],
  };
}

function established(rule: string, family: Family): RuleCases {
  const icmp = family === "ipv4" ? "icmp" : "ipv6-icmp";
  const each = (chain: string, states: string) =>
    ["tcp", "udp", icmp].map(
      (one) => `-A ${chain} -p ${one} -m conntrack --ctstate ${states} -j ACCEPT`,
    );
  const back = each("INPUT", "ESTABLISHED");
  const out = each("OUTPUT", "NEW,ESTABLISHED");
  const states = { match: { op: "in", left: { ct: { key: "state" } }, right: ["established", "related"] } };
  const vmap = {
    vmap: {
      key: { ct: { key: "state" } },
      data: { set: [["established", { accept: null }], ["invalid", { drop: null }]] },
    },
  };
  return {
    rule,
    pass: [
      device(saved(family, "DROP DROP DROP", ...back, ...out)),
      device(saved(family, "DROP DROP ACCEPT", "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT")),
      device(saved(family, "DROP DROP DROP", "-A INPUT -j LAN", "-A LAN -m state --state ESTABLISHED -j ACCEPT", "-A OUTPUT -j ACCEPT")),
      device(nft([{ chain: "input", expr: [states, { accept: null }] }, { chain: "output", expr: [{ accept: null }] }])),
      device(nft([{ chain: "input", expr: [vmap] }, { chain: "output", expr: [{ accept: null }] }])),
    ],
    fail: [
      device(saved(family, "DROP DROP DROP", ...back)),
      device(saved(family, "DROP DROP DROP", ...out)),
      device(saved(family, "DROP DROP DROP", ...back.slice(1), ...out)),
      device(saved(family, "DROP DROP DROP", ...back, ...each("OUTPUT", "ESTABLISHED"))),
    ],
    notApplicable: others(family),
    error: [REFUSED, cut(saved(family, "DROP DROP DROP"))],
  };
}

function ports(rule: string, family: Family): RuleCases {
  const [any, loop] = family === "ipv4" ? ["0.0.0.0", "127.0.0.1"] : ["::", "::1"];
  const ssh = socket("tcp", family, any ?? "", 22);
  const dns = socket("udp", family, any ?? "", 53);
  const local = socket("tcp", family, loop ?? "", 631);
  const rules = [
    "-A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT",
    "-A INPUT -p udp -m multiport --dports 53,123 -j DROP",
  ];
  return {
    rule,
    pass: [
      device(saved(family, "DROP DROP DROP", ...rules), [ssh, dns, local]),
      device(EMPTY, [local]),
      device(saved(family, "DROP DROP DROP", ...rules), [
        { ...socket("tcp", family, any ?? "", 40_000), state: 1 },
      ]),
    ],
    fail: [
      device(EMPTY, [ssh]),
      device(saved(family, "DROP DROP DROP", ...rules), [
        ssh,
        socket("udp", family, any ?? "", 22),
      ]),
      device(saved(family, "DROP DROP DROP", "-A INPUT -p tcp -j ACCEPT"), [ssh]),
      device(saved(family, "DROP DROP DROP", "-A INPUT -p tcp --sport 22 -j ACCEPT"), [ssh]),
      device(saved(family, "DROP DROP DROP", "-A OUTPUT -p tcp --dport 22 -j ACCEPT"), [ssh]),
      ...(family === "ipv4" ? [device(EMPTY, [socket("tcp", "ipv6", "::", 1883)])] : []),
    ],
    notApplicable: [...others(family), { ...device(EMPTY), isLive: false }],
    error: [REFUSED, cut(saved(family, "DROP DROP DROP"))],
  };
}

const RADIO: RootFiles = {
  "/sys/class/net/eth0/flags": "0x1003\n",
  "/sys/class/net/wlan0/wireless": { kind: "folder" },
  "/sys/class/net/wlan0/flags": "0x1003\n",
};
const RFKILL = "/sys/class/net/wlan0/phy80211/rfkill0";
const WITH_IPV6: RootFiles = {
  "/proc/cmdline": "BOOT_IMAGE=/vmlinuz root=/dev/sda1 quiet\n",
  "/proc/sys/net/ipv6/conf/all/disable_ipv6": "0\n",
  "/proc/sys/net/ipv6/conf/default/disable_ipv6": "0\n",
};
const MENU_OFF = "menuentry 'x' {\n\tlinux /vmlinuz root=/dev/sda1 ro ipv6.disable=1\n}\n";
const SYSCTL_OFF = {
  "/etc/sysctl.d/a.conf":
    "net.ipv6.conf.all.disable_ipv6 = 1\nnet.ipv6.conf.default.disable_ipv6 = 1\n",
};
const NOW_OFF = {
  "/proc/sys/net/ipv6/conf/all/disable_ipv6": "1\n",
  "/proc/sys/net/ipv6/conf/default/disable_ipv6": "1\n",
};

export const SECTION_3_5_CASES: readonly RuleCases[] = [
  defaultDeny("3.5.1.1", "ipv6"),
  loopback("3.5.1.2", "ipv6"),
  established("3.5.1.3", "ipv6"),
  ports("3.5.1.4", "ipv6"),
  defaultDeny("3.5.2.1", "ipv4"),
  loopback("3.5.2.2", "ipv4"),
  established("3.5.2.3", "ipv4"),
  ports("3.5.2.4", "ipv4"),
  {
    rule: "3.5.3",
    pass: [
      {
        files: {
          "/var/lib/dpkg/status": "Package: nftables\nStatus: install ok installed\nVersion: 1\n",
        },
      },
      { files: { "/lib/apk/db/installed": "P:iptables\nV:1.8.9-r2\n" } },
      { files: { "/usr/lib/opkg/status": "Package: nftables-json\nStatus: install user installed\n" } },
    ],
    fail: [
      {
        files: {
          "/var/lib/dpkg/status": "Package: nftables\nStatus: deinstall ok config-files\n",
        },
      },
    ],
    notApplicable: [{ files: {} }],
    error: [{ files: { "/var/lib/dpkg/status": "???" } }],
  },
  {
    rule: "3.6",
    pass: [
      { files: { ...RADIO, "/sys/class/net/wlan0/flags": "0x1002\n" } },
      { files: { ...RADIO, [`${RFKILL}/soft`]: "1\n", [`${RFKILL}/hard`]: "0\n" } },
    ],
    fail: [
      { files: RADIO },
      { files: { ...RADIO, [`${RFKILL}/soft`]: "0\n", [`${RFKILL}/hard`]: "0\n" } },
    ],
    notApplicable: [
      { files: { "/sys/class/net/eth0/flags": "0x1003\n" } },
      { files: RADIO, isLive: false },
    ],
    error: [
      { files: { ...RADIO, "/sys/class/net/wlan0/flags": "up and away" } },
      { files: { ...RADIO, "/sys/class/net/wlan0/flags": { isRefused: true } } },
    ],
  },
  {
    rule: "3.7",
    pass: [
      { files: { "/proc/cmdline": "ipv6.disable=1 quiet\n", "/boot/grub/grub.cfg": MENU_OFF } },
      { files: { ...WITH_IPV6, ...NOW_OFF, ...SYSCTL_OFF } },
      { files: SYSCTL_OFF, isLive: false },
      {
        files: { "/etc/default/grub": "GRUB_CMDLINE_LINUX='quiet ipv6.disable=1'\n" },
        isLive: false,
      },
    ],
    fail: [
      { files: WITH_IPV6 },
      { files: { ...WITH_IPV6, ...SYSCTL_OFF } },
      { files: { ...WITH_IPV6, "/boot/grub/grub.cfg": MENU_OFF } },
      { files: { ...WITH_IPV6, ...NOW_OFF } },
      {
        files: {
          "/proc/cmdline": "ipv6.disable=1\n",
          "/boot/grub/grub.cfg": `${MENU_OFF}\tlinux /vmlinuz-old ro\n`,
        },
      },
    ],
    notApplicable: [{ files: { "/proc/cmdline": "quiet\n" } }],
    error: [{ files: { ...WITH_IPV6, "/boot/grub/grub.cfg": { isRefused: true } } }],
  },
];
