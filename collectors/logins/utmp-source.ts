import { isJsonObject } from "../../src/contract/json.ts";
import { fail, ok, type Result } from "../../src/contract/result.ts";
import type { LoginSighting } from "../../src/parse/login/sighting.ts";
import { readUtmp, UTMP_RECORD_BYTES, type UtmpRecord } from "../../src/parse/utmp.ts";
import type { Desk, LoginsContext } from "./desk.ts";
import { createFileFollower, endOf, positionFrom, positionJson } from "./file-follower.ts";
import type { Positions } from "./positions.ts";
import { whenChanged } from "./text-source.ts";

/** Logins, and attempts that were refused. Source: utmp(5), lastb(1). */
const FILES = [
  { path: "/var/log/wtmp", result: "Success" },
  { path: "/var/log/btmp", result: "Fail" },
] as const;

/**
 * Follows wtmp and btmp, from where the last run stopped, or from their ends: for systems without a log. They
 * know ssh and the console, and neither su nor sudo. Errors: `not-found` without either, `not-permitted`.
 */
export function followUtmp(
  context: LoginsContext,
  desk: Desk,
  positions: Positions,
): Result<() => void> {
  const { probe, agent } = context;
  const saved = isJsonObject(positions.start) ? positions.start["utmp"] : undefined;
  const reached = new Map<string, ReturnType<typeof positionJson>>();
  const followers = FILES.flatMap(({ path, result }) => {
    const part = probe.readFrom(path, 0, 0);
    if (!part.ok) return [];
    const from = positionFrom(isJsonObject(saved) ? saved[path] : undefined) ?? endOf(part.value);
    reached.set(path, positionJson(from));
    const follower = createFileFollower({
      context,
      path,
      from,
      take(bytes, position) {
        let at = 0;
        for (; at + UTMP_RECORD_BYTES <= bytes.length; at += UTMP_RECORD_BYTES) {
          const one = bytes.subarray(at, at + UTMP_RECORD_BYTES);
          const { records, malformed } = readUtmp(one, probe.endianness);
          if (malformed > 0) agent.countLoss("Login", "unreadable", malformed);
          const key = `${position.deviceId} ${position.inode} ${position.offset + at}`;
          for (const record of records) takeRecord(desk, record, result, key);
        }
        return at;
      },
      reached(position) {
        reached.set(path, positionJson(position));
        desk.reached({ utmp: Object.fromEntries(reached) });
      },
    });
    return [{ path, follower }];
  });
  if (followers.length === 0) {
    const first = probe.readFrom(FILES[0].path, 0, 0);
    return first.ok || first.problem.code === "not-found"
      ? fail("not-found", "/var/log/wtmp, /var/log/btmp", "no records of logins")
      : first;
  }
  return ok(
    whenChanged(
      context,
      followers.map(({ path }) => path),
      () => {
        for (const { follower } of followers) follower.read();
      },
    ),
  );
}

function takeRecord(desk: Desk, record: UtmpRecord, result: "Success" | "Fail", key: string): void {
  const isAttempt = record.type === "user" || (result === "Fail" && record.type === "login");
  if (!isAttempt || record.user === "") return;
  const remote = record.address ?? (record.host === "" ? undefined : record.host);
  const terminal = record.line === "ssh:notty" ? undefined : record.line;
  const sighting: LoginSighting = {
    // The record does not say which program: from afar it is ssh, as good as always.
    operation: remote === undefined ? "login" : "sshd",
    result,
    userName: record.user,
    ...(remote === undefined ? {} : { remoteAddress: remote }),
    ...(terminal === undefined || terminal === "" ? {} : { terminal }),
  };
  desk.entry({
    message: { kind: "sighting", sighting },
    processId: record.processId,
    executable: undefined,
    occurredAtMs: record.timeMs,
    key,
  });
}
