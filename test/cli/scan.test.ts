/** `gatewarden scan` on small captured roots, from its arguments to its exit code. */
import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { EXIT, exitCodeOf } from "../../src/cli/exit-code.ts";
import { scanCommand } from "../../src/cli/scan.ts";
import { reachOf } from "../../src/cli/scan-exposure.ts";
import type { HostNetwork } from "../../src/posture/exposure/query.ts";
import { environment } from "../../src/system/environment.ts";
import { socket } from "../collectors/tree-probe.ts";
import { sarifValidator } from "../report/sarif-validator.ts";
import { recordingTerminal } from "./setup-rig.ts";

const folder = mkdtempSync(join(tmpdir(), "gatewarden-scan-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function makeRoot(name: string, files: Readonly<Record<string, string>>): string {
  const root = join(folder, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const SOCKETS_HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const socketLine = (local: string, inode: number): string =>
  `   0: ${local} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1\n`;
const ROUTES =
  "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n" +
  "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n" +
  "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
const save = (input: string, output: string, rules = ""): string =>
  `*filter\n:INPUT ${input} [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ${output} [0:0]\n${rules}COMMIT\n`;

/** A running gateway as it was captured: sockets of sshd and of a database, addresses, a firewall. */
function gateway(name: string, firewall: string): string {
  const root = makeRoot(name, {
    "etc/os-release": 'ID=debian\nVERSION_ID=12\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n",
    "proc/sys/kernel/hostname": "gw-<01>\n",
    "proc/sys/kernel/osrelease": "6.1.0-28-amd64\n",
    "proc/net/tcp":
      SOCKETS_HEAD + socketLine("00000000:0016", 111) + socketLine("0100007F:1538", 222),
    "proc/net/tcp6": SOCKETS_HEAD,
    "proc/net/udp": SOCKETS_HEAD,
    "proc/net/udp6": SOCKETS_HEAD,
    "proc/net/fib_trie": "Local:\n     |-- 192.0.2.17\n        /32 host LOCAL\n",
    "proc/net/route": ROUTES,
    "proc/700/comm": "sshd\n",
    "proc/700/status": "Name:\tsshd\nUid:\t0\t0\t0\t0\nPPid:\t1\n",
    "proc/700/stat": `700 (sshd) S ${"1 ".repeat(18)}500 ${"1 ".repeat(30)}\n`,
    "captured/firewall/iptables-nft-save": firewall,
  });
  mkdirSync(join(root, "proc/700/fd"), { recursive: true });
  symlinkSync("socket:[111]", join(root, "proc/700/fd/3"));
  symlinkSync("/usr/sbin/sshd", join(root, "proc/700/exe"));
  return root;
}

const open = gateway("open", save("ACCEPT", "ACCEPT"));
const ESTABLISHED = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n";
const closed = gateway("closed", save("DROP", "DROP", ESTABLISHED));
const image = makeRoot("image", { "etc/os-release": "ID=alpine\n" });

async function run(...args: readonly string[]) {
  const terminal = recordingTerminal();
  try {
    const code = await scanCommand.run(args, { terminal, environment: environment() });
    return { code, text: terminal.text() };
  } catch (error) {
    return { code: exitCodeOf(error), text: String(error) };
  }
}

interface Told {
  readonly recommendations: readonly { type: string; state: string; missing: readonly string[] }[];
  readonly exposure: { readonly sockets: readonly Record<string, unknown>[] };
  readonly findings: readonly { id: string; level: string; state: string }[];
  readonly gaps: readonly string[];
  readonly name: string;
}

async function told(...args: readonly string[]): Promise<Told> {
  return JSON.parse((await run(...args, "--format", "json")).text) as Told;
}

function stateOf({ recommendations }: Told, type: string): string | undefined {
  return recommendations.find((one) => one.type === type)?.state;
}

describe("gatewarden scan", () => {
  it("says what is wrong, how bad it is and what to do", async () => {
    const { code, text } = await run("--root", open);
    assert.equal(code, EXIT.findings);
    assert.match(text, /^gw-<01> {2}Debian GNU\/Linux 12 \(bookworm\), 6\.1\.0-28-amd64/);
    assert.match(text, /^MEDIUM {4}Open ports on the device: 1 {2}IoT_OpenPorts$/m);
    assert.match(
      text,
      /tcp 0\.0\.0\.0:22, sshd, reachable from any ipv4 by eth0; INPUT: policy accept/,
    );
    assert.match(text, /→ Stop the program if nobody needs it/);
    assert.match(text, /input ipv4: accept by default; iptables-nft ip filter chain INPUT/);
    assert.match(text, /\d+ findings: \d+ high, \d+ medium/);
  });

  it("draws who can reach which socket", async () => {
    const { exposure, name } = await told("--root", open);
    assert.equal(name, "gw-<01>");
    const seen = exposure.sockets.map(({ port, reach, isBlocked, process }) => [
      port,
      reach,
      isBlocked,
      process,
    ]);
    assert.deepEqual(seen, [
      [22, "internet", false, "sshd"],
      [5432, "device", false, undefined],
    ]);
    const behind = await told("--root", closed);
    assert.deepEqual(
      behind.exposure.sockets.map(({ port, reach, isBlocked }) => [port, reach, isBlocked]),
      [
        [22, "device", true],
        [5432, "device", false],
      ],
    );
  });

  it("finds nothing open behind a firewall that drops", async () => {
    const report = await told("--root", closed);
    for (const type of [
      "IoT_OpenPorts",
      "IoT_PermissiveFirewallPolicy",
      "IoT_PermissiveInputFirewallRules",
      "IoT_PermissiveOutputFirewallRules",
    ]) {
      assert.equal(stateOf(report, type), "healthy", type);
    }
  });

  it("takes ports that are meant to be open for right", async () => {
    assert.equal(stateOf(await told("--root", open), "IoT_OpenPorts"), "unhealthy");
    const allowed = await told("--root", open, "--allow", "udp/53,tcp/22 sshd");
    assert.equal(stateOf(allowed, "IoT_OpenPorts"), "healthy");
    const other = await told("--root", open, "--allow", "tcp/22 dropbear");
    assert.equal(stateOf(other, "IoT_OpenPorts"), "unhealthy");
  });

  it("says what it cannot know of a root that does not run", async () => {
    const report = await told("--root", image);
    assert.equal(stateOf(report, "IoT_OpenPorts"), "unknown");
    assert.equal(stateOf(report, "IoT_PermissiveFirewallPolicy"), "unknown");
    assert.ok(report.gaps.some((gap) => /rules live in the kernel/.test(gap)));
    for (const { state, missing } of report.recommendations) {
      if (state === "unknown") assert.notDeepEqual(missing, []);
    }
  });

  it("ends with 5 from the level on that was asked for", async () => {
    const { findings } = await told("--root", image);
    const worst = findings.find(({ state }) => state === "wrong")?.level;
    assert.equal(worst, "medium");
    assert.equal((await run("--root", image, "--fail-on", "high")).code, EXIT.ok);
    assert.equal((await run("--root", image, "--fail-on", "medium")).code, EXIT.findings);
    assert.equal((await run("--root", image)).code, EXIT.findings);
    assert.equal((await run("--root", image, "--fail-on", "none", "--strict")).code, EXIT.ok);
  });

  it("writes each form to a file that others cannot read, by the name of the file", async () => {
    const starts: readonly (readonly [string, RegExp])[] = [
      ["r.html", /^<!DOCTYPE html>[\s\S]*<h1>gw-&lt;01&gt;<\/h1>/],
      ["r.md", /^# Security scan of gw-\\<01\\>/],
      ["r.json", /^{\n {2}"formVersion": "1\.0"/],
      ["r.sarif", /"version": "2\.1\.0"/],
      ["r.txt", /^gw-<01> {2}Debian/],
    ];
    for (const [name, start] of starts) {
      const file = join(folder, name);
      const { code, text } = await run("--root", open, "-o", file);
      assert.equal(code, EXIT.findings, text);
      assert.match(text, /findings: .*\nreport: /);
      assert.match(readFileSync(file, "utf8"), start);
      assert.equal(statSync(file).mode & 0o777, 0o600);
    }
    assert.deepEqual(sarifValidator()(readFileSync(join(folder, "r.sarif"), "utf8")), []);
  });

  it("masks secrets in what a device says, in every form", async () => {
    const rule = '-A INPUT -p tcp --dport 22 -m comment --comment "Password=hunter22x" -j ACCEPT\n';
    const telling = gateway("telling", save("DROP", "DROP", rule));
    for (const form of ["table", "json", "sarif", "html", "markdown"]) {
      const { text } = await run("--root", telling, "--format", form);
      assert.ok(text.includes("Password="), form);
      assert.equal(text.includes("hunter22x"), false, form);
    }
  });

  it("prefers the form that was asked for to the name of the file", async () => {
    const file = join(folder, "odd.html");
    await run("--root", open, "--format", "json", "-o", file);
    assert.match(readFileSync(file, "utf8"), /^{/);
  });

  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["a form that does not exist", ["--format", "xml"], /--format is 'xml'/],
    ["a form of every object", ["--format", "toString"], /--format is 'toString'/],
    ["a level that does not exist", ["--fail-on", "worst"], /--fail-on is 'worst'/],
    ["a port that is none", ["--allow", "22,http"], /--allow: "http" is not of the form/],
    ["a root without a system", ["--root", join(folder, "none")], /has no \/etc/],
    ["an argument", ["now"], /unexpected argument 'now'/],
    ["a file that cannot be written", ["--root", image, "-o", "/proc/none/r.html"], /r\.html/],
  ];
  for (const [what, args, message] of wrong) {
    it(`refuses ${what}`, async () => {
      const result = await run(...args);
      assert.equal(result.code, EXIT.usage, result.text);
      assert.match(result.text, message);
    });
  }
});

describe("the reach of a socket", () => {
  const route = { prefixLength: 0, interface: "eth0" };
  const host: HostNetwork = {
    addresses: [],
    routes: [{ ...route, destination: "0.0.0.0" }],
  };
  const cases: readonly (readonly [string | undefined, string])[] = [
    ["any", "internet"],
    ["any ipv4", "internet"],
    // There is no default route of IPv6: nothing of the internet finds a way back.
    ["any ipv6", "networks"],
    ["10.0.0.0/8", "networks"],
    ["192.168.1.0/24,172.16.0.1-172.16.0.9", "networks"],
    ["10.0.0.0/7", "internet"],
    ["192.168.1.0/24,203.0.113.0/24", "internet"],
    ["10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4 and 3 more", "internet"],
    [undefined, "internet"],
  ];
  for (const [sources, expected] of cases) {
    it(`is ${expected} from ${sources ?? "sources that nobody named"}`, () => {
      const exposure = {
        listener: { socket: socket({ inode: 1 }) },
        kind: "reachable",
        interfaces: ["eth0"],
      } as const;
      const told = sources === undefined ? exposure : { ...exposure, sources };
      assert.equal(reachOf(told, host), expected);
    });
  }
});
