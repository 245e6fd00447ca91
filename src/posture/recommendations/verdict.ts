import { plainText } from "../../parse/plain-text.ts";
import { CATALOGUE, type RecommendationType, type Severity } from "./catalogue.ts";

/** `unknown`: what would decide is missing, and nothing that is there decides without it. */
export type HealthState = "healthy" | "unhealthy" | "unknown";

/** One thing that speaks for a verdict: short texts by name. The names are in the catalogue. */
export type EvidenceRecord = Readonly<Record<string, string>>;

/** What a recommendation says of this device, or of a hub. */
export interface Verdict<Type extends string = RecommendationType> {
  /** Official type name, see the catalogue for the two that have none. */
  readonly type: Type;
  readonly severity: Severity;
  readonly state: HealthState;
  readonly description: string;
  readonly remediation: string;
  /** How many things are wrong; more than `evidence` lists where there are many. 0 unless unhealthy. */
  readonly count: number;
  /** At most `MOST_EVIDENCE`, the worst first. Healthy verdicts may have some, as information. */
  readonly evidence: readonly EvidenceRecord[];
  /** What could not be seen. Where the state is `unknown`, this is why; never empty then. */
  readonly missing: readonly string[];
}

/** Most records of evidence in a verdict. */
export const MOST_EVIDENCE = 32;
/** Most texts of `missing`. */
export const MOST_MISSING = 8;
/** Longest text in a record, UTF-16 units. */
export const LONGEST_TEXT = 256;

/** What a recommendation found; absent fields of a record are left out of it. */
export interface Findings {
  readonly state: HealthState;
  readonly count?: number;
  readonly evidence?: readonly Readonly<Record<string, string | number | undefined>>[];
  readonly missing?: readonly string[];
}

/** What a catalogue lends to a verdict. */
export interface Wording<Type extends string> {
  readonly type: Type;
  readonly severity: Severity;
  readonly description: string;
  readonly remediation: string;
}

/** A verdict with the words of the catalogue, its texts made harmless and its lists cut to their bounds. */
export function verdictOf(type: RecommendationType, findings: Findings): Verdict {
  return verdictWith(CATALOGUE[type], findings);
}

/** The same with the words of any catalogue. */
export function verdictWith<Type extends string>(
  { type, severity, description, remediation }: Wording<Type>,
  findings: Findings,
): Verdict<Type> {
  const { state, evidence = [], missing = [] } = findings;
  return {
    type,
    severity,
    state,
    description,
    remediation,
    count: state === "unhealthy" ? (findings.count ?? evidence.length) : 0,
    evidence: evidence.slice(0, MOST_EVIDENCE).map(recordOf),
    missing: missingOf(state, missing),
  };
}

function recordOf(fields: Readonly<Record<string, string | number | undefined>>): EvidenceRecord {
  const record: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === "") continue;
    record[name] = plainText(String(value), LONGEST_TEXT);
  }
  return record;
}

function missingOf(state: HealthState, missing: readonly string[]): readonly string[] {
  const texts = [...new Set(missing.map((text) => plainText(text, LONGEST_TEXT)))];
  if (state === "unknown" && texts.length === 0) return ["what decides"];
  return texts.slice(0, MOST_MISSING);
}
