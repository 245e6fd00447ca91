/** What `gatewarden scan` says of a machine as it was installed. */
import assert from "node:assert/strict";
import { PLAIN_FAILURES } from "../baseline/plain-debian.ts";
import type { Gateway } from "./gateway.ts";

interface Report {
  readonly recommendations: readonly {
    readonly type: string;
    readonly state: string;
    readonly count: number;
    readonly evidence: readonly Readonly<Record<string, string>>[];
  }[];
  readonly baseline: {
    readonly checks: readonly { readonly id: string; readonly standing: string }[];
  };
  readonly gaps: readonly string[];
}

/** Why each is true of the image: sshd and the client of DHCP listen to everybody, and there is no firewall. */
const EXPECTED = [
  ["IoT_OpenPorts", "unhealthy"],
  ["IoT_PermissiveFirewallPolicy", "unhealthy"],
  ["IoT_PermissiveInputFirewallRules", "healthy"],
  ["IoT_PermissiveOutputFirewallRules", "healthy"],
  ["IoT_Baseline", "unhealthy"],
] as const;

/** Failures beyond those of a root file system that does not run, and why each is true of the image. */
const OF_THE_IMAGE: readonly string[] = [
  // Not installed: AIDE, AppArmor, a client of NTP, auditd, rsyslog.
  ...["1.3.1", "1.6.1.1", "2.2.1.1", "4.1.2", "4.2.1.1"],
  // The kernel has no rule at all, of IPv6 and IPv4.
  ...["3.5.1.1", "3.5.1.2", "3.5.1.3", "3.5.1.4", "3.5.2.1", "3.5.2.2", "3.5.2.3", "3.5.2.4"],
  // It was started without audit=1.
  "4.1.4",
  // The tests gave root a password, and no terminal is kept from it; alice's home is open to others.
  ...["5.5", "6.2.8"],
];

/** Scans a Debian 12 after setup; what is said must be what is true of it. */
export async function plainScan(gateway: Gateway): Promise<void> {
  const said = await gateway.machine.must(
    "gatewarden scan --format json --fail-on none 2>/dev/null",
  );
  const report: Report = JSON.parse(said);
  assert.deepEqual(
    report.recommendations.map(({ type, state }) => [type, state]),
    EXPECTED,
  );
  const [ports, policy] = report.recommendations;
  const open = ports?.evidence.filter(({ exposure }) => exposure === "reachable") ?? [];
  gateway.say(
    `open: ${open.map((one) => `${one["protocol"]} ${one["address"]} ${one["port"]} ${one["process"]}`).join("; ")}`,
  );
  assert.deepEqual(
    new Set(open.map((one) => `${one["protocol"]} ${one["port"]} ${one["process"]}`)),
    new Set(["tcp 22 sshd", "udp 68 systemd-network"]),
  );
  assert.equal(
    policy?.evidence.every(({ reason }) => reason === "there is no firewall"),
    true,
  );
  const failed = report.baseline.checks.filter(({ standing }) => standing === "failed");
  const known = new Set([...PLAIN_FAILURES.flatMap(({ ids }) => ids), ...OF_THE_IMAGE]);
  const beyond = failed.map(({ id }) => id).filter((id) => !known.has(id));
  const errors = report.baseline.checks.filter(({ standing }) => standing === "error");
  gateway.say(
    `${failed.length} checks fail, ${beyond.length} beyond the list: ${beyond.join(" ")}`,
  );
  assert.ok(failed.length > 50);
  assert.deepEqual(errors, []);
  assert.deepEqual(beyond, []);
}
