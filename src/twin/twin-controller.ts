import type { ConfigurationFinding } from "../contract/agent-facts.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import type { Problem } from "../contract/result.ts";
import type { Settings } from "../contract/settings.ts";
import type { DesiredUpdate } from "../contract/transport.ts";
import type { TwinDialect, TwinVerdict } from "./dialect.ts";
import { buildReported, reportedPatch } from "./reported.ts";
import { EMPTY_TWIN, mergeUpdate, type TwinDocument } from "./twin-document.ts";
import { readTwinState, type TwinState, writeTwinState } from "./twin-state.ts";

export interface TwinControllerOptions {
  readonly dialect: TwinDialect;
  /** Semantic version of the agent, shown in the reported properties. */
  readonly agentVersion: string;
}

/** What one update did. */
export interface TwinChange {
  /** `stale` and `refused` change nothing. */
  readonly status: "merged" | "stale" | "refused";
  readonly settings: Settings;
  /** Dotted paths into `Settings` whose value changed, such as `eventPriority.Login`; sorted. */
  readonly changedKeys: readonly string[];
  /** Findings that the document before did not have. */
  readonly findings: readonly ConfigurationFinding[];
  readonly verdict: TwinVerdict;
  /** All reported properties as they should now be. */
  readonly reported: JsonObject;
  /** True until a full read arrives: an update was missed. */
  readonly needsFullRead: boolean;
  /** Why the update was refused. */
  readonly problem?: Problem;
}

/** Holds the desired properties and the settings in force. No input or output, no clock. */
export interface TwinController {
  readonly settings: Settings;
  readonly verdict: TwinVerdict;
  readonly needsFullRead: boolean;
  apply(update: DesiredUpdate): TwinChange;
  /** What to report of how the device was judged, from now on. */
  describePosture(summary: JsonObject): void;
  /** All reported properties as they should be now. */
  reported(): JsonObject;
  /** What to send so that the hub holds `reported()`; undefined when it does. `previous`: what it holds. */
  reportedPatch(previous: JsonObject | undefined): JsonObject | undefined;
  /** The state to keep over a restart; `restoreTwinController` takes it. */
  toJson(): JsonObject;
}

/** A controller that starts from the dialect's defaults: nothing is desired yet. */
export function createTwinController(options: TwinControllerOptions): TwinController {
  const { defaults } = options.dialect;
  return controllerFrom(options, { document: EMPTY_TWIN, settings: defaults, raised: [] });
}

/** A controller made from kept state. */
export interface RestoredTwin {
  readonly controller: TwinController;
  /** Findings that the kept state had not raised, such as after a change of the local configuration. */
  readonly findings: readonly ConfigurationFinding[];
  /** Why the state, or part of it, could not be used; defaults stand instead. */
  readonly problem?: Problem;
}

/**
 * A controller that goes on where `toJson` left off, so that the twin's settings survive a restart
 * without network. `saved`: parsed JSON of any content, undefined when nothing was kept (no problem).
 */
export function restoreTwinController(
  options: TwinControllerOptions,
  saved: JsonValue | undefined,
): RestoredTwin {
  if (saved === undefined) return { controller: createTwinController(options), findings: [] };
  const { state, problem } = readTwinState(saved, options.dialect.defaults);
  const controller = controllerFrom(options, state);
  const findings = unraised(controller.verdict.findings, new Set(state.raised));
  return problem === undefined ? { controller, findings } : { controller, findings, problem };
}

function controllerFrom(options: TwinControllerOptions, start: TwinState): TwinController {
  const { dialect, agentVersion } = options;
  let document: TwinDocument = start.document;
  let verdict = dialect.evaluate(document.desired, start.settings);
  let posture: JsonObject | undefined;

  function reported(): JsonObject {
    const desiredVersion = document.version;
    return buildReported(dialect, verdict, { agentVersion, desiredVersion, posture });
  }

  function change(status: TwinChange["status"], before: TwinVerdict): TwinChange {
    return {
      status,
      settings: verdict.settings,
      changedKeys: changedKeys(before.settings, verdict.settings),
      findings: unraised(verdict.findings, new Set(before.findings.map(findingKey))),
      verdict,
      reported: reported(),
      needsFullRead: document.needsFullRead,
    };
  }

  return {
    get settings() {
      return verdict.settings;
    },
    get verdict() {
      return verdict;
    },
    get needsFullRead() {
      return document.needsFullRead;
    },
    apply(update) {
      const before = verdict;
      const outcome = mergeUpdate(document, update);
      document = outcome.document;
      if (outcome.status === "merged") {
        verdict = dialect.evaluate(document.desired, before.settings);
      }
      const made = change(outcome.status, before);
      return outcome.problem === undefined ? made : { ...made, problem: outcome.problem };
    },
    describePosture(summary) {
      posture = summary;
    },
    reported,
    reportedPatch: (previous) => reportedPatch(previous, reported()),
    toJson: () =>
      writeTwinState({
        document,
        settings: verdict.settings,
        raised: verdict.findings.map(findingKey),
      }),
  };
}

/** Two findings with the same key tell the owner the same thing. */
function findingKey(finding: ConfigurationFinding): string {
  return `${finding.errorType} ${finding.configurationName}: ${finding.message}`;
}

function unraised(
  findings: readonly ConfigurationFinding[],
  raised: ReadonlySet<string>,
): readonly ConfigurationFinding[] {
  return findings.filter((finding) => !raised.has(findingKey(finding)));
}

function changedKeys(before: JsonValue, after: JsonValue, path = ""): readonly string[] {
  if (!isJsonObject(before) || !isJsonObject(after)) return before === after ? [] : [path];
  const prefix = path === "" ? "" : `${path}.`;
  return Object.keys(after)
    .flatMap((key) => changedKeys(before[key] ?? null, after[key] ?? null, `${prefix}${key}`))
    .sort();
}
