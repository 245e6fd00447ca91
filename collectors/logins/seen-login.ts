import { knownDetails, type PayloadItem } from "../../src/contract/event.ts";
import { canonicalAddress, unmappedAddress } from "../../src/parse/addresses.ts";
import type { LoginSighting } from "../../src/parse/login/sighting.ts";
import { plainText } from "../../src/parse/plain-text.ts";

export type LoginSource = "journal" | "text" | "utmp" | "audit";

/** A sighting with what its source adds. */
export interface SeenLogin {
  readonly sighting: LoginSighting;
  readonly processId: number;
  /** Path of the program, where the source knows it. */
  readonly executable: string | undefined;
  /** Wall clock ms. */
  readonly occurredAtMs: number;
}

/** Where the programs are on every distribution we know, for sources that do not say. */
const PROGRAMS: Readonly<Record<string, string>> = {
  sshd: "/usr/sbin/sshd",
  dropbear: "/usr/sbin/dropbear",
  su: "/usr/bin/su",
  sudo: "/usr/bin/sudo",
  login: "/usr/bin/login",
};

/** The payload item of a login that these sources saw. */
export function loginItem(login: SeenLogin, sources: readonly LoginSource[]): PayloadItem {
  const { sighting, processId, executable } = login;
  const { operation, attempts } = sighting;
  const remote = sighting.remoteAddress;
  const address = remote === undefined ? undefined : canonicalAddress(remote);
  return {
    ProcessId: processId,
    UserName: plainText(sighting.userName ?? ""),
    Operation: plainText(operation, 64),
    Executable: plainText(executable ?? PROGRAMS[operation] ?? "", 1_024),
    ...(address === undefined ? {} : { RemoteAddress: unmappedAddress(address) }),
    ...(sighting.remotePort === undefined ? {} : { RemotePort: String(sighting.remotePort) }),
    Result: sighting.result,
    ...knownDetails({
      Sources: sources.join(","),
      Terminal: text(sighting.terminal, 64),
      Method: text(sighting.method, 64),
      ByUser: text(sighting.byUser),
      Command: text(sighting.command, 4_096),
      Reason: text(sighting.reason),
      Attempts: attempts === undefined ? undefined : String(attempts),
      InvalidUser: sighting.isInvalidUser === true ? "true" : undefined,
      RemoteHost: address === undefined ? text(remote) : undefined,
    }),
  };
}

function text(value: string | undefined, maxLength = 256): string | undefined {
  return value === undefined ? undefined : plainText(value, maxLength);
}
