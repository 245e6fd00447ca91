import type { Device } from "../device.ts";
import { sudoLog } from "../facts/sudo-log.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";
import { judgePaths, pathDemand } from "./audit-rules.ts";

/** Audit rules for paths that are found on the device: the log of sudo, or all setuid programs. */
export interface AuditFoundPathsCheck {
  readonly test: "audit-found-paths";
  readonly paths: "sudo-log" | "setuid-programs";
}

/** Conditions that a rule for a program may have: people, not services. */
const PEOPLE = ["auid>=UID_MIN", "auid!=unset"];

/** Looks for the paths, then for rules. */
export function judgeAuditFoundPaths(check: AuditFoundPathsCheck, device: Device): Outcome {
  return check.paths === "sudo-log" ? judgeSudoLog(device) : judgePrograms(device);
}

function judgeSudoLog(device: Device): Outcome {
  const log = sudoLog(device);
  if (log.state === "unreadable") return because("error", log.reason);
  if (log.state === "missing") return because("not-applicable", "no sudo here");
  if (log.value === undefined) {
    return decide(false, evidence("/etc/sudoers", "Defaults logfile=…", "not set", "persistent"));
  }
  return judgePaths([pathDemand(device, log.value, "wa", [])], device);
}

function judgePrograms(device: Device): Outcome {
  const { walk } = device;
  if (walk.state === "missing")
    return because("not-applicable", "the file systems were not walked");
  if (walk.state === "unreadable") return because("error", walk.reason);
  const { setuid, setgid, isCut } = walk.value;
  const programs = [...new Set([...setuid.paths, ...setgid.paths])].sort();
  const isListCut =
    setuid.total > setuid.paths.length || setgid.total > setgid.paths.length || isCut;
  if (programs.length === 0 && !isListCut)
    return because("not-applicable", "no setuid or setgid program here");
  const demands = programs.map((path) => ({
    ...pathDemand(device, path, "x", PEOPLE),
    text: `-a always,exit -F path=${path} -F perm=x -F auid>=UID_MIN -F auid!=unset`,
  }));
  const outcome = judgePaths(demands, device);
  if (outcome.verdict !== "pass" || !isListCut) return outcome;
  return because("error", "the walk did not see all programs", outcome.evidence);
}
