import {
  boolean,
  choice,
  type Infer,
  integer,
  optional,
  record,
  text,
} from "../../src/contract/schema.ts";
import { BASELINE_FIELDS, type Settings } from "../../src/contract/settings.ts";

/** The fields that the module twin steers, and those of this machine alone. */
export const osBaselineSettings = record({
  ...BASELINE_FIELDS,
  builtInChecks: boolean({
    default: true,
    doc: "Judge the controls that come with the agent; off: custom checks alone",
  }),
  cpuSharePercent: integer({
    default: 20,
    min: 1,
    max: 100,
    unit: "percent",
    doc: "Share of one processor for judging checks, and for the walk",
  }),
  walkFilesPerSecond: integer({
    default: 2_000,
    min: 10,
    max: 1_000_000,
    doc: "Most files and folders that the walk looks at in a second",
  }),
  walkIntervalHours: integer({
    default: 24,
    min: 1,
    max: 8_760,
    unit: "hours",
    doc: "Time from the end of one walk over the file systems to the next",
  }),
});

/** Settings in force. */
export type OsBaselineSettings = Infer<typeof osBaselineSettings>;

const STEERED = Object.keys(BASELINE_FIELDS);

/** What the twin sets to something other than the default stands over the local configuration. */
export function steerOsBaseline(
  own: OsBaselineSettings,
  { baseline }: Settings,
): OsBaselineSettings {
  const defaults: Readonly<Record<string, unknown>> = record(BASELINE_FIELDS).defaults();
  const set = Object.entries(baseline).filter(
    ([name, value]) => STEERED.includes(name) && value !== defaults[name],
  );
  return { ...own, ...Object.fromEntries(set) };
}

function detail(doc: string, maxLength = 256) {
  return optional(text({ maxLength, doc }));
}

/** Longest list of checks in one field, UTF-16 units. */
export const LONGEST_LIST = 1_024;

export const osBaselinePayload = record({
  Description: text({ maxLength: 256, doc: "What must be so: title of the check" }),
  CceId: text({
    maxLength: 256,
    doc: "`CIS-<system>-<version>-<group>-<number>`, system and version from os-release; of a custom check its id; of the summary `Gatewarden-Summary`",
  }),
  Result: choice(["Pass", "Fail", "Err"], {
    doc: "What was read; `Err`: what decides could not be read or understood. The summary is always `Pass`",
  }),
  Error: text({
    maxLength: 512,
    doc: "Of a failure what was expected and found; of an error the reason; else empty",
  }),
  Severity: choice(["Critical", "Important", "Warning", "Informational"], {
    doc: "How much a failure matters",
  }),
  ExtraDetails: optional(
    record({
      Group: detail("Group of the check, by which it can be disabled"),
      Level: detail("Profile level for servers, `1` or `2`", 1),
      Evidence: detail(
        "Each look: file or kernel interface, what was expected, what was found, and `live` or `persistent` where the two can differ; absent where `Error` says it all, and of passes with `report` `Changes`",
        1_024,
      ),
      Remediation: detail("Of failures: what to do", 1_024),
      WaiverExpired: detail("Last day and reason of a waiver that is over"),
      Scope: detail(
        "Summary: `full` when every result is in the event, else `changes`: failures, errors, and what is not as in the last run",
      ),
      Passed: detail("Summary: checks that passed", 10),
      Failed: detail("Summary: checks that failed and are not waived", 10),
      Errors: detail("Summary: checks that could not be judged and are not waived", 10),
      NotApplicable: detail("Summary: checks about things that are not on this device", 10),
      Manual: detail("Summary: checks that no program can decide", 10),
      Waived: detail("Summary: failures and errors under a waiver in force", 10),
      NotJudged: detail(
        "Summary: checks that are disabled, or that need a walk that is off or has not been made",
        10,
      ),
      WaivedChecks: detail("Summary: numbers of the waived checks", LONGEST_LIST),
      ExpiredWaivers: detail("Summary: numbers of the checks whose waiver is over", LONGEST_LIST),
      ManualChecks: detail("Summary: numbers of the checks for a person", LONGEST_LIST),
      WalkedAt: detail("Summary: end of the last walk over the file systems, ISO 8601, UTC", 32),
      WalkedFiles: detail("Summary: files and folders that it looked at", 16),
    }),
  ),
});
