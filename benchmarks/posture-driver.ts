/** Judges all verdicts in a process of its own: `SIZE RULES KIND`, prints a PostureReport. Needs --expose-gc. */
import { createAlertDesk } from "../src/agent/posture/alert-desk.ts";
import type { Clock } from "../src/contract/clock.ts";
import type { EventDraft } from "../src/contract/event.ts";
import type { SocketFacts } from "../src/contract/probe.ts";
import { firewallOf } from "../src/parse/firewall/firewall-of.ts";
import type { Alert } from "../src/posture/alerts/finding.ts";
import { readSecurityGroups } from "../src/posture/alerts/read-security-group.ts";
import { prepareRules, type Ruleset } from "../src/posture/alerts/ruleset.ts";
import type { HostNetwork } from "../src/posture/exposure/query.ts";
import { type BaselineResult, judgeBaseline } from "../src/posture/recommendations/baseline.ts";
import type { FirewallFacts } from "../src/posture/recommendations/firewall-facts.ts";
import { judgeFirewallPolicy } from "../src/posture/recommendations/firewall-policy.ts";
import type { ListeningSocket } from "../src/posture/recommendations/listening-socket.ts";
import { judgeOpenPorts } from "../src/posture/recommendations/open-ports.ts";
import {
  judgeInputRules,
  judgeOutputRules,
} from "../src/posture/recommendations/permissive-rules.ts";
import { EMPTY_BOOK, noteVerdicts } from "../src/posture/recommendations/state-book.ts";
import { summarise } from "../src/posture/recommendations/summary.ts";
import {
  judgeTwinConflict,
  judgeTwinNotOptimal,
} from "../src/posture/recommendations/twin-configuration.ts";
import {
  judgeMessages,
  readMessageWindow,
} from "../src/posture/recommendations/unutilized-messages.ts";

/** By port: every rule tells other ports apart. By source: no rule does. Mixed: in turn. */
export type RuleKind = "ports" | "sources" | "mixed";

/** One evaluation of everything. */
export interface Evaluation {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Of the parts, by name. */
  readonly partsMs: Readonly<Record<string, number>>;
}

export interface PostureReport {
  readonly evaluations: readonly Evaluation[];
  readonly alerts: number;
  readonly unhealthy: number;
  /** Whether every verdict says all it has to say: nothing was left as too many. */
  readonly isWhole: boolean;
  readonly stateBytes: number;
  /** Heap that is kept after all, beyond the input. */
  readonly heapKeptBytes: number;
  /** Resident set with the input in memory, and the most it ever was. */
  readonly rssBeforeBytes: number;
  readonly rssPeakBytes: number;
}

const REPETITIONS = 5;
const CHECKS = 237;
const WINDOW_MS = 300_000;
const TICK_MS = 30_000;
const QUIET = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
const STILL: Clock = {
  nowMs: () => 0,
  monotonicMs: () => 0,
  utcOffsetMinutes: () => 0,
  after: () => ({ cancel: () => {} }),
  sleep: async () => {},
};

function firewallFacts(count: number, kind: RuleKind): FirewallFacts {
  const rules = Array.from({ length: count }, (_, at) => {
    const isByPort = kind === "ports" || (kind === "mixed" && at % 2 === 0);
    const place = kind === "mixed" ? at >> 1 : at;
    const what = isByPort
      ? `-p tcp -m tcp --dport ${portAt(place)}`
      : `-s 10.${(place >> 8) & 255}.${place & 255}.0/24`;
    return `-A INPUT ${what} -j ${place % 3 === 0 ? "DROP" : "ACCEPT"}`;
  });
  const head = ["*filter", ":INPUT DROP [0:0]", ":FORWARD DROP [0:0]", ":OUTPUT ACCEPT [0:0]"];
  const text = [...head, ...rules, "COMMIT", ""].join("\n");
  const texts = [{ backend: "iptables-nft", family: "ip", text, isCut: false }] as const;
  const { firewall } = firewallOf({ texts, unknown: [], problems: [] });
  return { firewall, unknown: [] };
}

/** Sockets and rules have the same ports: each rule for a port concerns a socket. */
function portAt(place: number): number {
  return ((place * 5) % 60_000) + 1;
}

function socketAt(at: number): ListeningSocket {
  const socket: SocketFacts = {
    protocol: "tcp",
    family: "ipv4",
    state: 10,
    localAddress: at % 4 === 0 ? "192.0.2.7" : "0.0.0.0",
    localPort: portAt(at),
    remoteAddress: "0.0.0.0",
    remotePort: 0,
    userId: 0,
    inode: at,
    interfaceIndex: 0,
  };
  return { socket, process: { processId: at, name: "server" } };
}

function connectionAt(at: number): EventDraft {
  const RemoteAddress = `198.${18 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}`;
  const ends = { Protocol: "tcp", RemoteAddress, RemotePort: "443" };
  return {
    name: "ConnectionCreate",
    payload: [{ Direction: at % 2 === 0 ? "Out" : "In", ...ends, Executable: "/usr/bin/client" }],
  };
}

function processAt(at: number): EventDraft {
  const Executable = at % 2 === 0 ? "/usr/bin/sh" : `/opt/job-${at}`;
  const ids = { UserId: "0", ProcessId: at, ParentProcessId: 1 };
  return { name: "ProcessCreate", payload: [{ Executable, CommandLine: Executable, ...ids }] };
}

function loginAt(at: number): EventDraft {
  const Result = at % 2 === 0 ? "Success" : "Fail";
  const payload = [{ ProcessId: at, Executable: "sshd", UserName: `user${at}`, Result }];
  return { name: "Login", key: `login ${at}`, payload };
}

function deviceRules(): Ruleset {
  const range = { isEnabled: true, minThreshold: 1, maxThreshold: 2, timeWindowSize: "PT5M" };
  const reading = readSecurityGroups({
    type: "Microsoft.Security/deviceSecurityGroups",
    name: "default",
    properties: {
      timeWindowRules: ["ActiveConnections", "FailedLocalLogins"].map((what) => ({
        ruleType: `${what}NotInAllowedRange`,
        ...range,
      })),
      allowlistRules: [
        ["ConnectionToIpNotAllowed", "192.0.2.0/24"],
        ["LocalUserNotAllowed", "ada"],
        ["ProcessNotAllowed", "/usr/bin/sh"],
      ].map(([ruleType = "", value = ""]) => ({
        ruleType,
        isEnabled: true,
        allowlistValues: [value],
      })),
    },
  });
  const group = reading.ok ? reading.groups[0] : undefined;
  if (group === undefined) throw new Error("the rules of the benchmark are malformed");
  return prepareRules(group);
}

const HOST: HostNetwork = {
  addresses: ["eth0", "eth1", "docker0"].map((name, at) => ({
    interface: name,
    address: `192.0.${at + 2}.7`,
    prefixLength: 24,
  })),
  routes: [],
};

function checks(): readonly BaselineResult[] {
  return Array.from({ length: CHECKS }, (_, at) => ({
    ruleId: `1.${at}`,
    title: `check ${at}`,
    verdict: at % 4 === 0 ? "fail" : "pass",
    severity: "Warning",
    isWaived: false,
  }));
}

function main(size: number, rules: number, kind: RuleKind): PostureReport {
  const list = Array.from({ length: size }, (_, at) => socketAt(at));
  const firewall = firewallFacts(rules, kind);
  const results = checks();
  const connections = Array.from({ length: size }, (_, at) => connectionAt(at));
  const processes = Array.from({ length: size }, (_, at) => processAt(at));
  const logins = Array.from({ length: size / 100 }, (_, at) => loginAt(at));
  const ruleset = deviceRules();

  const judges = {
    IoT_OpenPorts: () => judgeOpenPorts({ sockets: { list }, firewall, host: HOST, allowed: [] }),
    IoT_PermissiveFirewallPolicy: () => judgeFirewallPolicy(firewall, HOST),
    IoT_PermissiveInputFirewallRules: () => judgeInputRules(firewall),
    IoT_PermissiveOutputFirewallRules: () => judgeOutputRules(firewall),
    IoT_Baseline: () => judgeBaseline(results),
    messages: () => judgeMessages(readMessageWindow(undefined, 0), 0),
    "twin not optimal": () => judgeTwinNotOptimal([]),
    "twin conflict": () => judgeTwinConflict([]),
  };

  /** The alerts of five rules, counted event by event as the agent does. */
  function customAlerts(): { readonly raised: number; readonly stateBytes: number } {
    const raised: Alert[] = [];
    let nowMs = Date.UTC(2026, 0, 15, 12);
    const desk = createAlertDesk({
      clock: { ...STILL, nowMs: () => nowMs },
      log: QUIET,
      subject: "device/module",
      stored: undefined,
      onAlerts: (alerts) => raised.push(...alerts),
    });
    desk.setRules(ruleset);
    for (const drafts of [connections, processes, logins]) desk.count(drafts);
    for (let step = 0; step < 2 * (WINDOW_MS / TICK_MS); step += 1) {
      nowMs += TICK_MS;
      desk.tick();
    }
    return { raised: raised.length, stateBytes: JSON.stringify(desk.toJson()).length };
  }

  const evaluations: Evaluation[] = [];
  let last = { raised: 0, stateBytes: 0, unhealthy: 0, isWhole: true };
  function evaluate(): void {
    const partsMs: Record<string, number> = {};
    const cpuBefore = process.cpuUsage();
    const startMs = performance.now();
    const timed = <T>(name: string, run: () => T): T => {
      const fromMs = performance.now();
      const value = run();
      partsMs[name] = performance.now() - fromMs;
      return value;
    };
    const verdicts = Object.entries(judges).map(([name, judge]) => timed(name, judge));
    const summary = summarise(noteVerdicts(EMPTY_BOOK, verdicts, 0).book);
    const alerts = timed("custom alerts", customAlerts);
    const { user, system } = process.cpuUsage(cpuBefore);
    evaluations.push({
      wallMs: performance.now() - startMs,
      cpuMs: (user + system) / 1_000,
      partsMs,
    });
    const unhealthy = Object.values(summary).filter(({ state }) => state === "unhealthy").length;
    const isWhole = !/too many/.test(JSON.stringify(verdicts));
    last = { ...alerts, unhealthy, isWhole };
  }

  globalThis.gc?.();
  const before = process.memoryUsage();
  for (let run = 0; run < REPETITIONS; run += 1) evaluate();
  const rssPeakBytes = process.resourceUsage().maxRSS * 1_024;
  globalThis.gc?.();
  return {
    evaluations,
    alerts: last.raised,
    unhealthy: last.unhealthy,
    isWhole: last.isWhole,
    stateBytes: last.stateBytes,
    heapKeptBytes: process.memoryUsage().heapUsed - before.heapUsed,
    rssBeforeBytes: before.rss,
    rssPeakBytes,
  };
}

const [size = "10000", rules = "5000", kind = "mixed"] = process.argv.slice(2);
if (kind !== "ports" && kind !== "sources" && kind !== "mixed") throw new Error(`no kind ${kind}`);
process.stdout.write(`${JSON.stringify(main(Number(size), Number(rules), kind))}\n`);
