import type { Check } from "../check.ts";
import type { Rule } from "../rule.ts";

const WRAPPERS = {
  level: 1,
  workstationLevel: 1,
  group: "TCP Wrappers",
} as const;

/** The library by which services ask hosts.allow and hosts.deny. */
const HAS_WRAPPERS: Check = {
  any: [
    "/usr/lib/*/libwrap.so.0",
    "/lib/*/libwrap.so.0",
    "/usr/lib/libwrap.so.0",
    "/usr/lib64/libwrap.so.0",
    "/lib/libwrap.so.0",
    "/usr/sbin/tcpd",
  ].map((path) => ({ test: "file-exists", path })),
};
const NO_WRAPPERS = "no program here asks TCP wrappers: their library is not installed";

/** A protocol that few devices need, so that its module must not be loadable. */
function uncommonProtocol(id: string, module: string, what: string): Rule {
  return {
    id,
    title: `The kernel cannot load ${module.toUpperCase()}`,
    rationale: `${what} Code that nobody uses is looked at by few, and any local user may have it loaded by opening a socket.`,
    remediation: `Put this line into /etc/modprobe.d/${module}.conf, and unload the module with \`rmmod ${module}\`:\ninstall ${module} /bin/false`,
    level: 2,
    workstationLevel: 2,
    isScored: true,
    severity: "Warning",
    group: "Uncommon Network Protocols",
    cost: "shared",
    check: { test: "module-blocked", module },
  };
}

/** Controls 3.3 and 3.4: TCP wrappers, and protocols that few need. */
export const SECTION_3_3: readonly Rule[] = [
  {
    ...WRAPPERS,
    id: "3.3.1",
    title: "TCP wrappers are installed",
    rationale:
      "Services that know them can be limited to some senders by two short files. Current distributions leave this to the firewall, so it counts for little.",
    remediation: "Install the library: `apt-get install libwrap0` or `apk add tcp-wrappers`.",
    isScored: false,
    severity: "Informational",
    cost: "shared",
    check: {
      test: "package",
      names: ["tcpd", "libwrap0*", "tcp_wrappers*", "tcp-wrappers*"],
      want: "installed",
    },
  },
  {
    ...WRAPPERS,
    id: "3.3.2",
    title: "hosts.allow names who may connect",
    rationale:
      "The file lists the senders that wrapped services answer. Without a line in it, a closed hosts.deny shuts everyone out, and an open one lets everyone in.",
    remediation:
      "List services and networks in /etc/hosts.allow, for example:\nALL: 192.0.2.0/255.255.255.0",
    isScored: false,
    severity: "Informational",
    cost: "light",
    appliesWhen: HAS_WRAPPERS,
    otherwise: NO_WRAPPERS,
    check: {
      test: "lines",
      files: ["/etc/hosts.allow"],
      pattern: "^[A-Za-z0-9_.@*,\\s-]+:\\s*\\S",
      want: "some",
      what: "line of the form service: senders",
      whenMissing: "fail",
    },
  },
  {
    ...WRAPPERS,
    id: "3.3.3",
    title: "hosts.deny refuses everyone else",
    rationale:
      "What hosts.allow does not name is let in unless this file refuses it: the last line should refuse all.",
    remediation: "Put this line into /etc/hosts.deny:\nALL: ALL",
    isScored: false,
    severity: "Informational",
    cost: "light",
    appliesWhen: HAS_WRAPPERS,
    otherwise: NO_WRAPPERS,
    check: {
      test: "lines",
      files: ["/etc/hosts.deny"],
      pattern: "^ALL\\s*:\\s*ALL\\s*(?::|$)",
      want: "some",
      what: "line ALL: ALL",
      whenMissing: "fail",
    },
  },
  ...(["allow", "deny"] as const).map(
    (name): Rule => ({
      ...WRAPPERS,
      id: name === "allow" ? "3.3.4" : "3.3.5",
      title: `Only root may change hosts.${name}`,
      rationale: "Whoever may write this file decides who may connect to the device.",
      remediation: `\`chown root:root /etc/hosts.${name}\` and \`chmod 0644 /etc/hosts.${name}\`.`,
      isScored: true,
      severity: "Warning",
      cost: "light",
      check: { test: "file-mode", path: `/etc/hosts.${name}`, maxMode: 0o644 },
    }),
  ),
  uncommonProtocol(
    "3.4.1",
    "dccp",
    "DCCP carries media streams in theory and nothing in practice.",
  ),
  uncommonProtocol(
    "3.4.2",
    "sctp",
    "SCTP is spoken between telephone exchanges, rarely elsewhere.",
  ),
  uncommonProtocol("3.4.3", "rds", "RDS joins the nodes of one kind of database cluster."),
  uncommonProtocol("3.4.4", "tipc", "TIPC joins the nodes of clusters that were built for it."),
];
