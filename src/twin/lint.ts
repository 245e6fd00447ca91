import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import { DEFAULT_SETTINGS } from "../contract/settings.ts";
import { parseJsonObject } from "../parse/json.ts";
import { nearestName } from "../parse/nearest-name.ts";
import { createClassicDialect } from "./classic-dialect.ts";
import type { PropertyVerdict, TwinDialect, TwinVerdict } from "./dialect.ts";
import { printable } from "./found-text.ts";
import { checkTwinLimits } from "./twin-limits.ts";

/**
 * error: the agent or the hub would refuse it. warning: it applies, but hardly as meant. note: worth
 * knowing.
 */
export type LintSeverity = "error" | "warning" | "note";

export interface LintFinding {
  readonly severity: LintSeverity;
  readonly kind:
    | "NotReadable"
    | "TypeMismatch"
    | "TwinLimit"
    | "Conflict"
    | "NotOptimal"
    | "UnknownKey"
    | "UnsupportedKey"
    | "NoConfiguration";
  /** The key, dotted; empty for the whole document. */
  readonly where: string;
  readonly message: string;
  /** The name that was probably meant. */
  readonly suggestion?: string;
}

/** Which part of a module twin the text was. */
export type TwinShape = "module twin" | "desired twin" | "desired properties" | "configuration";

/** What an agent without local settings would make of a twin. */
export interface LintReport {
  /** Undefined when the text is no JSON object. */
  readonly shape: TwinShape | undefined;
  /** Every property of the dialect; empty when the text is no JSON object. */
  readonly properties: readonly PropertyVerdict[];
  /** Errors first, then warnings, then notes. */
  readonly findings: readonly LintFinding[];
  /** Size of the desired properties by the hub's rules. */
  readonly sizeBytes: number;
  readonly errors: number;
  readonly warnings: number;
}

/**
 * Checks a twin of any origin without a hub: a whole module twin, its desired part, the desired
 * properties alone or the configuration object alone. `judgeDocuments` looks at what is no setting. Never
 * throws.
 */
export function lintTwin(
  text: string,
  judgeDocuments: (documents: TwinVerdict["documents"]) => readonly LintFinding[] = () => [],
): LintReport {
  const parsed = parseJsonObject(text, "twin", { maxLength: 1_048_576, maxDepth: 64 });
  if (!parsed.ok) {
    const message = parsed.problem.detail;
    return reportOf(
      undefined,
      [],
      [{ severity: "error", kind: "NotReadable", where: "", message }],
    );
  }
  const dialect = createClassicDialect(DEFAULT_SETTINGS);
  const { shape, desired } = unwrap(parsed.value, dialect);
  const verdict = dialect.evaluate(desired, DEFAULT_SETTINGS);
  const limits = checkTwinLimits(desired);
  const findings: readonly LintFinding[] = [
    ...limits.faults.map(
      (fault): LintFinding => ({ severity: "error", kind: "TwinLimit", ...fault }),
    ),
    ...configurationFindings(verdict),
    ...judgeDocuments(verdict.documents),
    ...keyFindings(verdict),
    ...besideFindings(desired, dialect),
  ];
  return reportOf(shape, verdict.properties, findings, limits.sizeBytes);
}

function reportOf(
  shape: TwinShape | undefined,
  properties: readonly PropertyVerdict[],
  findings: readonly LintFinding[],
  sizeBytes = 0,
): LintReport {
  const ordered = (["error", "warning", "note"] as const).map((severity) =>
    findings.filter((finding) => finding.severity === severity),
  );
  const [errors, warnings] = ordered;
  return {
    shape,
    properties,
    findings: ordered.flat(),
    sizeBytes,
    errors: errors?.length ?? 0,
    warnings: warnings?.length ?? 0,
  };
}

interface Unwrapped {
  readonly shape: TwinShape;
  readonly desired: JsonObject;
}

function unwrap(root: JsonObject, dialect: TwinDialect): Unwrapped {
  const properties = ownObject(root, "properties");
  const inTwin = properties === undefined ? undefined : ownObject(properties, "desired");
  if (inTwin !== undefined) return { shape: "module twin", desired: withoutHubKeys(inTwin) };
  const desired = ownObject(root, "desired");
  if (desired !== undefined) return { shape: "desired twin", desired: withoutHubKeys(desired) };
  const keys = Object.keys(root);
  const isConfiguration =
    !keys.includes(dialect.objectName) &&
    keys.some((key) => nearestName(key, dialect.keys) !== undefined);
  if (isConfiguration) return { shape: "configuration", desired: { [dialect.objectName]: root } };
  return { shape: "desired properties", desired: withoutHubKeys(root) };
}

function ownObject(object: JsonObject, key: string): JsonObject | undefined {
  const value: JsonValue | undefined = Object.hasOwn(object, key) ? object[key] : undefined;
  return isJsonObject(value) ? value : undefined;
}

/** Without what the hub adds to a twin it hands out. */
function withoutHubKeys(desired: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(desired).filter(([key]) => key !== "$version" && key !== "$metadata"),
  );
}

function configurationFindings(verdict: TwinVerdict): readonly LintFinding[] {
  return verdict.findings.map((finding) => ({
    severity: finding.errorType === "TypeMismatch" ? "error" : "warning",
    kind: finding.errorType,
    where: finding.configurationName,
    message: finding.message,
  }));
}

function keyFindings(verdict: TwinVerdict): readonly LintFinding[] {
  const unknown = verdict.unknown.map((key): LintFinding => {
    const finding = {
      severity: "warning",
      kind: "UnknownKey",
      where: key.name,
      message: "the agent knows no such key and ignores it",
    } as const;
    return key.suggestion === undefined ? finding : { ...finding, suggestion: key.suggestion };
  });
  const unsupported = verdict.unsupported.map(
    (name): LintFinding => ({
      severity: "note",
      kind: "UnsupportedKey",
      where: name,
      message: "a key of the classic agents that this agent has no use for; it is ignored",
    }),
  );
  return [...unknown, ...unsupported];
}

const BESIDE_LIMIT = 32;

/** What stands beside the configuration object, or in its place. */
function besideFindings(desired: JsonObject, dialect: TwinDialect): readonly LintFinding[] {
  const { objectName } = dialect;
  const beside = Object.keys(desired)
    .filter((key) => key !== objectName)
    .slice(0, BESIDE_LIMIT)
    .map((key): LintFinding => {
      const where = printable(key, 80);
      const suggestion = nearestName(key, [objectName]);
      if (suggestion !== undefined) {
        const message = "the agent reads another object";
        return { severity: "warning", kind: "UnknownKey", where, message, suggestion };
      }
      return { severity: "note", kind: "UnknownKey", where, message: "the agent does not read it" };
    });
  if ((desired[objectName] ?? null) !== null) return beside;
  const message = `there is no object ${objectName}: every setting takes its default`;
  return [...beside, { severity: "note", kind: "NoConfiguration", where: "", message }];
}
