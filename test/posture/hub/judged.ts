/** What the rules say of records, by the same way that the command goes. */
import { createHash } from "node:crypto";
import { createRecordDesk, type Skipped, type WantedKind } from "../../../src/fleet/record-desk.ts";
import type { HubRecommendationType } from "../../../src/posture/hub/catalogue.ts";
import type { HubFacts } from "../../../src/posture/hub/hub-facts.ts";
import { judgeHub } from "../../../src/posture/hub/judge-hub.ts";
import type { Verdict } from "../../../src/posture/recommendations/verdict.ts";

/** A digest that is the same in every run. */
export function fixedDigest(text: string): string {
  return createHash("sha256").update(`fixed ${text}`).digest("hex").slice(0, 32);
}

interface Judged {
  readonly facts: HubFacts;
  readonly skipped: Skipped;
  verdict(type: HubRecommendationType): Verdict<HubRecommendationType>;
  state(type: HubRecommendationType): string;
}

/** Judges records, each taken for what it is, or all for what is said. */
export function judged(records: readonly unknown[], wanted?: WantedKind): Judged {
  return judgedText(records.map((one) => JSON.stringify(one)).join("\n"), wanted);
}

/** Judges a text. */
export function judgedText(text: string, wanted?: WantedKind): Judged {
  const desk = createRecordDesk(fixedDigest);
  const source = desk.open("saved.json", wanted);
  source.text(text);
  source.end();
  const facts = desk.facts();
  const verdicts = judgeHub(facts);
  const verdict = (type: HubRecommendationType): Verdict<HubRecommendationType> => {
    const found = verdicts.find((one) => one.type === type);
    if (found === undefined) throw new Error(`no verdict ${type}`);
    return found;
  };
  return { facts, skipped: desk.skipped(), verdict, state: (type) => verdict(type).state };
}
