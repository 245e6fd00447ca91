import { DEVICE_MEASURES } from "../alerts/device-measures.ts";
import { HUB_EVENTS, HUB_MEASURES, PROTOCOL_MEASURES } from "../alerts/hub-measures.ts";
import { prepareRules, type ReadyRule } from "../alerts/ruleset.ts";
import type { SecurityGroup } from "../alerts/security-group.ts";
import type { FleetRule } from "./rule-book.ts";

/** What can reach an analyzer, by the way that it takes. */
export const FLEET_INPUTS = [
  "messages",
  "twin-changes",
  "logs",
  "feedback",
  "file-notices",
] as const;

export type FleetInput = (typeof FLEET_INPUTS)[number];

/** How long after a window's end its events may still come, by the way that they take. */
export interface FleetLateness {
  /** Messages and twin changes: the hub passes them on at once. Default 2 minutes. */
  readonly endpointMs: number;
  /** Diagnostic logs, which Azure Monitor collects first. Default 15 minutes. */
  readonly logsMs: number;
  /** Feedback and file notices, which a forwarder passes on. Default 15 minutes. */
  readonly noticesMs: number;
  /** Events of security agents, which wait on the device for a message to fill. Default 15 minutes. */
  readonly agentMs: number;
}

export interface FleetRuleOptions {
  readonly groups: readonly SecurityGroup[];
  /** Name of the hub: groups of other hubs are left out. */
  readonly hub: string;
  readonly inputs: readonly FleetInput[];
  readonly lateness: FleetLateness;
  readonly twinUpdates: "events" | "logs";
  readonly queuePurges: "feedback" | "logs";
  readonly listWindowMs: number;
  /** How far an agent's clock may be ahead. */
  readonly aheadMs: number;
  /** Within this time an event that comes again is known by its id. */
  readonly repeatMs: number;
}

/** How far the clocks of the hub's own services may differ from those of the event hub. */
const HUB_AHEAD_MS = 60_000;

const PROTOCOL_BY_TYPE = new Map(
  PROTOCOL_MEASURES.map((measure) => [measure.ruleType, measure.protocol]),
);

/** The rules of each group of the hub, by the group's name in lower case. */
export function fleetRules(options: FleetRuleOptions): ReadonlyMap<string, readonly FleetRule[]> {
  const ways = waysOf(options);
  const unwatched = [...ways].flatMap(([name, { input }]) =>
    options.inputs.includes(input) ? [] : [name],
  );
  const own = options.groups.filter(
    ({ hub }) => hub === undefined || hub.toLowerCase() === options.hub.toLowerCase(),
  );
  return new Map(
    own.map((group) => {
      const { rules } = prepareRules(group, {
        measures: [...DEVICE_MEASURES, ...HUB_MEASURES],
        listWindowMs: options.listWindowMs,
        unwatched,
      });
      return [
        group.name.toLowerCase(),
        rules.map((rule) => fleetRule(group.name, rule, ways, options)),
      ];
    }),
  );
}

interface Way {
  readonly input: FleetInput;
  readonly latenessMs: number;
}

function waysOf(options: FleetRuleOptions): ReadonlyMap<string, Way> {
  const { endpointMs, logsMs, noticesMs, agentMs } = options.lateness;
  const logs: Way = { input: "logs", latenessMs: logsMs };
  const feedback: Way = { input: "feedback", latenessMs: noticesMs };
  const twinChanges: Way = { input: "twin-changes", latenessMs: endpointMs };
  const agent: Way = { input: "messages", latenessMs: agentMs };
  return new Map<string, Way>([
    [HUB_EVENTS.deviceMessage, { input: "messages", latenessMs: endpointMs }],
    [HUB_EVENTS.twinUpdate, options.twinUpdates === "logs" ? logs : twinChanges],
    [HUB_EVENTS.queuePurge, options.queuePurges === "logs" ? logs : feedback],
    [HUB_EVENTS.commandFeedback, feedback],
    [HUB_EVENTS.fileUpload, { input: "file-notices", latenessMs: noticesMs }],
    [HUB_EVENTS.methodCall, logs],
    [HUB_EVENTS.refusal, logs],
    ...AGENT_EVENTS.map((name): [string, Way] => [name, agent]),
  ]);
}

/** Events of security agents that some rule type asks for. */
export const AGENT_EVENTS: readonly string[] = [
  ...new Set(DEVICE_MEASURES.flatMap((measure) => measure.eventNames)),
];

function fleetRule(
  group: string,
  rule: ReadyRule,
  ways: ReadonlyMap<string, Way>,
  options: FleetRuleOptions,
): FleetRule {
  const names = rule.measure.eventNames;
  const isOfAgents = names.some((name) => AGENT_EVENTS.includes(name));
  const aheadMs = isOfAgents ? options.aheadMs : HUB_AHEAD_MS;
  return {
    group,
    rule,
    latenessMs: Math.max(0, ...names.map((name) => ways.get(name)?.latenessMs ?? 0)),
    aheadMs,
    lookBackMs: isOfAgents ? Math.max(aheadMs, options.repeatMs) : aheadMs,
    protocol: PROTOCOL_BY_TYPE.get(rule.ruleType),
    isOfAgents,
  };
}
