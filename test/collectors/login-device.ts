import assert from "node:assert/strict";
import { logins as collector } from "../../collectors/logins/index.ts";
import type { EventDraft, PayloadItem } from "../../src/contract/event.ts";
import type { JournalEntry, JournalListener, JournalQuery } from "../../src/contract/journal.ts";
import type { JsonValue } from "../../src/contract/json.ts";
import { fail, ok } from "../../src/contract/result.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { contextOf, settingsOf } from "./case-run.ts";
import { liveMachine } from "./live-probe.ts";

/** A line of the journal. */
export interface Line {
  /** When it was written; now where absent. */
  readonly atMs?: number;
  readonly text: string;
  readonly program?: string;
  readonly processId?: number;
  readonly executable?: string;
}

/** A text log. */
export interface LogFile {
  inode: number;
  text: string;
}

/** A device whose journal and text logs a test writes; its cursor outlives a collector. */
export class Device {
  readonly machine = liveMachine();
  readonly clock = new FakeClock();
  readonly files = new Map<string, LogFile>();
  readonly items: PayloadItem[] = [];
  readonly losses: string[] = [];
  readonly times: (number | undefined)[] = [];
  hasJournal = true;
  saved: JsonValue | undefined;
  query: JournalQuery | undefined;
  readonly keys: (string | undefined)[] = [];
  private listener: JournalListener | undefined;
  private entries = 0;
  private changed: (() => void) | undefined;

  constructor() {
    this.boot("first");
  }

  /** The machine has been started anew. */
  boot(id: string): void {
    this.machine.tree.files.set("/proc/sys/kernel/random/boot_id", `${id}\n`);
  }

  async start() {
    assert.ok(collector.mode === "watch");
    const probe = {
      ...this.machine.probe,
      followJournal: (query: JournalQuery, listener: JournalListener) => {
        if (!this.hasJournal) return fail("not-found", "journal", "no journal here");
        this.query = query;
        this.listener = listener;
        return ok(() => {
          this.listener = undefined;
        });
      },
      readFrom: (path: string, offset: number, maxBytes: number) => {
        const file = this.files.get(path);
        if (file === undefined) return fail("not-found", path, "no such file");
        const whole = Buffer.from(file.text, path.endsWith("tmp") ? "latin1" : "utf8");
        const bytes = Uint8Array.from(whole.subarray(offset, offset + maxBytes));
        return ok({ bytes, sizeBytes: whole.length, inode: file.inode, deviceId: 1 });
      },
      watchFolder: (_path: string, _names: ReadonlySet<string>, onChange: () => void) => {
        this.changed = onChange;
        return ok(() => {
          this.changed = undefined;
        });
      },
    };
    const base = contextOf(probe, settingsOf(collector, {}));
    const context = {
      ...base,
      clock: this.clock,
      log: new RecordingLog(),
      cursor: {
        read: () => this.saved,
        write: (value: JsonValue) => {
          this.saved = value;
        },
      },
      agent: {
        ...base.agent,
        countLoss: (name: string, reason: string, count: number) => {
          this.losses.push(`${name}.${reason} ${count}`);
        },
      },
    };
    return collector.watch(context, (drafts: readonly EventDraft[]) => {
      this.items.push(...drafts.flatMap((draft) => draft.payload));
      this.times.push(...drafts.map((draft) => draft.occurredAtMs));
      this.keys.push(...drafts.map((draft) => draft.key));
    });
  }

  /** Entries of the journal in one portion. */
  journal(...lines: readonly Line[]): void {
    const entries = lines.map((line): JournalEntry => {
      this.entries += 1;
      const fields = new Map([
        ["MESSAGE", line.text],
        ["_PID", String(line.processId ?? 800)],
        ["_COMM", line.program ?? "sshd"],
        ["_EXE", line.executable ?? "/usr/sbin/sshd"],
      ]);
      const realtimeMs = line.atMs ?? this.clock.nowMs();
      return { cursor: `s=${this.entries}`, realtimeMs, fields };
    });
    this.listener?.onEntries(entries);
  }

  /** An entry that is read once more, after a restart. */
  journalAgain(entry: number, line: Line): void {
    const last = this.entries;
    this.entries = entry - 1;
    this.journal(line);
    this.entries = last;
  }

  write(path: string, line: string): void {
    const file = this.files.get(path) ?? { inode: this.files.size + 10, text: "" };
    file.text += line;
    this.files.set(path, file);
  }

  tellOfChange(): void {
    this.changed?.();
  }

  audit(type: number, text: string): void {
    const body = Buffer.from(text);
    const bytes = new Uint8Array(16 + body.length);
    new DataView(bytes.buffer).setUint16(4, type, true);
    bytes.set(body, 16);
    this.machine.tell("audit", bytes);
  }

  detail(at: number, name: string): string | undefined {
    const details = this.items[at]?.["ExtraDetails"];
    return typeof details === "object" ? details[name] : undefined;
  }
}

/** A refused password of a user, by the port of its connection. */
export function failed(user: string, port: number): Line {
  return { text: `Failed password for ${user} from 192.0.2.9 port ${port} ssh2` };
}
