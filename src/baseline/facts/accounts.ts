import {
  type Account,
  type Group,
  type ParsedLines,
  parseGroups,
  parseLoginDefs,
  parsePasswd,
  personalUserIds,
} from "../../parse/accounts.ts";
import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, mapFact, orElse, unreadableFact, valueFact } from "../fact.ts";

/** A line of /etc/shadow with its dates, without the hash. Source: shadow(5). */
export interface PasswordAges {
  readonly name: string;
  /** `set`: a hash that a password can fit; `empty`: no password is asked for; `locked`: nothing fits. */
  readonly password: "set" | "empty" | "locked";
  /** Days since the epoch; undefined where the field is empty. */
  readonly lastChangeDay?: number;
  readonly minDays?: number;
  readonly maxDays?: number;
  readonly warnDays?: number;
  readonly inactiveDays?: number;
}

function sound<T>(path: string, fact: Fact<ParsedLines<T>>): Fact<readonly T[]> {
  if (fact.state !== "value") return fact;
  const [fault] = fact.value.faults;
  if (fault !== undefined) return unreadableFact(`${path}, line ${fault.line}: ${fault.reason}`);
  return valueFact(fact.value.entries);
}

/** Accounts of /etc/passwd; a line that the C library would not use makes the file unreadable. */
export const accounts = oncePerDevice(
  (device): Fact<readonly Account[]> =>
    sound("/etc/passwd", mapFact(device.text("/etc/passwd"), parsePasswd)),
);

/** Groups of /etc/group. */
export const groups = oncePerDevice(
  (device): Fact<readonly Group[]> =>
    sound("/etc/group", mapFact(device.text("/etc/group"), parseGroups)),
);

/** Values of /etc/login.defs; empty where the file is missing. */
export const loginDefs = oncePerDevice(
  (device): Fact<ReadonlyMap<string, string>> =>
    orElse(mapFact(device.text("/etc/login.defs"), parseLoginDefs), new Map()),
);

/** Lines of /etc/shadow. */
export const passwordAges = oncePerDevice(
  (device): Fact<readonly PasswordAges[]> =>
    sound("/etc/shadow", mapFact(device.text("/etc/shadow"), parseAges)),
);

/** The first user id that login.defs gives to people. */
export function firstPersonalId(device: Device): number {
  const defs = loginDefs(device);
  return personalUserIds(defs.state === "value" ? defs.value : new Map()).min;
}

/** Numeric id of a group; root is 0 everywhere, other names come from /etc/group. */
export function idOfGroup(device: Device, name: string): number | undefined {
  if (name === "root") return 0;
  const known = groups(device);
  return known.state === "value"
    ? known.value.find((group) => group.name === name)?.groupId
    : undefined;
}

/** A number of days; undefined where the field is empty, NaN where it is something else. */
function days(field: string | undefined): number | undefined {
  const plain = field?.trim() ?? "";
  if (plain === "") return undefined;
  return /^-?\d{1,9}$/.test(plain) ? Number(plain) : Number.NaN;
}

/** What a hash of crypt(3) cannot be locks the account. Source: crypt(5), shadow(5). */
function passwordOf(field: string): PasswordAges["password"] {
  if (field === "") return "empty";
  return /^\$[^!*:]+$|^_[./0-9A-Za-z]{19}$|^[./0-9A-Za-z]{13}$/.test(field) ? "set" : "locked";
}

function ageOf(fields: readonly string[]): PasswordAges | string {
  const [name = "", password = "", last, min, max, warn, inactive] = fields;
  const numbers = {
    lastChangeDay: days(last),
    minDays: days(min),
    maxDays: days(max),
    warnDays: days(warn),
    inactiveDays: days(inactive),
  };
  const known = Object.fromEntries(
    Object.entries(numbers).filter(([, value]) => value !== undefined),
  );
  if (Object.values(known).some(Number.isNaN)) return "a number of days is no number";
  return { name, password: passwordOf(password), ...known };
}

function parseAges(text: string): ParsedLines<PasswordAges> {
  const entries: PasswordAges[] = [];
  const faults: { line: number; reason: string }[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "" || /^[#+-]/.test(line)) continue;
    const fields = line.split(":");
    if (fields.length < 8 || fields[0] === "") {
      faults.push({ line: index + 1, reason: `${fields.length} of 9 fields` });
      continue;
    }
    const entry = ageOf(fields);
    if (typeof entry === "string") faults.push({ line: index + 1, reason: entry });
    else entries.push(entry);
  }
  return { entries, faults };
}
