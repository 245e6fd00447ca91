import type { Device } from "../device.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";
import type { WalkListName, WalkReport } from "../walk-report.ts";

/** A list that the walk over all local file systems made. */
export interface WalkCheck {
  readonly test: "walk";
  readonly list: WalkListName;
  /** What should not be on the list, in words. */
  readonly what: string;
  /** Names of programs that packages bring, and whole paths, that may be on it. */
  readonly allowed?: readonly string[];
}

/** Where packages put programs; elsewhere a known name proves nothing. Source: hier(7). */
const PROGRAM_FOLDERS = /^\/(?:usr\/)?(?:s?bin|lib(?:32|64|x32|exec)?)\//;

function isAllowed(path: string, allowed: ReadonlySet<string>): boolean {
  if (!PROGRAM_FOLDERS.test(path)) return allowed.has(path);
  return allowed.has(path) || allowed.has(path.slice(path.lastIndexOf("/") + 1));
}

/** Why the list of files without a known owner says nothing. */
function unknownOwners({ list }: WalkCheck, report: WalkReport): string | undefined {
  if (list === "unknownUsers") return report.usersUnknown;
  return list === "unknownGroups" ? report.groupsUnknown : undefined;
}

/** Nothing may be on the list but what is allowed. Without a walk it does not apply. */
export function judgeWalk(check: WalkCheck, device: Device): Outcome {
  const { walk } = device;
  if (walk.state === "unreadable") return because("error", walk.reason);
  if (walk.state === "missing") {
    return because("not-applicable", "the walk over the file systems was not made");
  }
  const unknown = unknownOwners(check, walk.value);
  if (unknown !== undefined) return because("error", unknown);
  const { paths, total } = walk.value[check.list];
  const allowed = new Set(check.allowed ?? []);
  const others = paths.filter((path) => !isAllowed(path, allowed));
  const unseen = total - paths.length;
  const source = `walk over ${walk.value.entries} files`;
  const expected = `no ${check.what}`;
  if (others.length > 0 || (unseen > 0 && check.allowed === undefined)) {
    const count = others.length + unseen;
    return decide(false, evidence(source, expected, `${count}: ${others.join(", ")}`));
  }
  if (unseen > 0)
    return because("error", `${unseen} ${check.what} are not on the list, which is full`);
  if (walk.value.isCut) return because("error", "the walk ended before it had seen everything");
  const refused = walk.value.unread?.total ?? 0;
  if (refused > 0) {
    const first = walk.value.unread?.paths[0] ?? "";
    return because("error", `${refused} folders or files could not be looked at, such as ${first}`);
  }
  return decide(true, evidence(source, expected, `${total} on the list, all known`));
}
