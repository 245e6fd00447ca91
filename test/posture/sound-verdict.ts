import assert from "node:assert/strict";
import { CATALOGUE, isRecommendationType } from "../../src/posture/recommendations/catalogue.ts";
import {
  LONGEST_TEXT,
  MOST_EVIDENCE,
  MOST_MISSING,
  type Verdict,
} from "../../src/posture/recommendations/verdict.ts";

/** What holds for every verdict, whatever was judged. */
export function assertSound(verdict: Verdict): void {
  assert.ok(isRecommendationType(verdict.type));
  assert.ok(verdict.evidence.length <= MOST_EVIDENCE);
  assert.ok(verdict.missing.length <= MOST_MISSING);
  assert.equal(verdict.state === "unknown" && verdict.missing.length === 0, false);
  assert.equal(verdict.count > 0, verdict.state === "unhealthy");
  for (const record of verdict.evidence) {
    for (const [name, text] of Object.entries(record)) {
      assert.ok(CATALOGUE[verdict.type].evidence.includes(name), `${verdict.type} ${name}`);
      assert.ok(text.length > 0 && text.length <= LONGEST_TEXT);
    }
  }
}
