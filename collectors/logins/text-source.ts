import type { Timer } from "../../src/contract/clock.ts";
import { isJsonObject } from "../../src/contract/json.ts";
import type { FilePart } from "../../src/contract/probe.ts";
import { fail, ok, type Result } from "../../src/contract/result.ts";
import { readLoginText } from "../../src/parse/login/read-message.ts";
import { parseSyslogLine } from "../../src/parse/syslog-line.ts";
import type { Desk, LoginsContext } from "./desk.ts";
import {
  createFileFollower,
  endOf,
  type FilePosition,
  positionFrom,
  positionJson,
} from "./file-follower.ts";
import type { Positions } from "./positions.ts";

/** Debian and its kin; Red Hat and its kin; BusyBox. */
const LOGS = ["/var/log/auth.log", "/var/log/secure", "/var/log/messages"];
/** The kernel tells of changes; where it cannot, they are found so often. */
const CHECK_MS = 60_000;
const NEWLINE = 10;

/**
 * Follows the first text log that there is, from where the last run stopped, or from its end. Errors:
 * `not-found` without such a log, `not-permitted`.
 */
export function followTextLog(
  context: LoginsContext,
  desk: Desk,
  positions: Positions,
): Result<() => void> {
  const found = firstLog(context);
  if (!found.ok) return found;
  const { path, part } = found.value;
  const saved = isJsonObject(positions.start) ? positions.start["text"] : undefined;
  const isSamePath = isJsonObject(saved) && saved["path"] === path;
  const follower = createFileFollower({
    context,
    path,
    from: (isSamePath ? positionFrom(saved) : undefined) ?? endOf(part),
    take: (bytes, position) => takeLines(context, desk, bytes, position),
    reached: (position) => desk.reached({ text: { path, ...positionJson(position) } }),
  });
  return ok(whenChanged(context, [path], () => follower.read()));
}

/** Reads now, when the kernel tells of a change, and from time to time. Returns what ends it. */
export function whenChanged(
  context: LoginsContext,
  paths: readonly string[],
  read: () => void,
): () => void {
  const { probe, clock } = context;
  let timer: Timer | undefined;
  function look(): void {
    read();
    timer?.cancel();
    timer = clock.after(CHECK_MS, look);
  }
  const names = new Set(paths.map((path) => path.slice(path.lastIndexOf("/") + 1)));
  const [first = ""] = paths;
  const watching = probe.watchFolder(first.slice(0, first.lastIndexOf("/")), names, look);
  look();
  return () => {
    timer?.cancel();
    if (watching.ok) watching.value();
  };
}

function firstLog(
  context: LoginsContext,
): Result<{ readonly path: string; readonly part: FilePart }> {
  for (const path of LOGS) {
    const part = context.probe.readFrom(path, 0, 0);
    if (part.ok) return ok({ path, part: part.value });
    if (part.problem.code !== "not-found") return part;
  }
  return fail("not-found", LOGS.join(", "), "no text log of logins");
}

function takeLines(
  context: LoginsContext,
  desk: Desk,
  bytes: Buffer,
  position: FilePosition,
): number {
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  let lineAt = position.offset;
  // Latin-1: one character is one byte, so that each line's place in the file is known.
  for (const line of bytes.toString("latin1", 0, end).split("\n")) {
    const text = Buffer.from(line, "latin1").toString("utf8");
    takeLine(context, desk, text, `${position.deviceId} ${position.inode} ${lineAt}`);
    lineAt += line.length + 1;
  }
  return end;
}

/** `key` is the place of the line: device, inode, offset. */
function takeLine(context: LoginsContext, desk: Desk, line: string, key: string): void {
  const parsed = parseSyslogLine(line, context.clock);
  if (parsed === undefined) return;
  const message = readLoginText(parsed.program, parsed.text);
  if (message === undefined) return;
  const { processId, timeMs } = parsed;
  desk.entry({ message, processId, executable: undefined, occurredAtMs: timeMs, key });
}
