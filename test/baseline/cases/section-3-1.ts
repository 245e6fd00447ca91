/** Network parameters: running values, and what sysctl.d sets at the next start. */
import type { RootFiles } from "../memory-root.ts";
import type { CaseDevice, RuleCases } from "../rule-case.ts";

type Values = Readonly<Record<string, string>>;

function running(values: Values): RootFiles {
  const entries = Object.entries(values).map(([key, value]) => [
    `/proc/sys/${key.replaceAll(".", "/")}`,
    `${value}\n`,
  ]);
  return Object.fromEntries(entries);
}

function persisted(values: Values): RootFiles {
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}`);
  return { "/etc/sysctl.d/60-hardening.conf": `# ours\n${lines.join("\n")}\n` };
}

/** A running device with the values now and after the next start. */
function both(now: Values, later: Values = now): CaseDevice {
  return { files: { ...running(now), ...persisted(later) } };
}

/** A root that does not run. The value in /proc is that of the machine that looks. */
function offline(later: Values, strange: Values = {}): CaseDevice {
  return { files: { ...running(strange), ...persisted(later) }, isLive: false };
}

const NO_SUCH: CaseDevice = { files: running({ "kernel.ostype": "Linux" }) };

/** Cases of a parameter that there is once. */
function single(rule: string, key: string, good: string, bad: string): RuleCases {
  return {
    rule,
    pass: [both({ [key]: good }), both({ [key]: good }, {}), offline({ [key]: good }, { [key]: bad })],
    fail: [
      both({ [key]: bad }, { [key]: good }),
      both({ [key]: good }, { [key]: bad }),
      offline({ [key]: bad }, { [key]: good }),
    ],
    notApplicable: [NO_SUCH],
    error: [
      { files: { ...running({ [key]: good }), "/etc/sysctl.d/a.conf": "\0\0" } },
      { files: { ...running({ [key]: good }), "/etc/sysctl.d/a.conf": "%%% nothing known %%%" } },
    ],
  };
}

function conf(family: string, name: string, values: Values): Values {
  const entries = Object.entries(values).map(([one, value]) => [
    `net.${family}.conf.${one}.${name}`,
    value,
  ]);
  return Object.fromEntries(entries);
}

function on(family: string, name: string, value: string, more: Values = {}): Values {
  return conf(family, name, { all: value, default: value, eth0: value, lo: "9", ...more });
}

function kept(family: string, name: string, value: string, more: Values = {}): Values {
  return conf(family, name, { all: value, default: value, ...more });
}

/** Cases of an IPv4 parameter that each interface has. */
function perInterface(
  rule: string,
  name: string,
  good: string,
  bad: string,
  more: Partial<RuleCases> = {},
): RuleCases {
  const now = on("ipv4", name, good);
  const later = kept("ipv4", name, good);
  return {
    rule,
    pass: [both(now, later), offline(later), ...(more.pass ?? [])],
    fail: [
      both({ ...now, [`net.ipv4.conf.all.${name}`]: bad }, later),
      both({ ...now, [`net.ipv4.conf.default.${name}`]: bad }, later),
      both(now, {}),
      both(now, { ...later, [`net.ipv4.conf.default.${name}`]: bad }),
      offline({ ...later, [`net.ipv4.conf.all.${name}`]: bad }),
      ...(more.fail ?? []),
    ],
    notApplicable: [NO_SUCH],
    error: [
      both({ ...now, [`net.ipv4.conf.eth0.${name}`]: "many" }, later),
      { files: { ...running(now), "/etc/sysctl.d/a.conf": "\0" } },
      both(now, kept("ipv4", name, "some")),
    ],
  };
}

const REDIRECTS_4 = on("ipv4", "accept_redirects", "0");
const REDIRECTS_6 = on("ipv6", "accept_redirects", "0");
const KEPT_REDIRECTS = {
  ...kept("ipv4", "accept_redirects", "0"),
  ...kept("ipv6", "accept_redirects", "0"),
};
const RA = on("ipv6", "accept_ra", "0");
const KEPT_RA = kept("ipv6", "accept_ra", "0");
const IPV6_OFF = conf("ipv6", "disable_ipv6", { all: "1", default: "1" });
const ROUTES_4 = on("ipv4", "accept_source_route", "0");
const ROUTES_6 = on("ipv6", "accept_source_route", "0");
const KEPT_ROUTES = kept("ipv4", "accept_source_route", "0");

export const SECTION_3_1_CASES: readonly RuleCases[] = [
  {
    rule: "3.1.1",
    pass: [
      both({ "net.ipv4.ip_forward": "0", "net.ipv6.conf.all.forwarding": "0" }),
      both({ "net.ipv4.ip_forward": "0", "net.ipv4.conf.all.forwarding": "0" }),
      offline({}),
    ],
    fail: [
      both({ "net.ipv4.ip_forward": "1" }, { "net.ipv4.ip_forward": "0" }),
      both({ "net.ipv4.ip_forward": "0" }, { "net.ipv4.ip_forward": "1" }),
      both({ "net.ipv4.ip_forward": "0", "net.ipv6.conf.all.forwarding": "1" }, {}),
      offline({ "net/ipv4/ip_forward": "1" }),
      offline({ "net.ipv4.conf.all.forwarding": "1" }),
    ],
    notApplicable: [NO_SUCH],
    error: [{ files: { ...running({ "net.ipv4.ip_forward": "0" }), "/etc/sysctl.conf": "\0" } }],
  },
  perInterface("3.1.2", "send_redirects", "0", "1", {
    // Either of the two is enough for the kernel to send.
    fail: [
      both(
        on("ipv4", "send_redirects", "0", { eth0: "1" }),
        kept("ipv4", "send_redirects", "0"),
      ),
      offline(kept("ipv4", "send_redirects", "0", { "eth0/100": "1", "*": "1" })),
    ],
  }),
  {
    rule: "3.2.1",
    pass: [
      both({ ...ROUTES_4, ...ROUTES_6 }, KEPT_ROUTES),
      // Both are needed for the kernel to accept.
      both({ ...ROUTES_4, "net.ipv4.conf.eth0.accept_source_route": "1" }, KEPT_ROUTES),
      offline(KEPT_ROUTES),
    ],
    fail: [
      both(ROUTES_4, {}),
      both({ ...ROUTES_4, ...on("ipv6", "accept_source_route", "1") }, KEPT_ROUTES),
      both({ ...ROUTES_4, "net.ipv4.conf.all.accept_source_route": "1" }, KEPT_ROUTES),
    ],
    notApplicable: [NO_SUCH],
    error: [both({ ...ROUTES_4, "net.ipv4.conf.all.accept_source_route": "x" }, KEPT_ROUTES)],
  },
  {
    rule: "3.2.2",
    pass: [
      both({ ...REDIRECTS_4, ...REDIRECTS_6 }, KEPT_REDIRECTS),
      both(REDIRECTS_4, kept("ipv4", "accept_redirects", "0")),
      both({ ...REDIRECTS_4, ...on("ipv6", "accept_redirects", "1"), ...IPV6_OFF }, {
        ...kept("ipv4", "accept_redirects", "0"),
        ...IPV6_OFF,
      }),
    ],
    fail: [
      both({ ...REDIRECTS_4, ...REDIRECTS_6 }, kept("ipv4", "accept_redirects", "0")),
      both(
        { ...REDIRECTS_4, ...REDIRECTS_6, "net.ipv6.conf.eth0.accept_redirects": "1" },
        KEPT_REDIRECTS,
      ),
      both({ ...REDIRECTS_4, "net.ipv4.conf.eth0.accept_redirects": "1" }, KEPT_REDIRECTS),
    ],
    notApplicable: [NO_SUCH],
    error: [both({ ...REDIRECTS_4, "net.ipv4.conf.all.accept_redirects": "" }, KEPT_REDIRECTS)],
  },
  perInterface("3.2.3", "secure_redirects", "0", "1"),
  perInterface("3.2.4", "log_martians", "1", "0", {
    pass: [
      both(on("ipv4", "log_martians", "1", { eth0: "0" }), kept("ipv4", "log_martians", "1")),
    ],
  }),
  single("3.2.5", "net.ipv4.icmp_echo_ignore_broadcasts", "1", "0"),
  single("3.2.6", "net.ipv4.icmp_ignore_bogus_error_responses", "1", "0"),
  perInterface("3.2.7", "rp_filter", "1", "0", {
    pass: [
      // The file that systemd brings is weaker than one of the same key with a later name.
      {
        files: {
          "/usr/lib/sysctl.d/50-default.conf":
            "net.ipv4.conf.default.rp_filter = 2\nnet.ipv4.conf.*.rp_filter = 2\n-net.ipv4.conf.all.rp_filter\n",
          "/etc/sysctl.d/60-x.conf":
            "net.ipv4.conf.all.rp_filter = 1\nnet.ipv4.conf.default.rp_filter = 1\nnet.ipv4.conf.*.rp_filter = 1\n",
        },
        isLive: false,
      },
    ],
    fail: [
      both(on("ipv4", "rp_filter", "1", { eth0: "2" }), kept("ipv4", "rp_filter", "1")),
      offline(kept("ipv4", "rp_filter", "1", { "*": "2" })),
    ],
  }),
  single("3.2.8", "net.ipv4.tcp_syncookies", "1", "0"),
  {
    rule: "3.2.9",
    pass: [both(RA, KEPT_RA), offline(KEPT_RA)],
    fail: [
      both({ ...RA, "net.ipv6.conf.eth0.accept_ra": "1" }, KEPT_RA),
      both(RA, {}),
      both({ ...RA, "net.ipv6.conf.all.disable_ipv6": "1" }, {}),
    ],
    notApplicable: [
      NO_SUCH,
      both({ ...RA, ...IPV6_OFF }, IPV6_OFF),
      offline(IPV6_OFF),
      {
        files: { "/etc/default/grub": 'GRUB_CMDLINE_LINUX="ipv6.disable=1 audit=1"\n' },
        isLive: false,
      },
    ],
    error: [{ files: { ...running(RA), "/etc/sysctl.d/z.conf": "\0" } }],
  },
];
