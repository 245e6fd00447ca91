import type { Check } from "../check.ts";
import type { Rule, Severity } from "../rule.ts";

const GROUP = "Special Purpose Services";

interface ServiceRule {
  readonly id: string;
  readonly what: string;
  readonly units: readonly string[];
  readonly rationale: string;
  readonly severity?: Severity;
  readonly workstationLevel?: 1 | 2;
  /** When to waive it. */
  readonly caution?: string;
}

function serviceRule(rule: ServiceRule): Rule {
  const { id, what, units, rationale, severity = "Warning", workstationLevel = 1, caution } = rule;
  const check: Check = { test: "service", units, want: "off" };
  const advice = `Run \`systemctl disable --now UNIT\` for each unit shown as enabled (OpenRC: \`rc-update del NAME\`), or remove its package.`;
  return {
    id,
    title: `The ${what} is off`,
    rationale,
    remediation: caution === undefined ? advice : `${advice} ${caution}`,
    level: 1,
    workstationLevel,
    isScored: true,
    severity,
    group: GROUP,
    cost: "shared",
    check,
  };
}

/** Servers that a gateway rarely is: 2.2.2 to 2.2.17. */
export const SERVICE_RULES: readonly Rule[] = [
  {
    id: "2.2.2",
    title: "No graphical system is installed",
    rationale: "It is a large body of code with many rights that a gateway does not need.",
    remediation:
      "Run `apt purge 'xserver-xorg*'` (or remove the packages xorg-x11-server of your distribution).",
    level: 1,
    isScored: true,
    severity: "Warning",
    group: GROUP,
    cost: "shared",
    check: {
      test: "package",
      names: ["xserver-xorg*", "xorg-x11-server*", "xorg-server*"],
      want: "absent",
    },
  },
  serviceRule({
    id: "2.2.3",
    what: "Avahi daemon",
    units: ["avahi-daemon.service", "avahi-daemon.socket"],
    rationale: "It tells everyone on the network what the device is and offers.",
    workstationLevel: 2,
  }),
  serviceRule({
    id: "2.2.4",
    what: "print server",
    units: ["cups.service", "cups.socket", "cups.path", "cups-browsed.service", "cupsd.service"],
    rationale: "A gateway prints nothing, and print servers were entered from the network before.",
    workstationLevel: 2,
  }),
  serviceRule({
    id: "2.2.5",
    what: "DHCP server",
    units: [
      "isc-dhcp-server.service",
      "isc-dhcp-server6.service",
      "dhcpd.service",
      "dhcpd6.service",
      "kea-dhcp4-server.service",
      "kea-dhcp6-server.service",
    ],
    rationale: "Whoever takes it over tells other devices where their gateway and name server are.",
    caution: "Waive the rule where the gateway is meant to serve addresses.",
  }),
  serviceRule({
    id: "2.2.6",
    what: "LDAP server",
    units: ["slapd.service"],
    rationale: "A directory of accounts does not belong on a device at the edge.",
  }),
  serviceRule({
    id: "2.2.7",
    what: "NFS server and the port mapper",
    units: [
      "nfs-server.service",
      "nfs-kernel-server.service",
      "nfs.service",
      "rpcbind.service",
      "rpcbind.socket",
    ],
    rationale: "They offer files to the network by trusting its addresses.",
    severity: "Important",
  }),
  serviceRule({
    id: "2.2.8",
    what: "name server",
    units: ["named.service", "bind9.service", "pdns.service", "nsd.service", "knot.service"],
    rationale: "Whoever takes it over sends other devices to the wrong places.",
    caution: "Waive the rule where the gateway is meant to serve names.",
  }),
  serviceRule({
    id: "2.2.9",
    what: "FTP server",
    units: ["vsftpd.service", "vsftpd.socket", "proftpd.service", "pure-ftpd.service"],
    rationale: "It carries passwords and files in plain text.",
    severity: "Important",
  }),
  serviceRule({
    id: "2.2.10",
    what: "web server",
    units: [
      "apache2.service",
      "httpd.service",
      "httpd.socket",
      "nginx.service",
      "lighttpd.service",
      "caddy.service",
      "uhttpd.service",
    ],
    rationale: "Of all services it is the one that strangers try first.",
    caution: "Waive the rule where the gateway has a web interface.",
  }),
  serviceRule({
    id: "2.2.11",
    what: "mail store",
    units: [
      "dovecot.service",
      "dovecot.socket",
      "cyrus-imapd.service",
      "courier-imap.service",
      "courier-pop.service",
    ],
    rationale: "Nobody fetches mail from a gateway.",
  }),
  serviceRule({
    id: "2.2.12",
    what: "Samba server",
    units: [
      "smbd.service",
      "nmbd.service",
      "smb.service",
      "nmb.service",
      "samba.service",
      "samba-ad-dc.service",
      "ksmbd.service",
    ],
    rationale: "Shared folders are how programs that encrypt for ransom spread.",
    severity: "Important",
  }),
  serviceRule({
    id: "2.2.13",
    what: "web proxy",
    units: ["squid.service", "squid3.service", "tinyproxy.service"],
    rationale: "Through it, strangers reach places that only the gateway should.",
  }),
  serviceRule({
    id: "2.2.14",
    what: "SNMP server",
    units: ["snmpd.service", "snmptrapd.service"],
    rationale: "Its older versions ask for a word in plain text, and tell all about the device.",
    severity: "Important",
  }),
  {
    id: "2.2.15",
    title: "The mail agent serves this device alone",
    rationale:
      "A mail agent that the network reaches is asked to pass on what others want to send.",
    remediation:
      "Postfix: set `inet_interfaces = loopback-only` in /etc/postfix/main.cf. Exim: set `dc_local_interfaces='127.0.0.1 ; ::1'` in /etc/exim4/update-exim4.conf.conf. Then restart the agent.",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Important",
    group: GROUP,
    cost: "light",
    check: {
      all: [
        { test: "loopback-only", ports: [25, 465, 587] },
        {
          test: "lines",
          files: ["/etc/postfix/main.cf"],
          pattern:
            "^inet_interfaces\\s*=\\s*(?:loopback-only|localhost|127\\.0\\.0\\.1|\\[?::1\\]?)(?:[\\s,]+(?:localhost|127\\.0\\.0\\.1|\\[?::1\\]?))*$",
          want: "some",
          what: "inet_interfaces of loopback only",
        },
        {
          test: "lines",
          files: ["/etc/exim4/update-exim4.conf.conf"],
          pattern:
            "^dc_local_interfaces=[\"']?(?:127\\.0\\.0\\.1|::1)(?:[\\s;]+(?:127\\.0\\.0\\.1|::1))*[\\s;]*[\"']?$",
          want: "some",
          what: "dc_local_interfaces of loopback only",
        },
      ],
    },
  },
  serviceRule({
    id: "2.2.16",
    what: "rsync daemon",
    units: ["rsync.service", "rsyncd.service", "rsyncd.socket"],
    rationale: "It carries files in plain text, and often without asking for a password.",
  }),
  serviceRule({
    id: "2.2.17",
    what: "NIS server",
    units: ["ypserv.service", "nis.service"],
    rationale: "It gives the hashes of passwords to whoever asks for them.",
    severity: "Important",
  }),
];

function clientRule(id: string, what: string, names: readonly string[], rationale: string): Rule {
  return {
    id,
    title: `The ${what} is not installed`,
    rationale,
    remediation: `Remove the package (\`apt purge ${names[0]}\`, or what your package tool calls it).`,
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Informational",
    group: "Service Clients",
    cost: "shared",
    check: { test: "package", names, want: "absent" },
  };
}

const TYPED = "Whoever uses it types a password that the whole network can read.";

/** Programs of old that people should not reach for: 2.3.1 to 2.3.5. */
export const CLIENT_RULES: readonly Rule[] = [
  clientRule(
    "2.3.1",
    "NIS client",
    ["nis", "ypbind", "ypbind-mt", "yp-tools"],
    "It believes what any server on the network says about accounts.",
  ),
  clientRule("2.3.2", "rsh client", ["rsh-client", "rsh-redone-client", "rsh"], TYPED),
  clientRule("2.3.3", "talk client", ["talk", "inetutils-talk", "ytalk"], TYPED),
  clientRule("2.3.4", "telnet client", ["telnet", "inetutils-telnet", "telnet-ssl"], TYPED),
  clientRule(
    "2.3.5",
    "LDAP client",
    ["ldap-utils", "openldap-clients", "openldap2-client"],
    "Where no directory is used, its tools only help those who look for one.",
  ),
];
