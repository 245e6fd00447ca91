import type { FileFacts } from "../../contract/probe.ts";
import type { Device } from "../device.ts";
import { idOfGroup, groups as knownGroups } from "../facts/accounts.ts";
import { expandGlob } from "../glob.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";

/** Whether a path is there. */
export interface FileExistsCheck {
  readonly test: "file-exists";
  /** With wildcards: whether any path matches. */
  readonly path: string;
}

/** Permission bits and owners of each file that a path names. */
export interface FileModeCheck {
  readonly test: "file-mode";
  /** With wildcards: every match. None: does not apply. */
  readonly path: string;
  /** The bits that may be set at most. */
  readonly maxMode: number;
  /** Numeric user id that must own the file; 0 where absent. */
  readonly userId?: number;
  /** Names of groups that may be the file's group; root where absent. */
  readonly groups?: readonly string[];
}

/** Existence, as evidence. */
export function judgeFileExists(check: FileExistsCheck, device: Device): Outcome {
  const paths = expandGlob(device, check.path);
  if (paths.state === "unreadable") return because("error", paths.reason);
  const [first] = paths.state === "value" ? paths.value : [];
  return decide(first !== undefined, evidence(check.path, "exists", first ?? "not there"));
}

/** Mode and owner of one file or of all that match. */
export function judgeFileMode(check: FileModeCheck, device: Device): Outcome {
  const paths = expandGlob(device, check.path);
  if (paths.state === "unreadable") return because("error", paths.reason);
  if (paths.state === "missing") return because("not-applicable", `${check.path} is not there`);
  return allOf(paths.value.map((path) => judgeOne(path, check, device)));
}

function judgeOne(path: string, check: FileModeCheck, device: Device): Outcome {
  const facts = device.facts(path);
  if (facts.state === "unreadable") return because("error", facts.reason);
  if (facts.state === "missing") return because("not-applicable", `${path} is a link to nothing`);
  const groups = check.groups ?? ["root"];
  const groupIds = groups.map((name) => idOfGroup(device, name));
  const { mode, userId, groupId } = facts.value;
  const known = knownGroups(device);
  // Which number a name means is open then; 0 is root without asking.
  if (groupId !== 0 && known.state === "unreadable" && groups.some((name) => name !== "root")) {
    return because("error", known.reason);
  }
  const isGood =
    (mode & ~check.maxMode) === 0 && userId === (check.userId ?? 0) && groupIds.includes(groupId);
  const expected = `mode ${modeText(check.maxMode)} or tighter, user ${check.userId ?? 0}, group ${groups.join(" or ")}`;
  return decide(isGood, evidence(path, expected, ownerText(facts.value)));
}

/** `0644` */
export function modeText(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** Mode and owners in words. */
export function ownerText({ mode, userId, groupId }: FileFacts): string {
  return `mode ${modeText(mode)}, user ${userId}, group ${groupId}`;
}
