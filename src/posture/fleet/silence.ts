import type { DeviceMemory, KnownDevice } from "./device-memory.ts";
import type { FleetRule } from "./rule-book.ts";

export interface SilenceOptions {
  readonly memory: DeviceMemory;
  readonly rememberMs: number;
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
    if (known.groupSinceMs > startMs || options.groupOf(known.group) !== rule.group) continue;
    if (isOfKind(known, rule, startMs, earliestSeenMs)) silent.push(deviceId);
  }
  return silent;
}

function isOfKind(
  known: KnownDevice,
  { protocol, isOfAgents }: FleetRule,
  startMs: number,
  earliestSeenMs: number,
): boolean {
  if (isOfAgents) {
    const { agentSinceMs, agentSeenMs } = known;
    return agentSinceMs !== undefined && agentSinceMs <= startMs && agentSeenMs >= earliestSeenMs;
  }
  return (
    protocol === undefined || (known.protocol === protocol && known.protocolSinceMs <= startMs)
  );
}
