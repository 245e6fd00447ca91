import type { AlertItem, ExtensionDraft, RecommendationItem } from "../../contract/extension.ts";
import type { Settings } from "../../contract/settings.ts";
import { plainText } from "../../parse/plain-text.ts";
import { utcTimestamp } from "../../parse/timestamps.ts";
import type { Alert } from "../../posture/alerts/finding.ts";
import { CATALOGUE } from "../../posture/recommendations/catalogue.ts";
import type { StateEntry } from "../../posture/recommendations/state-book.ts";
import type { HealthState, Verdict } from "../../posture/recommendations/verdict.ts";

/** A verdict with what is remembered of it, as it travels and as methods tell it. */
export function recommendationItem(
  verdict: Verdict,
  entry: StateEntry,
  told: { readonly reason: "change" | "summary"; readonly from?: HealthState | undefined },
): RecommendationItem {
  const { isOfficialName, title } = CATALOGUE[verdict.type];
  const { firstSeenMs, lastSeenMs } = entry;
  return {
    Type: verdict.type,
    IsOfficialName: isOfficialName,
    Title: title,
    Severity: verdict.severity,
    State: verdict.state,
    ...(told.from === undefined ? {} : { PreviousState: told.from }),
    Reason: told.reason,
    Since: utcTimestamp(entry.sinceMs),
    ...(firstSeenMs === undefined ? {} : { FirstSeen: utcTimestamp(firstSeenMs) }),
    ...(lastSeenMs === undefined ? {} : { LastSeen: utcTimestamp(lastSeenMs) }),
    Count: verdict.count,
    Description: verdict.description,
    Remediation: verdict.remediation,
    Evidence: verdict.evidence,
    Missing: verdict.missing,
  };
}

/** An item on its way, with the priority that the settings give recommendations. */
export function recommendationDraft(item: RecommendationItem, settings: Settings): ExtensionDraft {
  return {
    name: "Recommendation",
    category: item.Reason === "summary" ? "Periodic" : "Triggered",
    priority: settings.posture.recommendationPriority,
    item,
  };
}

/** An alert of Medium and above does not wait for its interval. */
export function alertDraft(alert: Alert, settings: Settings): ExtensionDraft {
  return {
    name: "Alert",
    category: "Triggered",
    priority: settings.posture.alertPriority,
    isUrgent: alert.severity === "High" || alert.severity === "Medium",
    id: alert.id,
    item: alertItem(alert),
  };
}

function alertItem(alert: Alert): AlertItem {
  const { reason, minThreshold, maxThreshold, value, isOverflow, spreadCount } = alert.evidence;
  return {
    AlertType: alert.alertType,
    RuleType: alert.ruleType,
    Severity: alert.severity,
    Title: alert.title,
    Description: alert.description,
    Remediation: alert.remediation,
    Group: plainText(alert.group, 256),
    WindowStart: utcTimestamp(alert.windowStartMs),
    WindowEnd: utcTimestamp(alert.windowEndMs),
    Count: alert.count,
    Reason: reason,
    ...(minThreshold === undefined ? {} : { MinThreshold: minThreshold }),
    ...(maxThreshold === undefined ? {} : { MaxThreshold: maxThreshold }),
    ...(value === undefined ? {} : { Value: plainText(value, 128) }),
    ...(isOverflow === undefined ? {} : { IsOverflow: isOverflow }),
    SpreadCount: spreadCount,
    IsWatchComplete: alert.evidence.isWatchComplete,
    Samples: alert.evidence.samples.map(({ eventId, atMs, detail }) => ({
      ...(eventId === "" ? {} : { EventId: eventId }),
      Time: utcTimestamp(atMs),
      Detail: plainText(detail, 160),
    })),
  };
}
