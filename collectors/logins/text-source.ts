import type { Timer } from "../../src/contract/clock.ts";
import { isJsonObject, type JsonValue } from "../../src/contract/json.ts";
import type { FilePart } from "../../src/contract/probe.ts";
import { fail, ok, type Result } from "../../src/contract/result.ts";
import { readLoginText } from "../../src/parse/login/read-message.ts";
import { parseSyslogLine } from "../../src/parse/syslog-line.ts";
import type { Desk, LoginsContext } from "./desk.ts";
import type { Positions } from "./positions.ts";

/** Debian and its kin; Red Hat and its kin; BusyBox. */
const LOGS = ["/var/log/auth.log", "/var/log/secure", "/var/log/messages"];
const PORTION_BYTES = 65_536;
/** The kernel tells of changes; where it cannot, they are found so often. */
const CHECK_MS = 60_000;
const NEWLINE = 10;

interface Position {
  readonly path: string;
  readonly inode: number;
  readonly deviceId: number;
  readonly offset: number;
}

/**
 * Follows the first text log that there is, from where the last run stopped, or from its end. When the file
 * has been rotated, the rest of the old one is read first. Errors: `not-found` without such a log,
 * `not-permitted`.
 */
export function followTextLog(
  context: LoginsContext,
  desk: Desk,
  positions: Positions,
): Result<() => void> {
  const { probe, clock } = context;
  const found = firstLog(context);
  if (!found.ok) return found;
  const { path, part } = found.value;
  const saved = positionFrom(positions.start);
  let position: Position =
    saved?.path === path ? saved : { path, ...identityOf(part), offset: part.sizeBytes };
  let timer: Timer | undefined;

  function look(): void {
    position = readOn(context, desk, position);
    timer?.cancel();
    timer = clock.after(CHECK_MS, look);
  }

  const slash = path.lastIndexOf("/");
  const watching = probe.watchFolder(path.slice(0, slash), new Set([path.slice(slash + 1)]), look);
  look();
  return ok(() => {
    timer?.cancel();
    if (watching.ok) watching.value();
  });
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

/** Reads what is new, the rest of a rotated file included; returns where it ends. */
function readOn(context: LoginsContext, desk: Desk, from: Position): Position {
  const now = context.probe.readFrom(from.path, 0, 0);
  if (!now.ok) return from;
  const isSame = now.value.inode === from.inode && now.value.deviceId === from.deviceId;
  if (isSame && now.value.sizeBytes >= from.offset) return readFile(context, desk, from.path, from);
  if (!isSame) readRotated(context, desk, from);
  // Another file, or the same one cut short (copytruncate).
  return readFile(context, desk, from.path, {
    path: from.path,
    ...identityOf(now.value),
    offset: 0,
  });
}

/** The old file has another name now. Source: logrotate(8). */
function readRotated(context: LoginsContext, desk: Desk, from: Position): void {
  for (const path of [`${from.path}.1`, `${from.path}.0`]) {
    const part = context.probe.readFrom(path, 0, 0);
    if (!part.ok || part.value.inode !== from.inode) continue;
    readFile(context, desk, path, from);
    return;
  }
  context.agent.countLoss("Login", "log-rotated-away", 0);
}

function readFile(context: LoginsContext, desk: Desk, path: string, from: Position): Position {
  let { offset } = from;
  for (;;) {
    const part = context.probe.readFrom(path, offset, PORTION_BYTES);
    if (!part.ok || part.value.bytes.length === 0) break;
    const { bytes } = part.value;
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    // A line that is still being written, unless it is longer than any line should be.
    if (end === 0 && bytes.length < PORTION_BYTES) break;
    // Latin-1: one character is one byte, so that each line's place in the file is known.
    const whole = Buffer.from(bytes.subarray(0, end === 0 ? bytes.length : end));
    let lineAt = offset;
    for (const line of whole.toString("latin1").split("\n")) {
      const text = Buffer.from(line, "latin1").toString("utf8");
      takeLine(context, desk, text, `${from.deviceId} ${from.inode} ${lineAt}`);
      lineAt += line.length + 1;
    }
    offset += whole.length;
    desk.reached({ text: { ...from, offset } });
  }
  return { ...from, offset };
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

function identityOf(part: FilePart): Pick<Position, "inode" | "deviceId"> {
  return { inode: part.inode, deviceId: part.deviceId };
}

function positionFrom(saved: JsonValue | undefined): Position | undefined {
  const text = isJsonObject(saved) ? saved["text"] : undefined;
  if (!isJsonObject(text)) return undefined;
  const { path, inode, deviceId, offset } = text;
  if (typeof path !== "string" || typeof offset !== "number") return undefined;
  if (typeof inode !== "number" || typeof deviceId !== "number") return undefined;
  return { path, inode, deviceId, offset };
}
