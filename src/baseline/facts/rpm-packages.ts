import { fail, ok, type Result } from "../../contract/result.ts";
import { type ByteSource, endsBefore } from "../../parse/byte-source.ts";
import { type RpmPackage, readRpmHeader } from "../../parse/rpm-header.ts";
import { readNdbHeader, readNdbSlots } from "../../parse/rpm-ndb.ts";
import { openSqlite, type SqliteDatabase } from "../../parse/sqlite/database.ts";
import { eachRow, findRow, tableRoot } from "../../parse/sqlite/table.ts";
import type { Device } from "../device.ts";
import { type Fact, MISSING, unreadableFact, valueFact } from "../fact.ts";
import type { PackageList } from "./package-list.ts";

/** Where rpm keeps its database; of the two the older is often a link to the newer. Source: %_dbpath. */
const FOLDERS = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];
/** Longest name that is believed, UTF-16 units. */
const MAX_NAME = 255;
/** A row of the table `Name`: the name, the number of the header, a zero. */
const NAME_ROW_BYTES = 512;
/** What is read of a header: the index and the first texts; all of a long one only where that is not enough. */
const HEADER_BYTES = [8192, 1_048_576];
/** Times that a database is read that changes meanwhile. */
const ATTEMPTS = 3;
/** First bytes of a rollback journal that is in use. Source: fileformat2.html, "Rollback journal". */
const JOURNAL_MAGIC = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

interface Form {
  readonly file: string;
  readonly read: (device: Device, path: string) => Fact<PackageList>;
}

/** In the order in which rpm prefers them. Source: rpm, lib/backend. */
const FORMS: readonly Form[] = [
  { file: "rpmdb.sqlite", read: fromSqlite },
  { file: "Packages.db", read: fromNdb },
  { file: "Packages", read: fromBerkeley },
];

/**
 * Packages by the database of rpm, read from its file without rpm: SQLite (rpm 4.16 and newer) and ndb
 * (SUSE). A Berkeley DB is unreadable. Of a package that is there more than once, such as the kernel, the
 * version is that of the latest. Cost: with SQLite the pages of the names, and a few more for each version
 * that is asked for; with ndb a part of each header.
 */
export function rpmPackages(device: Device): Fact<PackageList> {
  for (const { file, read } of FORMS) {
    for (const folder of FOLDERS) {
      const path = `${folder}/${file}`;
      const facts = device.facts(path);
      if (facts.state === "unreadable") return facts;
      if (facts.state === "value") return read(device, path);
    }
  }
  return MISSING;
}

function fromBerkeley(_device: Device, path: string): Fact<PackageList> {
  return unreadableFact(
    `${path}: a Berkeley DB, the form of rpm before 4.16 (RHEL 7 and 8), is not read here: judge by hand with rpm -q; where rpm is newer, rpmdb --rebuilddb writes the form that is`,
  );
}

/** A file as a source, each part read when it is asked for. Undefined: there is none. */
function sourceOf(device: Device, path: string): Result<ByteSource | undefined> {
  const facts = device.factsNow(path);
  if (facts.state === "missing") return ok(undefined);
  if (facts.state === "unreadable") return fail("unsupported", path, facts.reason);
  return ok({
    subject: path,
    sizeBytes: facts.value.sizeBytes,
    read(offset, lengthBytes) {
      const part = device.part(path, offset, lengthBytes);
      if (part.state === "missing") return fail("not-found", path, "went away");
      if (part.state === "unreadable") return fail("unsupported", path, part.reason);
      const { bytes } = part.value;
      return bytes.length === lengthBytes ? ok(bytes) : endsBefore(path, offset);
    },
  });
}

/** What changes when someone writes to one of the files. */
function stampOf(device: Device, paths: readonly string[]): string {
  const stamps = paths.map((path) => {
    const facts = device.factsNow(path);
    if (facts.state !== "value") return facts.state;
    const { inode, deviceId, sizeBytes, modifiedMs } = facts.value;
    return [inode, deviceId, sizeBytes, modifiedMs].join(" ");
  });
  return stamps.join("\n");
}

/** Reads until the files stayed as they were: others write to them, and no lock is taken. */
function whileUnchanged<T>(
  device: Device,
  paths: readonly string[],
  read: () => Result<T>,
): Result<{ readonly value: T; readonly stamp: string }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const stamp = stampOf(device, paths);
    const result = read();
    if (stampOf(device, paths) !== stamp) continue;
    return result.ok ? ok({ value: result.value, stamp }) : result;
  }
  return fail("conflict", paths[0] ?? "", "changes while it is read");
}

/** Reads a header by its first part, and by more of it where that is not enough. */
function headerBy(
  subject: string,
  read: (maxBytes: number) => Result<Uint8Array>,
): Result<RpmPackage> {
  let result: Result<RpmPackage> = fail("malformed", subject, "no header");
  for (const maxBytes of HEADER_BYTES) {
    const bytes = read(maxBytes);
    if (!bytes.ok) return bytes;
    result = readRpmHeader(bytes.value, subject);
    if (result.ok || result.problem.code !== "too-large") return result;
  }
  return result;
}

function asFact(path: string, list: Result<PackageList>): Fact<PackageList> {
  if (!list.ok) {
    const { subject, detail, code } = list.problem;
    return unreadableFact(`${subject}: ${detail} (${code})`);
  }
  // Rpm is on no device that it did not make: an empty database says that another one is in use.
  for (const _name of list.value.versions.keys()) return valueFact(list.value);
  return unreadableFact(`${path}: holds no package`);
}

function fromSqlite(device: Device, path: string): Fact<PackageList> {
  const paths = [path, `${path}-wal`, `${path}-journal`];
  const names = whileUnchanged(device, paths, () => namesIn(device, path));
  if (!names.ok) return asFact(path, names);
  const { value: numbers, stamp } = names.value;
  const known = new Map<string, string>();
  /** Versions that cannot be read are not known: the names are right nonetheless. */
  const versionOf = (name: string, number: number): string => {
    const read = whileUnchanged(device, paths, () => packageIn(device, path, number));
    const isSame = read.ok && read.value.stamp === stamp && read.value.value.name === name;
    return isSame ? read.value.value.version : "";
  };
  return asFact(
    path,
    ok({
      source: path,
      versions: {
        has: (name) => numbers.has(name),
        keys: () => numbers.keys(),
        get(name) {
          const number = numbers.get(name);
          if (number === undefined) return undefined;
          const version = known.get(name) ?? versionOf(name, number);
          known.set(name, version);
          return version;
        },
      },
    }),
  );
}

function openDatabase(device: Device, path: string): Result<SqliteDatabase> {
  const journal = device.part(`${path}-journal`, 0, JOURNAL_MAGIC.length);
  const start = journal.state === "value" ? [...journal.value.bytes] : [];
  if (start.length > 0 && JOURNAL_MAGIC.every((byte, index) => byte === start[index]))
    return fail("conflict", path, "a transaction is under way or was cut short: rpm -qa mends it");
  const file = sourceOf(device, path);
  if (!file.ok) return file;
  if (file.value === undefined) return fail("not-found", path, "went away");
  const log = sourceOf(device, `${path}-wal`);
  return log.ok ? openSqlite(file.value, log.value) : log;
}

/** Names with the number of the latest header. Source: rpm, lib/backend/sqlite.c (tables). */
function namesIn(device: Device, path: string): Result<ReadonlyMap<string, number>> {
  const database = openDatabase(device, path);
  if (!database.ok) return database;
  const root = tableRoot(database.value, "Name");
  if (!root.ok) return root;
  const names = new Map<string, number>();
  let isGood = true;
  const walked = eachRow(database.value, root.value, NAME_ROW_BYTES, ({ values, isCut }) => {
    const [name, number] = values;
    const isRow = typeof name === "string" && name.length <= MAX_NAME && !isCut;
    if (isRow && typeof number === "number")
      names.set(name, Math.max(number, names.get(name) ?? 0));
    else isGood = false;
  });
  if (!walked.ok) return walked;
  return isGood ? ok(names) : fail("malformed", path, "a row of the table Name is no name");
}

function packageIn(device: Device, path: string, number: number): Result<RpmPackage> {
  const database = openDatabase(device, path);
  if (!database.ok) return database;
  const root = tableRoot(database.value, "Packages");
  if (!root.ok) return root;
  return headerBy(path, (maxBytes) => {
    const row = findRow(database.value, root.value, number, maxBytes);
    if (!row.ok) return row;
    const [, blob] = row.value.values;
    return blob instanceof Uint8Array ? ok(blob) : fail("malformed", path, "a row is no header");
  });
}

function fromNdb(device: Device, path: string): Fact<PackageList> {
  const read = whileUnchanged(device, [path], () => versionsIn(device, path));
  return asFact(path, read.ok ? ok({ source: path, versions: read.value.value }) : read);
}

function versionsIn(device: Device, path: string): Result<ReadonlyMap<string, string>> {
  const file = sourceOf(device, path);
  if (!file.ok) return file;
  const source = file.value;
  if (source === undefined) return fail("not-found", path, "went away");
  const slots = readNdbSlots(source);
  if (!slots.ok) return slots;
  const versions = new Map<string, string>();
  // By the order of installation, so that the latest version of a name stays.
  for (const slot of [...slots.value].sort((a, b) => a.packageId - b.packageId)) {
    const header = headerBy(path, (maxBytes) => readNdbHeader(source, slot, maxBytes));
    if (!header.ok) return header;
    if (header.value.name.length > MAX_NAME) return fail("malformed", path, "too long a name");
    versions.set(header.value.name, header.value.version);
  }
  return ok(versions);
}
