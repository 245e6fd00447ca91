import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { AgentError, describeError } from "../../contract/errors.ts";
import type { OutgoingMessage } from "../../contract/message.ts";
import type {
  ReportOutcome,
  SendOutcome,
  Transport,
  TransportHandlers,
} from "../../contract/transport.ts";
import { errorCodeOf } from "../fault.ts";
import type { FileOptions } from "../transport-options.ts";

const DEFAULT_MAX_BYTES = 10_000_000;
const DEFAULT_MAX_FILES = 5;
const MOST_MESSAGE_BYTES = 1_048_576;
const MODE_PRIVATE = 0o600;
/** How long the sender should leave a full disk alone. */
const FULL_DISK_PAUSE_MS = 60_000;

/**
 * Appends messages to a file as JSON Lines: `{"properties":{…},"body":…}` per line, where `properties`
 * are the application properties plus `messageId`. Rotates by size: `path` is the newest, `path.1` the
 * one before. Meant for devices whose log shipper does the rest, and for trying things out.
 */
export class FileTransport implements Transport {
  readonly name = "file";
  readonly hasTwin = false;
  readonly maxMessageBytes = MOST_MESSAGE_BYTES;
  private readonly options: FileOptions;
  private readonly maxBytes: number;
  private readonly maxFiles: number;
  private handlers: TransportHandlers | undefined;
  private handle: FileHandle | undefined;
  private sizeBytes = 0;
  /** One write at a time: lines must not interleave with a rotation. */
  private queue: Promise<unknown> = Promise.resolve();
  private isStopped = false;

  constructor(options: FileOptions) {
    if (!options.path.startsWith("/")) {
      throw new AgentError("AGENT_CONFIG_INVALID", "file transport: the path is not absolute", {
        remedy: "write the path from the root, such as /var/lib/gatewarden/events.jsonl",
      });
    }
    this.options = options;
    this.maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.maxFiles = Math.max(options.maxFiles ?? DEFAULT_MAX_FILES, 1);
  }

  start(handlers: TransportHandlers): void {
    if (this.handlers !== undefined) return;
    this.handlers = handlers;
    handlers.onStatus({ state: "connecting", attempt: 1 });
    handlers.onStatus({ state: "connected", sessionPresent: false });
  }

  send(message: OutgoingMessage): Promise<SendOutcome> {
    const line = lineOf(message);
    const work = this.queue.then(() => this.append(line));
    this.queue = work;
    return work;
  }

  async report(): Promise<ReportOutcome> {
    return { status: "refused", reason: "a file has no twin" };
  }

  async stop(): Promise<void> {
    if (this.isStopped) return;
    this.isStopped = true;
    await this.queue;
    await this.handle?.close();
    this.handle = undefined;
    this.handlers?.onStatus({ state: "stopped" });
  }

  /** Never rejects: a full or broken disk means that the message stays in the spool. */
  private async append(line: Buffer): Promise<SendOutcome> {
    if (this.isStopped) return { status: "retry", reason: "stopped" };
    const startBytes = this.sizeBytes;
    try {
      const handle = await this.ready(line.length);
      await handle.appendFile(line);
      if ((this.options.fsync ?? "each-message") === "each-message") await handle.datasync();
      this.sizeBytes += line.length;
      return { status: "acknowledged" };
    } catch (error) {
      await this.undo(startBytes);
      const code = errorCodeOf(error);
      const isFull = code === "ENOSPC" || code === "EDQUOT";
      const reason = isFull ? `the disk is full (${code})` : describeError(error);
      return { status: "retry", reason, ...(isFull ? { afterMs: FULL_DISK_PAUSE_MS } : {}) };
    }
  }

  /** A line that was written in part is cut off, so that the file stays JSON Lines. */
  private async undo(sizeBytes: number): Promise<void> {
    const handle = this.handle;
    this.handle = undefined;
    if (handle === undefined) return;
    try {
      if (this.sizeBytes === sizeBytes) await handle.truncate(sizeBytes);
      await handle.close();
    } catch {
      // The write's own error is reported; the next append opens the file afresh.
    }
  }

  private async ready(lineBytes: number): Promise<FileHandle> {
    const handle = this.handle ?? (await this.open());
    if (this.sizeBytes === 0 || this.sizeBytes + lineBytes <= this.maxBytes) return handle;
    this.handle = undefined;
    await handle.close();
    await rotate(this.options.path, this.maxFiles);
    return this.open();
  }

  private async open(): Promise<FileHandle> {
    const handle = await open(this.options.path, "a", MODE_PRIVATE);
    this.handle = handle;
    this.sizeBytes = (await handle.stat()).size;
    return handle;
  }
}

/** One line with its newline. The body is UTF-8 JSON already and is embedded as it is. */
function lineOf(message: OutgoingMessage): Buffer {
  const properties = JSON.stringify({ messageId: message.messageId, ...message.properties });
  // JSON outside strings may hold line breaks; inside strings they are escaped.
  const body = Buffer.from(message.body)
    .toString("utf8")
    .replace(/[\r\n]+/g, "");
  return Buffer.from(`{"properties":${properties},"body":${body}}\n`, "utf8");
}

/** Shifts `path` to `path.1`, `path.1` to `path.2`, …; the last falls off. */
async function rotate(path: string, maxFiles: number): Promise<void> {
  await rm(`${path}.${maxFiles}`, { force: true });
  for (let number = maxFiles - 1; number >= 1; number -= 1) {
    if (await exists(`${path}.${number}`)) {
      await rename(`${path}.${number}`, `${path}.${number + 1}`);
    }
  }
  await rename(path, `${path}.1`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errorCodeOf(error) === "ENOENT") return false;
    throw error;
  }
}
