import type { Device } from "../device.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";
import { modeText } from "./file.ts";

/** Permission bits of every regular file below a folder. */
export interface TreeModeCheck {
  readonly test: "tree-mode";
  readonly path: string;
  /** The bits that may be set at most. */
  readonly maxMode: number;
}

const MAX_DEPTH = 24;
const MOST_ENTRIES = 50_000;
const MOST_EVIDENCE = 20;

interface Walked {
  files: number;
  readonly open: string[];
  reason: string | undefined;
}

/** Looks at all files below the folder. Links are not followed, and what vanishes is no matter. */
export function judgeTreeMode(check: TreeModeCheck, device: Device): Outcome {
  const walked: Walked = { files: 0, open: [], reason: undefined };
  const top = device.folder(check.path);
  if (top.state === "missing") return because("not-applicable", `${check.path} is not there`);
  walk(device, check, check.path, 0, { walked, entries: { count: 0 } });
  const expected = `files of mode ${modeText(check.maxMode)} or tighter`;
  const looks = walked.open
    .slice(0, MOST_EVIDENCE)
    .map((found) => evidence(check.path, expected, found));
  if (walked.open.length > MOST_EVIDENCE) {
    const more = `and ${walked.open.length - MOST_EVIDENCE} more`;
    looks.push(evidence(check.path, expected, more));
  }
  if (looks.length > 0) return decide(false, ...looks);
  if (walked.reason !== undefined) return because("error", walked.reason);
  if (walked.files === 0) return because("not-applicable", `${check.path} holds no file`);
  return decide(true, evidence(check.path, expected, `${walked.files} files, all of them`));
}

interface Progress {
  readonly walked: Walked;
  readonly entries: { count: number };
}

function walk(
  device: Device,
  check: TreeModeCheck,
  folder: string,
  depth: number,
  progress: Progress,
): void {
  const { walked, entries } = progress;
  const names = device.folder(folder);
  if (names.state === "unreadable") walked.reason ??= names.reason;
  for (const name of names.state === "value" ? names.value : []) {
    entries.count += 1;
    if (entries.count > MOST_ENTRIES || depth > MAX_DEPTH) {
      walked.reason ??= `${folder}: more files than are looked at`;
      return;
    }
    const path = `${folder}/${name}`;
    const facts = device.linkFacts(path);
    if (facts.state === "unreadable") walked.reason ??= facts.reason;
    if (facts.state !== "value") continue;
    if (facts.value.kind === "folder") walk(device, check, path, depth + 1, progress);
    if (facts.value.kind !== "file") continue;
    walked.files += 1;
    if ((facts.value.mode & ~check.maxMode) !== 0)
      walked.open.push(`${path}: mode ${modeText(facts.value.mode)}`);
  }
}
