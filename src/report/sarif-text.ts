import { createHash } from "node:crypto";
import { plainText } from "../parse/plain-text.ts";
import { BASELINE_TYPE, type Finding, findingsOf } from "./finding.ts";
import { isCounted, lookText, recordText, skippedTexts } from "./record-text.ts";
import { isScan, type Level, type Report, type ReportedRecommendation } from "./scan-report.ts";

/** Where the published schema is found. Source: SARIF 2.1.0 section 3.13.3. */
const SARIF_SCHEMA =
  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/** Name of the way in which fingerprints are made. Source: SARIF 2.1.0 section 3.27.16. */
const FINGERPRINT = "gatewarden/v1";
const ROOT = "ROOT";
const SARIF_LEVELS: Readonly<Record<Level, "error" | "warning" | "note">> = {
  high: "error",
  medium: "warning",
  low: "note",
  informational: "note",
};
/** Score by which services that read SARIF sort security findings, 0 to 10. */
const SCORES: Readonly<Record<Level, string>> = {
  high: "8.0",
  medium: "5.0",
  low: "3.0",
  informational: "0.0",
};
/** Fields of evidence that name a thing; the others may change while it stays the same. */
const LASTING = [
  "protocol",
  "address",
  "port",
  "direction",
  "family",
  "backend",
  "table",
  "chain",
  "rule",
];

/** The same of evidence about a hub; `devices` is not one, since a fleet changes. */
const LASTING_OF_HUB = [
  "hub",
  "setting",
  "filterName",
  "ipMask",
  "credential",
  "identity",
  "module",
  "jsonPath",
  "value",
  "registry",
  "username",
  "group",
];

/**
 * The report as SARIF 2.1.0: one run; a result for each thing that is wrong (kind `fail`) and for each
 * that could not be judged (kind `open`). What passed is left out: readers of SARIF show every result.
 * Source: OASIS, Static Analysis Results Interchange Format 2.1.0.
 */
export function sarifText(report: Report): string {
  const findings = findingsOf(report);
  const ids = [...new Set(findings.map(({ id }) => id))];
  const results = withFingerprints(findings.flatMap((one) => resultsOf(one, ids.indexOf(one.id))));
  return JSON.stringify(
    {
      $schema: SARIF_SCHEMA,
      version: "2.1.0",
      runs: [
        {
          tool: { driver: driver(report, findings, ids) },
          invocations: [invocation(report)],
          ...(isScan(report)
            ? { originalUriBaseIds: { [ROOT]: { uri: rootUri(report.made.root) } } }
            : {}),
          columnKind: "utf16CodeUnits",
          properties: isScan(report)
            ? { device: report.name, system: report.made.system }
            : { hub: report.name },
          results,
        },
      ],
    },
    null,
    2,
  );
}

function driver(
  { made }: Report,
  findings: readonly Finding[],
  ids: readonly string[],
): Readonly<Record<string, unknown>> {
  const byId = new Map(findings.map((finding) => [finding.id, finding]));
  return {
    name: "Gatewarden",
    version: made.version,
    rules: ids.flatMap((id) => {
      const finding = byId.get(id);
      return finding === undefined ? [] : [ruleOf(finding)];
    }),
  };
}

function ruleOf(finding: Finding): Readonly<Record<string, unknown>> {
  const { id, title, level } = finding;
  const isCheck = finding.kind === "check";
  const about = isCheck ? finding.check.rationale : finding.recommendation.description;
  const remedy = isCheck ? finding.check.remediation : finding.recommendation.remediation;
  const group = isCheck ? [finding.check.group] : [];
  return {
    id,
    ...(isCheck ? {} : { name: id.replace(/^IoT_/, "") }),
    shortDescription: { text: title },
    fullDescription: { text: about === "" ? title : about },
    help: { text: remedy === "" ? title : remedy },
    defaultConfiguration: { level: SARIF_LEVELS[level] },
    properties: {
      tags: [...new Set(["security", isCheck ? "baseline" : "recommendation", ...group])],
      "security-severity": SCORES[level],
    },
  };
}

function invocation(report: Report): Readonly<Record<string, unknown>> {
  const { made, gaps } = report;
  const skipped = isScan(report) ? [] : skippedTexts(report);
  const startMs = Date.parse(made.at);
  return {
    executionSuccessful: true,
    startTimeUtc: made.at,
    ...(Number.isNaN(startMs)
      ? {}
      : { endTimeUtc: new Date(startMs + made.durationMs).toISOString() }),
    toolExecutionNotifications: [...gaps, ...skipped].map((text) => ({
      level: "warning",
      message: { text: `could not be read: ${text}` },
    })),
  };
}

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly key: string;
  readonly rest: Readonly<Record<string, unknown>>;
}

function resultsOf(finding: Finding, ruleIndex: number): readonly Result[] {
  if (finding.kind === "recommendation") return recommendationResults(finding, ruleIndex);
  const { check, id, title } = finding;
  const looks = check.evidence.map(lookText);
  const texts = [...(check.reason === undefined ? [] : [check.reason]), ...looks];
  const sources = check.evidence.map(({ source }) => source);
  return [
    {
      ruleId: id,
      ruleIndex,
      key: "",
      rest: {
        ...outcome(finding),
        message: { text: plainText([`${title}:`, texts.join("; ")].join(" "), 2_000) },
        ...locationsOf(sources, "resource"),
      },
    },
  ];
}

function recommendationResults(
  finding: Finding & { readonly kind: "recommendation" },
  ruleIndex: number,
): readonly Result[] {
  const { recommendation, id, title } = finding;
  const base = { ruleId: id, ruleIndex };
  if (finding.state === "open") {
    const text = plainText(`${title}: not known: ${recommendation.missing.join("; ")}`, 2_000);
    const rest = { ...outcome(finding), message: { text }, ...locationsOf([id], "resource") };
    return [{ ...base, key: "open", rest }];
  }
  const wrong = recommendation.evidence.filter((record) => isCounted(recommendation, record));
  if (wrong.length === 0) {
    const text = plainText(`${title}: ${recommendation.description}`, 2_000);
    return [{ ...base, key: "", rest: { ...outcome(finding), message: { text } } }];
  }
  return wrong.map((record) => ({
    ...base,
    key: keyOf(record),
    rest: {
      ...outcome(finding),
      message: { text: plainText(`${title}: ${recordText(record)}`, 2_000) },
      ...locationsOf(executableOf(recommendation, record), "resource"),
      properties: { evidence: record },
    },
  }));
}

function keyOf(record: Readonly<Record<string, string>>): string {
  const own = LASTING.map((name) => record[name] ?? "");
  const ofHub = LASTING_OF_HUB.flatMap((name) => {
    const text = record[name];
    return text === undefined ? [] : [`${name} ${text}`];
  });
  return [...own, ...ofHub].join("\n");
}

/** The program that opened a port is a file; of a firewall rule there is none. */
function executableOf(
  { type }: ReportedRecommendation,
  record: Readonly<Record<string, string>>,
): readonly string[] {
  const program = record["executable"];
  if (type !== BASELINE_TYPE && program !== undefined) return [program];
  return [recordText(record)];
}

/** Source: SARIF 2.1.0 section 3.27.9: what is no failure has level `none`. */
function outcome({ state, level }: Finding): Readonly<Record<string, unknown>> {
  return state === "wrong"
    ? { kind: "fail", level: SARIF_LEVELS[level] }
    : { kind: "open", level: "none" };
}

/** Files as artifacts below the root, anything else by its name. */
function locationsOf(sources: readonly string[], kind: string): Readonly<Record<string, unknown>> {
  const distinct = [...new Set(sources)].slice(0, 16);
  if (distinct.length === 0) return {};
  const locations = distinct.map((source) =>
    isPath(source)
      ? { physicalLocation: { artifactLocation: { uri: relativeUri(source), uriBaseId: ROOT } } }
      : { logicalLocations: [{ fullyQualifiedName: source, kind }] },
  );
  return { locations };
}

/** Sources such as `/etc/motd, /etc/motd.d/*` name no single file. */
function isPath(source: string): boolean {
  return /^\/[^\s*?,]+$/.test(source) && !source.endsWith("/");
}

/** Source: RFC 3986; SARIF 2.1.0 section 3.4.4: a reference without `..`, relative to its base. */
function relativeUri(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== "." && part !== "..")
    .map(encodePart)
    .join("/");
}

/** encodeURIComponent throws at half a surrogate pair; a device may have one in a name. */
function encodePart(part: string): string {
  return encodeURIComponent(Buffer.from(part, "utf8").toString("utf8"));
}

function rootUri(root: string): string {
  const path = relativeUri(root);
  return path === "" ? "file:///" : `file:///${path}/`;
}

/** The same thing has the same fingerprint in every scan; those that look alike are numbered. */
function withFingerprints(
  results: readonly Result[],
): readonly Readonly<Record<string, unknown>>[] {
  const seen = new Map<string, number>();
  return results.map(({ ruleId, ruleIndex, key, rest }) => {
    const name = `${ruleId}\n${key}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    const hash = createHash("sha256").update(`${name}\n${count}`).digest("hex");
    return { ruleId, ruleIndex, ...rest, fingerprints: { [FINGERPRINT]: hash } };
  });
}
