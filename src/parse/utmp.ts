import { ipv4FromBytes, ipv6FromBytes } from "./addresses.ts";
import type { Endianness } from "./netlink-message.ts";

/** Size of struct utmp on Linux with glibc and musl-utmps, 32 and 64 bits alike (`__WORDSIZE_TIME64_COMPAT32`). */
export const UTMP_RECORD_BYTES = 384;

/** Kinds of a record. Source: utmp(5), `ut_type`. */
export type UtmpType =
  | "empty"
  | "run-level"
  | "boot"
  | "new-time"
  | "old-time"
  | "init"
  | "login"
  | "user"
  | "dead"
  | "accounting";

const TYPES: readonly UtmpType[] = [
  "empty",
  "run-level",
  "boot",
  "new-time",
  "old-time",
  "init",
  "login",
  "user",
  "dead",
  "accounting",
];

/** One record of utmp, wtmp or btmp. Texts are as written: a stranger chose the user of a failed login. */
export interface UtmpRecord {
  readonly type: UtmpType;
  readonly processId: number;
  /** `pts/0`, `ttyS0`, `ssh:notty`; empty where unknown. */
  readonly line: string;
  /** At most 32 bytes: longer names are cut by the writer. */
  readonly user: string;
  /** Name or address of the far end as text, or the kernel's release; empty where there is none. */
  readonly host: string;
  /** Literal address of the far end; absent where the field is zero. */
  readonly address?: string;
  /** Wall clock ms, with the microseconds cut off. */
  readonly timeMs: number;
}

/** What a part of a file holds. */
export interface UtmpRecords {
  readonly records: readonly UtmpRecord[];
  /** Records that no program writes: unknown type, times before 1980, a negative process. */
  readonly malformed: number;
  /** Bytes at the end that are not a whole record; they are still to be written, or the file is torn. */
  readonly restBytes: number;
}

/** 1980-01-01: no Linux system was up before. */
const EARLIEST_SECONDS = 315_532_800;
/** Names above 2^22 are no process ids on Linux. Source: proc_sys_kernel(5), pid_max. */
const MOST_PROCESS_ID = 4_194_304;

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Records of a file whose `bytes` begin at a record. `endianness` is that of the machine that wrote it.
 * Never throws; empty records are left out. Source: utmp(5), bits/utmp.h.
 */
export function readUtmp(bytes: Uint8Array, endianness: Endianness): UtmpRecords {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: UtmpRecord[] = [];
  let malformed = 0;
  let at = 0;
  for (; at + UTMP_RECORD_BYTES <= bytes.length; at += UTMP_RECORD_BYTES) {
    const record = readRecord(bytes, view, at, endianness === "LE");
    if (record === undefined) malformed += 1;
    else if (record.type !== "empty") records.push(record);
  }
  return { records, malformed, restBytes: bytes.length - at };
}

/**
 * Offsets: ut_type 0 (16 bits), ut_pid 4, ut_line 8, ut_id 40, ut_user 44, ut_host 76, ut_exit 332,
 * ut_session 336, ut_tv 340, ut_addr_v6 348.
 */
function readRecord(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  isLittle: boolean,
): UtmpRecord | undefined {
  const type = TYPES[view.getInt16(at, isLittle)];
  const processId = view.getInt32(at + 4, isLittle);
  if (type === undefined || processId < 0 || processId > MOST_PROCESS_ID) return undefined;
  // Unsigned: the field has 32 bits, and what is written after 2038 wraps.
  const seconds = view.getUint32(at + 340, isLittle);
  const micros = view.getInt32(at + 344, isLittle);
  if (type !== "empty" && seconds < EARLIEST_SECONDS) return undefined;
  if (micros < 0 || micros > 999_999) return undefined;
  const address = addressAt(bytes, at + 348);
  return {
    type,
    processId,
    line: textAt(bytes, at + 8, 32),
    user: textAt(bytes, at + 44, 32),
    host: textAt(bytes, at + 76, 256),
    ...(address === undefined ? {} : { address }),
    timeMs: seconds * 1000 + Math.floor(micros / 1000),
  };
}

/** Up to the first NUL, or all of the field: it need not be ended. */
function textAt(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return utf8.decode(end < 0 ? field : field.subarray(0, end));
}

/** IPv4 where only the first of the four words is used. */
function addressAt(bytes: Uint8Array, at: number): string | undefined {
  const field = bytes.subarray(at, at + 16);
  if (field.every((byte) => byte === 0)) return undefined;
  const isV4 = field.subarray(4).every((byte) => byte === 0);
  return isV4 ? ipv4FromBytes(field) : ipv6FromBytes(field);
}
