import type { Snapshot } from "../../contract/collector.ts";
import type { EventName } from "../../contract/event.ts";
import type { Probe } from "../../contract/probe.ts";
import type { Problem } from "../../contract/result.ts";
import { listedEntries, type Settings } from "../../contract/settings.ts";
import { firewallOf } from "../../parse/firewall/firewall-of.ts";
import { baselineOfEvent, socketsOfEvent } from "../../posture/event-facts.ts";
import { readHostNetwork } from "../../posture/read-host-network.ts";
import { type AllowedPort, parseAllowedPort } from "../../posture/recommendations/allowed-ports.ts";
import { type BaselineResult, judgeBaseline } from "../../posture/recommendations/baseline.ts";
import type { FirewallFacts } from "../../posture/recommendations/firewall-facts.ts";
import { judgeFirewallPolicy } from "../../posture/recommendations/firewall-policy.ts";
import { judgeOpenPorts, type OpenPortsInput } from "../../posture/recommendations/open-ports.ts";
import {
  judgeInputRules,
  judgeOutputRules,
} from "../../posture/recommendations/permissive-rules.ts";
import { type Verdict, verdictOf } from "../../posture/recommendations/verdict.ts";

type Sockets = NonNullable<OpenPortsInput["sockets"]>;
type Baseline = { readonly results: readonly BaselineResult[] } | { readonly missing: string };

/** What the snapshots said last, and what follows from it. */
export interface FactBook {
  /** Takes the snapshot of the collector of these events; true when something is to be judged anew. */
  take(name: EventName, snapshot: Snapshot): boolean;
  /** Applies settings; what is switched off is forgotten. */
  applySettings(settings: Settings): void;
  /**
   * Verdicts that the facts allow and that were not given before: nothing is said of what has not been
   * looked at yet. Cost: see `exposeSockets`, where sockets or rules are new.
   */
  judge(): readonly Verdict[];
}

/** What the book is made of. */
export interface FactBookOptions {
  readonly probe: Probe;
  readonly settings: Settings;
  /** Events that some collector reports. */
  readonly collected: readonly EventName[];
}

/** Not to know owners is no reason to doubt the list of sockets. */
const OWNERS_SUBJECT = "/proc/[pid]/fd";

/** An empty book: nothing was looked at. */
export function createFactBook(options: FactBookOptions): FactBook {
  const { probe, collected } = options;
  let { settings } = options;
  let sockets: Sockets | undefined;
  let firewall: FirewallFacts | undefined;
  let baseline: Baseline | undefined;
  let isNetworkNew = true;
  let isBaselineNew = true;

  function isOff(name: EventName): boolean {
    return !collected.includes(name) || settings.eventPriority[name] === "Off";
  }

  function forgetWhatIsOff(): void {
    if (isOff("ListeningPorts")) sockets = { list: [], problems: [offProblem("ListeningPorts")] };
    if (isOff("FirewallConfiguration"))
      firewall = unreadFirewall([offProblem("FirewallConfiguration")]);
    if (isOff("OSBaseline")) baseline = { missing: describe(offProblem("OSBaseline")) };
  }

  function readFirewall(problems: readonly Problem[]): FirewallFacts {
    const reading = probe.firewall().last?.();
    if (reading === undefined) return unreadFirewall(problems);
    const { firewall: rules, problems: found } = firewallOf(reading);
    return { firewall: rules, unknown: reading.unknown, problems: [...reading.problems, ...found] };
  }

  function judgeNetwork(): readonly Verdict[] {
    const { host } = readHostNetwork(probe);
    const { wideIpv4Prefix, wideIpv6Prefix, mostPorts } = settings.posture;
    const widths = { ipv4Prefix: wideIpv4Prefix, ipv6Prefix: wideIpv6Prefix, mostPorts };
    if (firewall === undefined) return [];
    const allowed = allowedPorts(settings);
    return [
      ...(sockets === undefined ? [] : [judgeOpenPorts({ sockets, firewall, host, allowed })]),
      judgeFirewallPolicy(firewall, host),
      judgeInputRules(firewall, widths),
      judgeOutputRules(firewall, widths),
    ];
  }

  forgetWhatIsOff();
  return {
    take(name, snapshot) {
      if (isOff(name) || isAbandoned(snapshot)) return false;
      const { problems } = snapshot;
      const items = snapshot.events.find((event) => event.name === name)?.payload;
      if (name === "ListeningPorts") {
        const doubts = problems.filter(({ subject }) => subject !== OWNERS_SUBJECT);
        sockets = { list: socketsOfEvent(items ?? []), problems: doubts };
      } else if (name === "FirewallConfiguration") firewall = readFirewall(problems);
      else if (name === "OSBaseline") {
        const [first] = problems;
        if (items !== undefined) baseline = { results: baselineOfEvent(items) };
        else baseline = { missing: first === undefined ? "the baseline" : describe(first) };
      } else return false;
      if (name === "OSBaseline") isBaselineNew = true;
      else isNetworkNew = true;
      return true;
    },
    applySettings(next) {
      const before = settings;
      settings = next;
      if (isSame(before, next)) return;
      const isOnAgain = (name: EventName): boolean =>
        before.eventPriority[name] === "Off" && !isOff(name);
      if (isOnAgain("ListeningPorts")) sockets = undefined;
      if (isOnAgain("FirewallConfiguration")) firewall = undefined;
      if (isOnAgain("OSBaseline")) baseline = undefined;
      forgetWhatIsOff();
      isNetworkNew = true;
      isBaselineNew = true;
    },
    judge() {
      const network = isNetworkNew ? judgeNetwork() : [];
      isNetworkNew &&= network.length === 0;
      const known = isBaselineNew ? baseline : undefined;
      isBaselineNew &&= known === undefined;
      return [...network, ...(known === undefined ? [] : [judgeBaselineFact(known)])];
    },
  };
}

function isSame(one: Settings, other: Settings): boolean {
  const relevant = ({ posture, eventPriority }: Settings) =>
    JSON.stringify([posture, eventPriority]);
  return relevant(one) === relevant(other);
}

/** Stopped before it was complete: what was known before is nearer to the truth. */
function isAbandoned({ events, problems }: Snapshot): boolean {
  return events.length === 0 && problems.some(({ code }) => code === "timed-out");
}

function judgeBaselineFact(known: Baseline): Verdict {
  if ("results" in known) return judgeBaseline(known.results);
  return verdictOf("IoT_Baseline", { state: "unknown", missing: [known.missing] });
}

function unreadFirewall(problems: readonly Problem[]): FirewallFacts {
  return { firewall: { tables: [], isComplete: false }, unknown: [], problems };
}

function offProblem(name: EventName): Problem {
  return { code: "unsupported", subject: name, detail: "these events are switched off" };
}

function describe({ subject, detail }: Problem): string {
  return `${subject}: ${detail}`;
}

/** Entries of the list that are of the form; others are reported by `allowedPortFaults`. */
function allowedPorts(settings: Settings): readonly AllowedPort[] {
  return listedEntries(settings.posture.allowedPorts).flatMap((entry) => {
    const parsed = parseAllowedPort(entry);
    return parsed.ok ? [parsed.value] : [];
  });
}

/** What is wrong with entries of the list that have the form and mean nothing, such as port 99999. */
export function allowedPortFaults(settings: Settings): readonly string[] {
  return listedEntries(settings.posture.allowedPorts).flatMap((entry) => {
    const parsed = parseAllowedPort(entry);
    return parsed.ok ? [] : [parsed.problem.detail];
  });
}
