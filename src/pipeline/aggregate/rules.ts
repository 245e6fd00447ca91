import type { PayloadItem } from "../../contract/event.ts";
import type { AggregatedEventName } from "../../contract/settings.ts";

/** What makes two occurrences of an event the same. Everything else is given up when they are folded. */
export interface AggregationRule {
  /** Payload fields that are compared and kept. */
  readonly identity: readonly string[];
  /** Required numeric fields that differ between occurrences: they become 0. */
  readonly zeroed: readonly string[];
  /** Required fields of text that differ between occurrences: they become `0`. */
  readonly blanked?: readonly string[];
  /** Members of ExtraDetails that are compared and kept. */
  readonly details: readonly string[];
}

/**
 * An inbound connection is known by the port it came to; the port it came from differs each time. Schema
 * 1.0 requires it, so it becomes `0`.
 */
const INBOUND: AggregationRule = {
  identity: [
    "Direction",
    "Protocol",
    "LocalAddress",
    "LocalPort",
    "RemoteAddress",
    "Executable",
    "CommandLine",
    "UserId",
  ],
  zeroed: ["ProcessId"],
  blanked: ["RemotePort"],
  details: ["Unit", "UserUnit", "Container", "ContainerRuntime", "State", "OwnerOf", "Source"],
};

/** The rule for an occurrence. */
export function aggregationRule(name: AggregatedEventName, item: PayloadItem): AggregationRule {
  const isInbound = name === "ConnectionCreate" && item["Direction"] === "In";
  return isInbound ? INBOUND : AGGREGATION_RULES[name];
}

/**
 * Identity per event name. Source: the event aggregation page of the classic agent: process by command
 * line, executable and user; connection also by direction, addresses, protocol and remote port;
 * termination by executable and exit status.
 */
const AGGREGATION_RULES: Readonly<Record<AggregatedEventName, AggregationRule>> = {
  ProcessCreate: {
    identity: ["Executable", "CommandLine", "UserId", "UserName"],
    zeroed: ["ProcessId", "ParentProcessId"],
    details: [
      "Hash",
      "ExecutableSha256",
      "ExecutableDeleted",
      "ParentExecutable",
      "Unit",
      "UserUnit",
      "Container",
      "ContainerRuntime",
      "Gone",
      "Source",
    ],
  },
  ConnectionCreate: {
    identity: [
      "Direction",
      "Protocol",
      "LocalAddress",
      "RemoteAddress",
      "RemotePort",
      "Executable",
      "CommandLine",
      "UserId",
    ],
    zeroed: ["ProcessId"],
    details: ["Unit", "UserUnit", "Container", "ContainerRuntime", "State", "OwnerOf", "Source"],
  },
  ProcessTerminate: {
    identity: ["Executable", "ExitStatus"],
    zeroed: ["ProcessId"],
    details: ["Signal", "CoreDumped", "Forked", "Source"],
  },
};
