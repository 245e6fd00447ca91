import type { JsonObject } from "../../../contract/json.ts";
import type { AlertEvidence } from "../../../posture/alerts/finding.ts";
import type { NumberedAlert } from "../output.ts";
import type { Place } from "../place.ts";

/** An alert as every output gives it, times in ISO 8601, UTC. `id` is the same however often it is delivered. */
export function alertRecord({ alert, sequenceNumber }: NumberedAlert, place: Place): JsonObject {
  return {
    id: alert.id,
    alertType: alert.alertType,
    ruleType: alert.ruleType,
    severity: alert.severity,
    title: alert.title,
    description: alert.description,
    remediation: alert.remediation,
    deviceId: alert.subject,
    securityGroup: alert.group,
    startTimeUtc: isoTime(alert.windowStartMs),
    endTimeUtc: isoTime(alert.windowEndMs),
    count: alert.count,
    evidence: evidenceRecord(alert.evidence),
    source: place.source,
    eventHub: place.eventHub,
    partition: place.partitionId,
    sequenceNumber,
  };
}

/** The columns of the old table `SecurityAlert`, as far as a fleet analyzer knows them. */
export function securityAlertRow(numbered: NumberedAlert, place: Place, nowMs: number): JsonObject {
  const { alert } = numbered;
  return {
    TimeGenerated: isoTime(nowMs),
    SystemAlertId: alert.id,
    AlertName: alert.title,
    DisplayName: alert.title,
    AlertType: alert.alertType,
    AlertSeverity: alert.severity,
    Description: alert.description,
    RemediationSteps: alert.remediation,
    ProviderName: "Gatewarden",
    ProductName: "Gatewarden",
    VendorName: "Gatewarden",
    CompromisedEntity: alert.subject,
    StartTime: isoTime(alert.windowStartMs),
    EndTime: isoTime(alert.windowEndMs),
    Status: "New",
    ExtendedProperties: {
      DeviceId: alert.subject,
      SecurityGroup: alert.group,
      RuleType: alert.ruleType,
      Count: alert.count,
      EventHub: place.eventHub,
      Partition: place.partitionId,
      ...evidenceRecord(alert.evidence),
    },
  };
}

function evidenceRecord(evidence: AlertEvidence): JsonObject {
  const { samples, ...facts } = evidence;
  return {
    ...facts,
    samples: samples.map(({ eventId, atMs, detail }) => ({ eventId, at: isoTime(atMs), detail })),
  };
}

function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
