import { systemName } from "../../collectors/os-baseline/items.ts";
import { type RuleResult, standingOf } from "../baseline/scan.ts";
import type { PayloadItem } from "../contract/event.ts";
import type { Probe } from "../contract/probe.ts";
import { createSecretMask } from "../parse/mask-secrets.ts";
import { plainText } from "../parse/plain-text.ts";
import type { AllowedPort } from "../posture/recommendations/allowed-ports.ts";
import { judgeBaseline } from "../posture/recommendations/baseline.ts";
import { CATALOGUE } from "../posture/recommendations/catalogue.ts";
import { judgeFirewallPolicy } from "../posture/recommendations/firewall-policy.ts";
import { judgeOpenPorts } from "../posture/recommendations/open-ports.ts";
import { judgeInputRules, judgeOutputRules } from "../posture/recommendations/permissive-rules.ts";
import type { Verdict } from "../posture/recommendations/verdict.ts";
import type {
  MadeBy,
  ReportedBaseline,
  ReportedCheck,
  ReportedHardware,
  ReportedRecommendation,
  ReportedUser,
  ScanReport,
} from "../report/scan-report.ts";
import { levelOf, reportedRecommendation } from "./reported-recommendation.ts";
import type { DeviceFacts } from "./scan-device.ts";
import { exposureMapOf } from "./scan-exposure.ts";

/** What a report is made of. */
export interface ViewOptions {
  readonly probe: Probe;
  readonly facts: DeviceFacts;
  readonly allowed: readonly AllowedPort[];
  readonly made: Omit<MadeBy, "system" | "walkedEntries">;
}

const MASK = createSecretMask([]);
/** Most devices that the report lists. */
const MOST_HARDWARE = 200;

/** Judges what was seen, and puts it into the values of a report. Secrets in texts of the device are masked. */
export function reportOf({ probe, facts, allowed, made }: ViewOptions): ScanReport {
  const { walk } = facts.baseline;
  const device = deviceFacts(facts.system[0]);
  const host = device.find(({ label }) => label === "Host name")?.text;
  return {
    made: {
      ...made,
      system: systemName(probe),
      ...(walk === undefined ? {} : { walkedEntries: walk.entries }),
    },
    device,
    name: host ?? (made.isLive ? "this device" : made.root),
    recommendations: verdictsOf(facts, allowed).map(recommendationOf),
    exposure: exposureMapOf(facts, allowed),
    baseline: baselineOf(facts),
    users: facts.users.flatMap(userOf),
    hardware: facts.hardware.slice(0, MOST_HARDWARE).map(hardwareOf),
    gaps: gapsOf(facts),
  };
}

/** The recommendations about the device; those about the agent and its twin need an agent that runs. */
function verdictsOf(facts: DeviceFacts, allowed: readonly AllowedPort[]): readonly Verdict[] {
  const { sockets, firewall, host, baseline } = facts;
  const results = baseline.report.results.map(({ rule, outcome, waiver }) => ({
    ruleId: rule.id,
    title: rule.title,
    verdict: outcome.verdict,
    severity: rule.severity,
    isWaived: waiver !== undefined,
  }));
  return [
    judgeOpenPorts({ sockets, firewall, host, allowed }),
    judgeFirewallPolicy(firewall, host),
    judgeInputRules(firewall),
    judgeOutputRules(firewall),
    judgeBaseline(results),
  ];
}

function recommendationOf(verdict: Verdict): ReportedRecommendation {
  return reportedRecommendation(verdict, CATALOGUE[verdict.type]);
}

function baselineOf({ baseline }: DeviceFacts): ReportedBaseline {
  const skipped = new Map<string, string[]>();
  for (const { rule, reason } of baseline.report.skipped) {
    skipped.set(reason, [...(skipped.get(reason) ?? []), rule.id]);
  }
  return {
    checks: baseline.report.results.map(checkOf),
    skipped: [...skipped].map(([reason, ids]) => ({ reason, ids })),
  };
}

function checkOf(result: RuleResult): ReportedCheck {
  const { rule, outcome } = result;
  return {
    id: rule.id,
    title: rule.title,
    group: rule.group,
    level: levelOf(rule.severity),
    severity: rule.severity,
    standing: standingOf(result),
    ...(outcome.reason === undefined ? {} : { reason: MASK.text(outcome.reason) }),
    evidence: outcome.evidence.map((look) => ({ ...look, found: MASK.text(look.found) })),
    rationale: rule.rationale,
    remediation: rule.remediation,
  };
}

/** Fields of SystemInformation that say what the device is, with the words of the report. */
const DEVICE_FIELDS: readonly (readonly [string, string])[] = [
  ["OSName", "System"],
  ["KernelRelease", "Kernel"],
  ["OsArchitecture", "Architecture"],
  ["HostName", "Host name"],
  ["SystemVendor", "Vendor"],
  ["ProductName", "Product"],
  ["MachineModel", "Model"],
  ["CpuModel", "Processor"],
  ["CpuCount", "Processors"],
  ["BIOSVersion", "Firmware"],
  ["BootDevice", "Boot device"],
  ["Virtualization", "Virtualization"],
  ["Container", "Container"],
  ["InitSystem", "Init system"],
];

function deviceFacts(item: PayloadItem | undefined): ScanReport["device"] {
  if (item === undefined) return [];
  const facts = DEVICE_FIELDS.flatMap(([field, label]) => {
    const text = textOf(item, field);
    return text === "" ? [] : [{ label, text }];
  });
  const kilobytes = Number(textOf(item, "TotalPhysicalMemoryInKB"));
  const memory = { label: "Memory", text: `${Math.round(kilobytes / 1024)} MiB` };
  return kilobytes > 0 ? [...facts, memory] : facts;
}

/** A field of an item or of its details; empty where it is not there. */
function textOf(item: PayloadItem, name: string): string {
  const own = item[name];
  if (typeof own === "string" || typeof own === "number") return plainText(String(own));
  const details = item["ExtraDetails"];
  const inner = typeof details === "object" ? details[name] : undefined;
  return inner === undefined ? "" : plainText(inner);
}

function userOf(item: PayloadItem): readonly ReportedUser[] {
  if (textOf(item, "CanLogIn") === "false") return [];
  const keys = textOf(item, "AuthorizedKeys");
  const isSure = textOf(item, "CanLogIn") === "true";
  return [
    {
      name: textOf(item, "UserName"),
      userId: textOf(item, "UserId"),
      canLogIn: `${isSure ? "yes" : "not known"}: ${textOf(item, "CanLogInReason")}`,
      isAdministrator: textOf(item, "IsAdministrator") === "true",
      groups: textOf(item, "GroupNames").replaceAll(";", ", "),
      keys: keys === "" || keys === "0" ? "" : `${keys} ${keys === "1" ? "key" : "keys"}`,
    },
  ];
}

function hardwareOf(item: PayloadItem): ReportedHardware {
  return {
    category: textOf(item, "HardwareCategory"),
    kind: textOf(item, "HardwareSubCategory"),
    name: textOf(item, "HardwareName"),
  };
}

function gapsOf({ problems, hardware }: DeviceFacts): readonly string[] {
  const texts = problems.map(({ subject, detail, code }) =>
    MASK.text(plainText(`${subject}: ${detail} (${code})`, 400)),
  );
  const more = hardware.length - MOST_HARDWARE;
  const cut = more > 0 ? [`${more} more devices are not listed`] : [];
  return [...new Set([...texts, ...cut])];
}
