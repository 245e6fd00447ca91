/** One record of the kernel's audit system. Source: audit documentation, audit-record fields. */
export interface AuditRecord {
  readonly timeMs: number;
  /** Records of one event share it. */
  readonly serial: number;
  /** Values by name, those inside `msg='…'` included; the first of a name stands. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Fields that the kernel writes in hexadecimal when they hold blanks, quotes or other bytes. */
const MAY_BE_ENCODED =
  /^(?:acct|exe|comm|cmd|cwd|name|proctitle|grantors|a\d{1,4}(?:\[\d{1,6}\])?)$/;
const MOST_TEXT = 16_384;
const MOST_FIELDS = 256;
const utf8 = new TextDecoder();

/**
 * Reads the text of a record: `audit(1700000000.123:456): pid=1 … msg='op=login acct="ops" …'`. Undefined
 * when it does not begin like one. Never throws; output is bounded by the input.
 */
export function parseAuditRecord(text: string): AuditRecord | undefined {
  const head = /^audit\((\d{1,12})\.(\d{3}):(\d{1,15})\): ?/.exec(text);
  if (head === null) return undefined;
  const fields = new Map<string, string>();
  addFields(text.slice(head[0].length, MOST_TEXT), fields);
  return {
    timeMs: Number(head[1]) * 1_000 + Number(head[2]),
    serial: Number(head[3]),
    fields,
  };
}

function addFields(text: string, fields: Map<string, string>): void {
  const pattern = /([A-Za-z0-9_[\]-]{1,64})=(?:"([^"]*)"|'([^']*)'|([^\s'"]*))/g;
  for (const [, name = "", quoted, nested, bare] of text.matchAll(pattern)) {
    if (fields.size >= MOST_FIELDS) return;
    if (nested !== undefined && name === "msg") addFields(nested, fields);
    else if (!fields.has(name)) fields.set(name, quoted ?? nested ?? decoded(name, bare ?? ""));
  }
}

function decoded(name: string, value: string): string {
  if (!MAY_BE_ENCODED.test(name) || value.length % 2 !== 0 || !/^[0-9A-F]{2,}$/.test(value)) {
    return value;
  }
  return utf8.decode(Uint8Array.from(Buffer.from(value, "hex")));
}
