import type { CollectorContext } from "../../src/contract/collector.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/contract/json.ts";
import type { FilePart } from "../../src/contract/probe.ts";

/** Where reading a file stopped. The name may lead to another file by now. */
export interface FilePosition {
  readonly inode: number;
  readonly deviceId: number;
  readonly offset: number;
}

const PORTION_BYTES = 65_536;

/** Reads what is appended to a file, over its rotation. */
export interface FileFollower {
  /** Reads what is new, the rest of a rotated file first. */
  read(): void;
  readonly position: FilePosition;
}

export interface FollowOptions {
  readonly context: Pick<CollectorContext<unknown>, "probe" | "agent">;
  readonly path: string;
  readonly from: FilePosition;
  /** Takes whole lines or records from the beginning of `bytes`; returns how many bytes that were. */
  readonly take: (bytes: Buffer, position: FilePosition) => number;
  /** All up to there has been taken. */
  readonly reached: (position: FilePosition) => void;
}

/** Source: logrotate(8): the old file is `NAME.1`, unless it was copied and cut short (copytruncate). */
export function createFileFollower(options: FollowOptions): FileFollower {
  const { context, path, take, reached } = options;
  let position = options.from;

  function readFile(name: string, start: FilePosition): FilePosition {
    let at = start;
    for (;;) {
      const part = context.probe.readFrom(name, at.offset, PORTION_BYTES);
      if (!part.ok || part.value.bytes.length === 0) return at;
      const bytes = Buffer.from(part.value.bytes);
      // A line longer than a portion is no line of a log: it is passed over.
      const whole = take(bytes, at);
      const taken = whole === 0 && bytes.length === PORTION_BYTES ? bytes.length : whole;
      if (taken === 0) return at;
      at = { ...at, offset: at.offset + taken };
      reached(at);
    }
  }

  function readRotated(): void {
    for (const name of [`${path}.1`, `${path}.0`]) {
      const part = context.probe.readFrom(name, 0, 0);
      if (!part.ok || part.value.inode !== position.inode) continue;
      readFile(name, position);
      return;
    }
    context.agent.countLoss("Login", "log-rotated-away", 0);
  }

  return {
    get position() {
      return position;
    },
    read() {
      const now = context.probe.readFrom(path, 0, 0);
      if (!now.ok) return;
      const isSame = now.value.inode === position.inode && now.value.deviceId === position.deviceId;
      if (!isSame) readRotated();
      const isCut = isSame && now.value.sizeBytes < position.offset;
      position = readFile(path, isSame && !isCut ? position : startOf(now.value));
    },
  };
}

/** The beginning of a file. */
function startOf(part: FilePart): FilePosition {
  return { inode: part.inode, deviceId: part.deviceId, offset: 0 };
}

/** The end of a file as it is now. */
export function endOf(part: FilePart): FilePosition {
  return { ...startOf(part), offset: part.sizeBytes };
}

export function positionFrom(saved: JsonValue | undefined): FilePosition | undefined {
  if (!isJsonObject(saved)) return undefined;
  const { inode, deviceId, offset } = saved;
  if (typeof inode !== "number" || typeof deviceId !== "number") return undefined;
  return typeof offset === "number" ? { inode, deviceId, offset } : undefined;
}

export function positionJson({ inode, deviceId, offset }: FilePosition): JsonObject {
  return { inode, deviceId, offset };
}
