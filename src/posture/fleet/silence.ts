import type { Protocol } from "../alerts/hub-measures.ts";
import type { DeviceFacts } from "./device-facts.ts";
import type { DeviceMemory } from "./device-memory.ts";
import type { KnownDevice } from "./known-device.ts";
import type { FleetRule } from "./rule-book.ts";

export interface SilenceOptions {
  readonly memory: DeviceMemory;
  readonly rememberMs: number;
  readonly factsOf: (deviceId: string) => DeviceFacts;
  /** The group whose rules are for devices with that name of a group. */
  readonly groupOf: (told: string) => string | undefined;
}

/**
 * Devices of which a window tells something though nothing happened in it: known since before its start
 * and not forgotten at its end, in the rule's group all the time, and of a kind that the rule is about (it
 * talks that protocol, it has an agent). `startMs` and `endMs` are those of the window.
 * Cost: all known devices.
 */
export function silentDevices(
  options: SilenceOptions,
  rule: FleetRule,
  startMs: number,
  endMs: number,
): readonly string[] {
  const earliestSeenMs = endMs - options.rememberMs;
  const silent: string[] = [];
  for (const [deviceId, known] of options.memory.devices()) {
    if (known.sinceMs > startMs || known.seenMs < earliestSeenMs) continue;
    const facts = options.factsOf(deviceId);
    const group = known.group ?? facts.group ?? "";
    if (known.groupSinceMs > startMs || options.groupOf(group) !== rule.group) continue;
    const isMeant = rule.isOfAgents
      ? hasAgent(known, startMs, earliestSeenMs)
      : rule.protocol === undefined || talks(known, facts.protocol, rule.protocol, startMs);
    if (isMeant) silent.push(deviceId);
  }
  return silent;
}

function hasAgent(known: KnownDevice, startMs: number, earliestSeenMs: number): boolean {
  const { agentSinceMs, agentSeenMs } = known;
  return agentSinceMs !== undefined && agentSinceMs <= startMs && agentSeenMs >= earliestSeenMs;
}

function talks(
  known: KnownDevice,
  standing: Protocol | undefined,
  meant: Protocol,
  startMs: number,
): boolean {
  return (known.protocol ?? standing) === meant && known.protocolSinceMs <= startMs;
}
