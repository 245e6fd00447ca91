import { fail, ok, type Result } from "../contract/result.ts";

/** What a header says of its package. */
export interface RpmPackage {
  readonly name: string;
  /** `8.7p1-38.el9`, and `32:9.16.23-24.el9` where there is an epoch. */
  readonly version: string;
}

/** Sources: rpm documentation, "RPM v4 header format"; lib/header.c (limits), rpmtag.h. */
const INTRO_BYTES = 8;
const ENTRY_BYTES = 16;
const MOST_ENTRIES = 65_535;
const MOST_DATA_BYTES = 268_435_455;
const TYPE_INT32 = 4;
const TYPE_STRING = 6;
const TAG = { name: 1000, version: 1001, release: 1002, epoch: 1003 };
/** Longest text of these tags that is believed, bytes. */
const MAX_TEXT_BYTES = 1024;

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Reads a header as databases of rpm keep it, without the magic number of files; its first part is
 * enough when it holds the index and these texts. Errors: `too-large` where more of it is needed,
 * `malformed`, both with `subject`.
 */
export function readRpmHeader(bytes: Uint8Array, subject: string): Result<RpmPackage> {
  if (bytes.length < INTRO_BYTES) return fail("too-large", subject, "the header of rpm is cut");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(0);
  const dataBytes = view.getUint32(4);
  if (count === 0 || count > MOST_ENTRIES || dataBytes > MOST_DATA_BYTES)
    return fail("malformed", subject, "is no header of rpm");
  const dataAt = INTRO_BYTES + count * ENTRY_BYTES;
  if (bytes.length < dataAt) return fail("too-large", subject, "the header of rpm is cut");
  const header = { bytes, view, subject, count, dataAt, dataBytes };
  const name = textOf(header, TAG.name);
  if (!name.ok) return name;
  const version = textOf(header, TAG.version);
  if (!version.ok) return version;
  const release = textOf(header, TAG.release);
  if (!release.ok) return release;
  const epoch = epochOf(header);
  if (!epoch.ok) return epoch;
  return ok({ name: name.value, version: `${epoch.value}${version.value}-${release.value}` });
}

interface Header {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly subject: string;
  readonly count: number;
  readonly dataAt: number;
  readonly dataBytes: number;
}

/** Where the data of a tag is; undefined: the header has it not, or with another type. */
function dataOf(header: Header, tag: number, type: number): number | undefined {
  const { view, count, dataAt, dataBytes } = header;
  for (let index = 0; index < count; index += 1) {
    const at = INTRO_BYTES + index * ENTRY_BYTES;
    if (view.getUint32(at) !== tag || view.getUint32(at + 4) !== type) continue;
    const offset = view.getUint32(at + 8);
    return offset < dataBytes ? dataAt + offset : undefined;
  }
  return undefined;
}

function textOf(header: Header, tag: number): Result<string> {
  const { bytes, subject } = header;
  const at = dataOf(header, tag, TYPE_STRING);
  if (at === undefined) return fail("malformed", subject, `a header without tag ${tag}`);
  const end = bytes.indexOf(0, at);
  const isEnded = end >= 0;
  if (isEnded && end - at <= MAX_TEXT_BYTES) return ok(utf8.decode(bytes.subarray(at, end)));
  if (!isEnded && bytes.length - at <= MAX_TEXT_BYTES)
    return fail("too-large", subject, "the header of rpm is cut");
  return fail("malformed", subject, `a header with too long a tag ${tag}`);
}

function epochOf(header: Header): Result<string> {
  const at = dataOf(header, TAG.epoch, TYPE_INT32);
  if (at === undefined) return ok("");
  if (at + 4 > header.bytes.length)
    return fail("too-large", header.subject, "the header of rpm is cut");
  return ok(`${header.view.getUint32(at)}:`);
}
