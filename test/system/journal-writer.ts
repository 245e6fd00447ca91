import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const TOOL = "/lib/systemd/systemd-journal-remote";
const BOOT_ID = "0123456789abcdef0123456789abcdef";
/** 2026-01-15 12:00:00 UTC, where the numbers of the entries begin. */
export const FIRST_MS = Date.UTC(2026, 0, 15, 12);

/** Why journal files cannot be made here; false where they can. */
export const noJournalWriter = existsSync(TOOL)
  ? false
  : "systemd-journal-remote is not installed, so no journal files can be made";

/** An entry by its number: one a millisecond from `FIRST_MS` on. */
export interface WrittenEntry {
  readonly number: number;
  readonly fields: Readonly<Record<string, string | Uint8Array>>;
}

/** Entries that say their number, with other fields as wanted. */
export function numbered(
  from: number,
  to: number,
  fields: WrittenEntry["fields"] = {},
): readonly WrittenEntry[] {
  return Array.from({ length: to - from + 1 }, (_, at) => ({
    number: from + at,
    fields: { MESSAGE: `entry ${from + at}`, ...fields },
  }));
}

/** Adds entries to a journal file, which is made when it is not there. */
export function writeJournal(file: string, entries: readonly WrittenEntry[]): void {
  const input = Buffer.concat(entries.map(exportForm));
  const child = spawnSync(TOOL, ["--output", file, "-"], { input, encoding: "utf8" });
  if (child.status !== 0) throw new Error(`${TOOL} failed: ${child.stderr}`);
}

/** Source: systemd.io/JOURNAL_EXPORT_FORMATS: bytes of any kind have their length before them. */
function exportForm(entry: WrittenEntry): Buffer {
  const monotonicMs = 10_000 + entry.number;
  const head = [
    `__REALTIME_TIMESTAMP=${(FIRST_MS + entry.number) * 1_000}`,
    `__MONOTONIC_TIMESTAMP=${monotonicMs * 1_000}`,
    `_BOOT_ID=${BOOT_ID}`,
    "",
  ].join("\n");
  const parts = [Buffer.from(head)];
  for (const [name, value] of Object.entries(entry.fields)) {
    const bytes = Buffer.from(value);
    if (bytes.length === 0) {
      parts.push(Buffer.from(`${name}=\n`));
      continue;
    }
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    parts.push(Buffer.from(`${name}\n`), length, bytes, Buffer.from("\n"));
  }
  return Buffer.concat([...parts, Buffer.from("\n")]);
}
