import type { AuditRecord } from "../audit-record.ts";
import type { LoginSighting } from "./sighting.ts";

/** Types of records that user space sends. Source: linux/audit.h, libaudit.h. */
const USER_AUTH = 1100;
const USER_START = 1105;
const USER_LOGIN = 1112;
const USER_CMD = 1123;

const LOGIN_PROGRAMS = new Set(["sshd", "sshd-session", "login", "dropbear"]);
const CHANGE_PROGRAMS = new Set(["su", "sudo"]);

/**
 * What an audit record of user space means for logins; undefined for those that only accompany one. A refused
 * attempt is `USER_AUTH`; being let in is `USER_LOGIN`, or for su and sudo the session that they open.
 */
export function readAuditLogin(
  type: number,
  record: AuditRecord,
): { readonly sighting: LoginSighting; readonly processId: number } | undefined {
  const field = (name: string): string | undefined => known(record.fields.get(name));
  const program = (field("exe") ?? "").split("/").at(-1) ?? "";
  const processId = Number(field("pid"));
  const outcome = field("res");
  if (!Number.isSafeInteger(processId) || (outcome !== "success" && outcome !== "failed")) {
    return undefined;
  }
  const isLogin = LOGIN_PROGRAMS.has(program);
  const isChange = CHANGE_PROGRAMS.has(program);
  const isIn =
    outcome === "success" &&
    ((isLogin && type === USER_LOGIN) || (program === "su" && type === USER_START));
  const isRun = program === "sudo" && type === USER_CMD && outcome === "success";
  const isRefused = outcome === "failed" && type === USER_AUTH && (isLogin || isChange);
  if (!isIn && !isRun && !isRefused) return undefined;
  const userName = field("acct");
  const remoteAddress = field("addr");
  const terminal = field("terminal")?.replace(/^\/dev\//, "");
  return {
    processId,
    sighting: {
      operation: program === "sshd-session" ? "sshd" : program,
      result: outcome === "success" ? "Success" : "Fail",
      ...(userName === undefined ? {} : { userName }),
      ...(remoteAddress === undefined ? {} : { remoteAddress }),
      ...(terminal === undefined || terminal === "ssh" ? {} : { terminal }),
    },
  };
}

/** `?` stands for what the program did not know. */
function known(value: string | undefined): string | undefined {
  return value === undefined || value === "?" || value === "" ? undefined : value;
}
