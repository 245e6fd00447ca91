import { getSystemErrorMap } from "node:util";
import { describeError } from "../contract/errors.ts";
import { fail, type ProblemCode, type Result } from "../contract/result.ts";

const CODES: Readonly<Record<string, ProblemCode>> = {
  ENOENT: "not-found",
  // A process, a thread or a device that went away between listing and reading.
  ESRCH: "not-found",
  ENODEV: "not-found",
  ENXIO: "not-found",
  ENOTDIR: "not-found",
  EACCES: "not-permitted",
  EPERM: "not-permitted",
  EROFS: "not-permitted",
  EAGAIN: "timed-out",
  ETIMEDOUT: "timed-out",
  ENOSPC: "too-large",
  EDQUOT: "too-large",
  EFBIG: "too-large",
  EMFILE: "too-large",
  ENFILE: "too-large",
  ENOMEM: "too-large",
  ENOBUFS: "too-large",
  ENAMETOOLONG: "malformed",
  ELOOP: "malformed",
  // Node: a path with a NUL byte.
  ERR_INVALID_ARG_VALUE: "malformed",
};

/** The errno name of what a system call threw, such as `ENOENT`; empty for anything else. */
export function errorName(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

/**
 * A thrown system error as a problem. Every errno that has no code of its own is `unsupported`; the
 * detail says which it was, without the path, which `subject` names. Source: errno(3).
 */
export function problemOf(error: unknown, subject: string): Result<never> {
  const code = CODES[errorName(error)] ?? "unsupported";
  if (error instanceof Error && "errno" in error && typeof error.errno === "number") {
    return fail(code, subject, describeErrno(Math.abs(error.errno)));
  }
  return fail(code, subject, describeError(error));
}

/** A positive errno number, left by `call`, as a problem. Source: errno(3). */
export function problemOfErrno(errno: number, subject: string, call: string): Result<never> {
  const [name = ""] = getSystemErrorMap().get(-errno) ?? [];
  return fail(CODES[name] ?? "unsupported", subject, `${call}: ${describeErrno(errno)}`);
}

/** `ENOENT: no such file or directory`; `errno 133` for a number Node has no name for. */
function describeErrno(errno: number): string {
  const [name, words] = getSystemErrorMap().get(-errno) ?? [];
  return name === undefined ? `errno ${errno}` : `${name}: ${words}`;
}
