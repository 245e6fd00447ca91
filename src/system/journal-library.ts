import { endianness } from "node:os";
import { describeError } from "../contract/errors.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { type CFunction, type Koffi, type KoffiLibrary, loadKoffi } from "./c-library.ts";
import { problemOfErrno } from "./system-problem.ts";

/** An opened journal, standing somewhere between its entries. Source: sd-journal(3). */
export interface JournalHandle {
  /** Entries must have `FIELD=value`; of several values of one field, one is enough. Source: sd_journal_add_match(3). */
  addMatch(field: string, value: string): Result<void>;
  /** Values that are stored compressed are unpacked only so far. Source: sd_journal_set_data_threshold(3). */
  limitData(maxBytes: number): Result<void>;
  /** Source: sd_journal_seek_head(3). `step` must follow each of them. */
  seekHead(): Result<void>;
  seekTail(): Result<void>;
  seekCursor(cursor: string): Result<void>;
  seekRealtime(realtimeMs: number): Result<void>;
  /** To the next or previous entry that matches; false when there is none (yet). */
  step(direction: "next" | "previous"): Result<boolean>;
  /** Whether the current entry is that of the cursor. */
  isAt(cursor: string): Result<boolean>;
  /** At most `maxBytes` of the first value of the field; undefined where the entry has no such field. */
  value(field: string, maxBytes: number): Result<Uint8Array | undefined>;
  cursor(): Result<string>;
  realtimeMs(): Result<number>;
  /** Readable when files of the journal change; from then on files that appear are noticed. */
  descriptor(): Result<number>;
  /** Takes note of changed files; empties the descriptor. */
  process(): Result<void>;
  /** Once only: the handle is gone then. */
  close(): void;
}

/** The journal of this machine through libsystemd. */
export interface JournalLibrary {
  /** Every journal of this machine that may be read, or the files of one folder. */
  open(folder?: string): Result<JournalHandle>;
}

/**
 * Files of this machine, the system's and those of users: journald keeps what processes with the user id
 * of a person say in files apart, and sudo and su say it with the user id of the caller.
 * Source: sd_journal_open(3), SD_JOURNAL_LOCAL_ONLY; journald.conf(5), SplitMode=.
 */
const LOCAL_ONLY = 1;
/** The longest name of a field. Source: systemd.journal-fields(7). */
const MAX_FIELD_BYTES = 64;
const ENOENT = 2;
const EBADMSG = 74;
const SUBJECT = "journal";

/**
 * Loads libsystemd. Error: `unsupported` where it or koffi is absent.
 * Cost: about 1 MB of memory besides koffi, so call it when it is needed, and keep the result.
 */
export function loadJournalLibrary(): Result<JournalLibrary> {
  const koffi = loadKoffi();
  if (!koffi.ok) return koffi;
  try {
    const calls = bindCalls(koffi.value);
    return ok({ open: (folder) => openJournal(calls, folder) });
  } catch (error) {
    return fail("unsupported", "libsystemd", describeError(error));
  }
}

interface Calls {
  readonly journal: ReturnType<typeof bindJournal>;
  readonly memory: ReturnType<typeof bindMemory>;
  readonly pointerBytes: number;
}

function bindCalls(koffi: Koffi): Calls {
  return {
    journal: bindJournal(koffi.load("libsystemd.so.0")),
    memory: bindMemory(koffi.load(null)),
    pointerBytes: koffi.sizeof("void *"),
  };
}

const HANDLE = "uintptr_t";
const BYTES = "uint8_t *";

function bindJournal(library: KoffiLibrary) {
  const call = (name: string, ...parameters: readonly string[]): CFunction =>
    library.func(`sd_journal_${name}`, "int", parameters);
  return {
    open: call("open", BYTES, "int"),
    openDirectory: call("open_directory", BYTES, "str", "int"),
    addMatch: call("add_match", HANDLE, BYTES, "size_t"),
    setThreshold: call("set_data_threshold", HANDLE, "size_t"),
    seekHead: call("seek_head", HANDLE),
    seekTail: call("seek_tail", HANDLE),
    seekCursor: call("seek_cursor", HANDLE, "str"),
    seekRealtime: call("seek_realtime_usec", HANDLE, "uint64_t"),
    next: call("next", HANDLE),
    previous: call("previous", HANDLE),
    testCursor: call("test_cursor", HANDLE, "str"),
    getData: call("get_data", HANDLE, "str", BYTES, BYTES),
    getCursor: call("get_cursor", HANDLE, BYTES),
    getRealtime: call("get_realtime_usec", HANDLE, BYTES),
    getDescriptor: call("get_fd", HANDLE),
    process: call("process", HANDLE),
    close: library.func("sd_journal_close", "void", [HANDLE]),
  };
}

function bindMemory(library: KoffiLibrary) {
  return {
    copy: library.func("memcpy", "void", [BYTES, HANDLE, "size_t"]),
    length: library.func("strlen", "size_t", [HANDLE]),
    free: library.func("free", "void", [HANDLE]),
  };
}

/** A place that C writes a pointer, a length or a time to. */
interface Slot {
  readonly bytes: Uint8Array;
  /** Pointer or size_t: as wide as pointers of this machine. */
  word(): bigint;
  /** uint64_t. */
  long(): bigint;
}

function newSlot(pointerBytes: number): Slot {
  const view = new DataView(new ArrayBuffer(8));
  const isLittle = endianness() === "LE";
  const long = (): bigint => view.getBigUint64(0, isLittle);
  return {
    bytes: new Uint8Array(view.buffer),
    long,
    word: () => (pointerBytes === 8 ? long() : BigInt(view.getUint32(0, isLittle))),
  };
}

function openJournal(calls: Calls, folder?: string): Result<JournalHandle> {
  const slot = newSlot(calls.pointerBytes);
  const { open, openDirectory } = calls.journal;
  const status =
    folder === undefined ? open(slot.bytes, LOCAL_ONLY) : openDirectory(slot.bytes, folder, 0);
  if (status < 0) return journalProblem(status, "open");
  return ok(wrapHandle(calls, slot.word()));
}

function wrapHandle(calls: Calls, handle: bigint): JournalHandle {
  const { journal } = calls;
  const done = (status: number, call: string): Result<void> =>
    status < 0 ? journalProblem(status, call) : ok(undefined);
  const said = (status: number, call: string): Result<boolean> =>
    status < 0 ? journalProblem(status, call) : ok(status > 0);
  return {
    addMatch(field, value) {
      const match = new TextEncoder().encode(`${field}=${value}`);
      return done(journal.addMatch(handle, match, match.length), "add_match");
    },
    limitData: (maxBytes) =>
      done(journal.setThreshold(handle, maxBytes + MAX_FIELD_BYTES + 1), "set_data_threshold"),
    seekHead: () => done(journal.seekHead(handle), "seek_head"),
    seekTail: () => done(journal.seekTail(handle), "seek_tail"),
    seekCursor: (cursor) => done(journal.seekCursor(handle, cursor), "seek_cursor"),
    seekRealtime: (realtimeMs) =>
      done(journal.seekRealtime(handle, Math.max(0, Math.floor(realtimeMs)) * 1_000), "seek"),
    step: (direction) => said(journal[direction](handle), direction),
    isAt: (cursor) => said(journal.testCursor(handle, cursor), "test_cursor"),
    descriptor() {
      const descriptor = journal.getDescriptor(handle);
      return descriptor < 0 ? journalProblem(descriptor, "get_fd") : ok(descriptor);
    },
    process: () => done(journal.process(handle), "process"),
    close: () => journal.close(handle),
    ...entryReader(calls, handle),
  };
}

function entryReader(
  { journal, memory, pointerBytes }: Calls,
  handle: bigint,
): Pick<JournalHandle, "value" | "cursor" | "realtimeMs"> {
  const slot = newSlot(pointerBytes);
  const size = newSlot(pointerBytes);
  const ascii = new TextDecoder("latin1");
  return {
    value(field, maxBytes) {
      const status = journal.getData(handle, field, slot.bytes, size.bytes);
      if (status === -ENOENT) return ok(undefined);
      if (status < 0) return journalProblem(status, `get_data of ${field}`);
      // The data begins with `FIELD=`, which is ASCII, and belongs to the library until the next call.
      const prefixBytes = field.length + 1;
      const wholeBytes = Math.max(0, Number(size.word()) - prefixBytes);
      const value = new Uint8Array(Math.min(wholeBytes, maxBytes));
      memory.copy(value, slot.word() + BigInt(prefixBytes), value.length);
      return ok(value);
    },
    cursor() {
      const status = journal.getCursor(handle, slot.bytes);
      if (status < 0) return journalProblem(status, "get_cursor");
      const text = slot.word();
      const bytes = new Uint8Array(memory.length(text));
      memory.copy(bytes, text, bytes.length);
      memory.free(text);
      return ok(ascii.decode(bytes));
    },
    realtimeMs() {
      const status = journal.getRealtime(handle, slot.bytes);
      if (status < 0) return journalProblem(status, "get_realtime_usec");
      return ok(Number(slot.long() / 1_000n));
    },
  };
}

/** libsystemd returns errors as negative numbers. Source: sd-journal(3), RETURN VALUE. */
function journalProblem(status: number, call: string): Result<never> {
  if (status === -EBADMSG) return fail("malformed", SUBJECT, `sd_journal_${call}: damaged data`);
  return problemOfErrno(-status, SUBJECT, `sd_journal_${call}`);
}
