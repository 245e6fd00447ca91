import { readLoginMessage, readSudoMessage, readSuMessage } from "./local-messages.ts";
import { readPamMessage } from "./pam-messages.ts";
import type { AbandonedConnection, LoginSighting } from "./sighting.ts";
import { readDropbearMessage, readSshAbandoned, readSshMessage } from "./ssh-messages.ts";

/** What a line of a log means. */
export type LoginMessage =
  | { readonly kind: "sighting"; readonly sighting: LoginSighting }
  | { readonly kind: "abandoned"; readonly connection: AbandonedConnection };

/** Longest message that is looked at; sshd cuts its own at 1 KiB. */
const MOST_TEXT = 4_096;

const READERS: Readonly<Record<string, (text: string) => LoginSighting | undefined>> = {
  sshd: readSshMessage,
  su: readSuMessage,
  sudo: readSudoMessage,
  login: readLoginMessage,
  dropbear: readDropbearMessage,
};

/** sshd of OpenSSH 9.8 and later is three programs. */
const SSH_PROGRAMS = new Set(["sshd-session", "sshd-auth"]);

/**
 * What one message of a program means for logins; undefined for all that is none. Never throws, and takes
 * no longer than the text is long.
 */
export function readLoginText(program: string, text: string): LoginMessage | undefined {
  const name = SSH_PROGRAMS.has(program) ? "sshd" : program;
  const cut = text.slice(0, MOST_TEXT);
  const repeated = /^message repeated (\d{1,6}) times: \[ (.*)\]$/s.exec(cut);
  const own = repeated?.[2] ?? cut;
  const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
  const sighting = reader?.(own) ?? readPamMessage(own);
  if (sighting !== undefined) {
    const attempts = repeated === null ? undefined : Number(repeated[1]);
    return {
      kind: "sighting",
      sighting: attempts === undefined ? sighting : { ...sighting, attempts },
    };
  }
  const connection = name === "sshd" ? readSshAbandoned(own) : undefined;
  return connection === undefined ? undefined : { kind: "abandoned", connection };
}
