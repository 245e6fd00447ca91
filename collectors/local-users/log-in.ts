import type { PasswordState, ShadowEntry } from "../../src/parse/accounts.ts";

/** Everything that decides whether an account can start a session. */
export interface LogInFacts {
  readonly shell: string;
  readonly password: PasswordState | "unknown";
  readonly hasExpired: boolean;
  /** Undefined when the key files could not be read or were not looked at. */
  readonly authorizedKeys: number | undefined;
}

export interface LogInVerdict {
  readonly canLogIn: "true" | "false" | "unknown";
  readonly reason: string;
}

/** Programs whose purpose is to refuse a session. Source: nologin(8), false(1), shells(5). */
const REFUSING_SHELLS = new Set(["nologin", "false", "true", "sync", "shutdown", "halt"]);

export function isRefusingShell(shell: string): boolean {
  return REFUSING_SHELLS.has(shell.slice(shell.lastIndexOf("/") + 1));
}

/**
 * Whether the account can log in, and the one reason that decides. A locked password alone does not
 * keep a user out: keys still open the door. Source: shadow(5), sshd(8), nologin(8).
 */
export function judgeLogIn(facts: LogInFacts): LogInVerdict {
  if (isRefusingShell(facts.shell)) return { canLogIn: "false", reason: "no login shell" };
  if (facts.hasExpired) return { canLogIn: "false", reason: "account expired" };
  if (facts.password === "empty") return { canLogIn: "true", reason: "empty password" };
  if (facts.password === "set") return { canLogIn: "true", reason: "password" };
  if ((facts.authorizedKeys ?? 0) > 0) return { canLogIn: "true", reason: "authorized keys" };
  if (facts.password === "unknown") {
    return { canLogIn: "unknown", reason: "password file not readable" };
  }
  return facts.authorizedKeys === undefined
    ? { canLogIn: "unknown", reason: "authorized keys not known" }
    : { canLogIn: "false", reason: "password locked" };
}

/**
 * The state that counts for an account: its own field of passwd, or the one of shadow it points to.
 * `shadow` is undefined when the file could not be read; an account it does not name has no password.
 */
export function effectivePassword(
  own: PasswordState,
  name: string,
  shadow: ReadonlyMap<string, ShadowEntry> | undefined,
): PasswordState | "unknown" {
  if (own !== "shadow") return own;
  if (shadow === undefined) return "unknown";
  return shadow.get(name)?.password ?? "locked";
}

/** The same as a word of the event. */
export function hasPasswordText(password: PasswordState | "unknown"): string {
  if (password === "set") return "true";
  return password === "empty" || password === "unknown" ? password : "false";
}
