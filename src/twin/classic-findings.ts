import type { ConfigurationFinding } from "../contract/agent-facts.ts";
import { METER_BYTES, type Settings } from "../contract/settings.ts";
import { formatDuration } from "../parse/duration.ts";
import {
  CACHE_NAME,
  HIGH_INTERVAL_NAME,
  LOW_INTERVAL_NAME,
  MESSAGE_SIZE_NAME,
} from "./classic-names.ts";

/**
 * What is unwise about settings that are each acceptable: `NotOptimal` and `Conflict`. All of them
 * stay in force; the message says what the agent makes of them.
 */
export function adviseOnSettings(settings: Settings): readonly ConfigurationFinding[] {
  return [
    ...adviseOnMessageSize(settings.maxMessageBytes),
    ...adviseOnCache(settings),
    ...adviseOnIntervals(settings),
  ];
}

function adviseOnMessageSize(maxMessageBytes: number): readonly ConfigurationFinding[] {
  const below = Math.floor(maxMessageBytes / METER_BYTES) * METER_BYTES;
  if (below === maxMessageBytes) return [];
  return [
    {
      configurationName: MESSAGE_SIZE_NAME,
      errorType: "NotOptimal",
      usedConfiguration: String(maxMessageBytes),
      message:
        `${maxMessageBytes} is no multiple of ${METER_BYTES}, so a full message leaves part of ` +
        `its last metering unit empty; it applies as given; use ${below} or ${below + METER_BYTES}`,
    },
  ];
}

function adviseOnCache(settings: Settings): readonly ConfigurationFinding[] {
  const { maxCacheBytes, maxMessageBytes } = settings;
  if (maxCacheBytes >= maxMessageBytes) return [];
  return [
    {
      configurationName: CACHE_NAME,
      errorType: "Conflict",
      usedConfiguration: String(maxCacheBytes),
      message:
        `${maxCacheBytes} is less than ${MESSAGE_SIZE_NAME}, ${maxMessageBytes}; both apply, ` +
        "so messages never grow beyond the cache",
    },
  ];
}

function adviseOnIntervals(settings: Settings): readonly ConfigurationFinding[] {
  const { highPriorityIntervalMs, lowPriorityIntervalMs } = settings;
  if (highPriorityIntervalMs <= lowPriorityIntervalMs) return [];
  const high = formatDuration(highPriorityIntervalMs);
  return [
    {
      configurationName: HIGH_INTERVAL_NAME,
      errorType: "Conflict",
      usedConfiguration: high,
      message:
        `${high} is longer than ${LOW_INTERVAL_NAME}, ${formatDuration(lowPriorityIntervalMs)}; ` +
        "both apply, and high priority events travel first in every message that falls due",
    },
  ];
}
