import type { RecordDesk } from "../fleet/record-desk.ts";
import { createSecretMask } from "../parse/mask-secrets.ts";
import { HUB_CATALOGUE } from "../posture/hub/catalogue.ts";
import type { HubFacts } from "../posture/hub/hub-facts.ts";
import { judgeHub } from "../posture/hub/judge-hub.ts";
import type { Fact, HubReport, MadeOf } from "../report/scan-report.ts";
import { reportedRecommendation } from "./reported-recommendation.ts";

const MASK = createSecretMask([]);

/** Judges what has arrived at the desk, and puts it into the values of a report. */
export function hubReportOf(desk: RecordDesk, gaps: readonly string[], made: MadeOf): HubReport {
  const facts = desk.facts();
  const verdicts = judgeHub(facts, { maxAddresses: made.maxAddresses });
  const skipped = desk.skipped();
  return {
    made,
    name: nameOf(facts),
    device: factsOf(facts),
    recommendations: verdicts.map((verdict) =>
      reportedRecommendation(verdict, HUB_CATALOGUE[verdict.type]),
    ),
    gaps: gaps.map((text) => MASK.text(text)),
    sources: desk.sources().map((source) => ({ ...source, name: MASK.text(source.name) })),
    skipped: {
      count: skipped.count,
      records: skipped.records.map(({ source, subject, reason }) => ({
        source: MASK.text(source),
        subject: MASK.text(subject),
        reason: MASK.text(reason),
      })),
    },
  };
}

function nameOf({ hubs }: HubFacts): string {
  const [first, ...rest] = hubs;
  if (first === undefined) return "hub";
  return rest.length === 0 ? first.name : `${first.name} and ${rest.length} more`;
}

function factsOf({ hubs, credentials, edge }: HubFacts): readonly Fact[] {
  const facts: readonly (readonly [string, string])[] = [
    ["Hub", hubs.map(({ name }) => name).join(", ")],
    ["Identities", numberText(credentials.identities, "identity", "identities")],
    ["Gateways", numberText(edge.deployments.length, "gateway", "gateways")],
    ["Connections", numberText(credentials.connectionRecords, "log record", "log records")],
  ];
  return facts
    .filter(([, text]) => text !== "")
    .map(([label, text]) => ({ label, text: text.slice(0, 256) }));
}

/** Nothing at all is not a fact: it was not given. */
function numberText(count: number, one: string, more: string): string {
  return count === 0 ? "" : `${count} ${count === 1 ? one : more}`;
}
