import { createHash } from "node:crypto";
import { endianness } from "node:os";
import { ok, type Result } from "../contract/result.ts";
import type { CLibrary } from "./c-library.ts";
import { problemOfErrno } from "./system-problem.ts";

/** A family of iptables-legacy as the kernel keeps it. Source: linux/netfilter_ipv4/ip_tables.h, ip6_tables.h. */
export interface LegacyFamily {
  readonly family: "ip" | "ip6";
  /** Lists the tables that exist; absent when the module is not loaded. */
  readonly namesFile: string;
  /** AF_INET or AF_INET6, and SOL_IP or SOL_IPV6. */
  readonly domain: number;
  readonly level: number;
  /** Where struct ipt_entry has next_offset, comefrom and its counters. */
  readonly nextOffsetAt: number;
  readonly comeFromAt: number;
  readonly countersAt: number;
}

export const LEGACY_FAMILIES: readonly LegacyFamily[] = [
  {
    family: "ip",
    namesFile: "/proc/net/ip_tables_names",
    domain: 2,
    level: 0,
    nextOffsetAt: 90,
    comeFromAt: 92,
    countersAt: 96,
  },
  {
    family: "ip6",
    namesFile: "/proc/net/ip6_tables_names",
    domain: 10,
    level: 41,
    nextOffsetAt: 142,
    comeFromAt: 144,
    countersAt: 152,
  },
];

const SOCK_DGRAM_CLOEXEC = 0o2000002;
const GET_INFO = 64;
const GET_ENTRIES = 65;
const NAME_BYTES = 32;
const INFO_BYTES = 84;
const SIZE_AT = 80;
/** struct ipt_get_entries: name, size, then entries aligned to eight bytes. */
const ENTRIES_AT = 40;
const COUNTER_BYTES = 16;
/** A rule set of 100,000 rules is about 20 MB. */
const MOST_BYTES = 67_108_864;

/**
 * A fingerprint of the rules of one legacy table, blind to counters: it changes when a rule does. Reads
 * kernel memory, no process. Errors: `not-permitted` without CAP_NET_ADMIN. Only for tables that exist:
 * asking for another one would make the kernel load it. Source: IPT_SO_GET_ENTRIES, getsockopt(2); state
 * that matches keep is left out by the kernel (xt_data_to_user).
 */
export function legacyFingerprint(
  library: CLibrary,
  kind: LegacyFamily,
  table: string,
): Result<string> {
  const subject = `iptables-legacy ${kind.family} ${table}`;
  const descriptor = library.socket(kind.domain, SOCK_DGRAM_CLOEXEC, 0);
  if (descriptor < 0) return problemOfErrno(library.errno(), subject, "socket");
  try {
    const info = new Uint8Array(INFO_BYTES);
    info.set(nameBytes(table));
    if (library.getOption(descriptor, kind.level, GET_INFO, info, lengthBytes(INFO_BYTES)) < 0) {
      return problemOfErrno(library.errno(), subject, "IPT_SO_GET_INFO");
    }
    const size = new DataView(info.buffer).getUint32(SIZE_AT, isLittle());
    const entries = new Uint8Array(ENTRIES_AT + Math.min(size, MOST_BYTES));
    entries.set(nameBytes(table));
    new DataView(entries.buffer).setUint32(NAME_BYTES, size, isLittle());
    const length = lengthBytes(entries.length);
    if (library.getOption(descriptor, kind.level, GET_ENTRIES, entries, length) < 0) {
      return problemOfErrno(library.errno(), subject, "IPT_SO_GET_ENTRIES");
    }
    eraseCounters(entries, kind);
    return ok(createHash("sha256").update(entries).digest("base64"));
  } finally {
    library.close(descriptor);
  }
}

/** Entry by entry, by the distance that each states to the next. */
function eraseCounters(entries: Uint8Array, kind: LegacyFamily): void {
  const view = new DataView(entries.buffer);
  for (let at = ENTRIES_AT; at + kind.countersAt + COUNTER_BYTES <= entries.length; ) {
    entries.fill(0, at + kind.comeFromAt, at + kind.comeFromAt + 4);
    entries.fill(0, at + kind.countersAt, at + kind.countersAt + COUNTER_BYTES);
    const next = view.getUint16(at + kind.nextOffsetAt, isLittle());
    if (next === 0) return;
    at += next;
  }
}

function nameBytes(table: string): Uint8Array {
  return new TextEncoder().encode(table).subarray(0, NAME_BYTES - 1);
}

function lengthBytes(length: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(length).buffer);
}

function isLittle(): boolean {
  return endianness() === "LE";
}
