import type { AbandonedConnection, LoginSighting } from "./sighting.ts";

/**
 * What sshd says of an attempt. The name is whatever the other side typed, and may look like the rest of the
 * message: what follows it is therefore matched from the end. `none` only asks which methods there are.
 * Source: OpenSSH, auth.c, auth_log.
 */
export function readSshMessage(text: string): LoginSighting | undefined {
  const found =
    /^(Accepted|Failed) (\S{1,64}) for (invalid user )?(.*) from (\S{1,64}) port (\d{1,5})(?: ssh2)?(?:: .*)?$/s.exec(
      text,
    );
  if (found === null) return undefined;
  const [, verb, method = "", invalid, userName = "", remoteAddress = "", port = ""] = found;
  if (method === "none") return undefined;
  return {
    operation: "sshd",
    result: verb === "Accepted" ? "Success" : "Fail",
    userName,
    remoteAddress,
    remotePort: Number(port),
    method,
    ...(invalid === undefined ? {} : { isInvalidUser: true }),
  };
}

/**
 * What sshd says of a connection that ended before anybody was let in. Where no failed attempt was logged,
 * such as with keys that did not fit, this is all that tells of it. Source: OpenSSH, packet.c,
 * sshpkt_vfatal.
 */
export function readSshAbandoned(text: string): AbandonedConnection | undefined {
  const found =
    /^(?:Connection (?:closed|reset) by|Disconnected from|Disconnecting) (invalid|authenticating) user (.*) (\S{1,64}) port (\d{1,5})(?:: .*)? \[preauth\]$/s.exec(
      text,
    );
  if (found === null) return undefined;
  const [, kind, userName = "", remoteAddress = "", port = ""] = found;
  return {
    operation: "sshd",
    userName,
    isInvalidUser: kind === "invalid",
    remoteAddress,
    remotePort: Number(port),
  };
}

/** What dropbear says. Source: dropbear, svr-authpasswd.c, svr-authpubkey.c, svr-auth.c. */
export function readDropbearMessage(text: string): LoginSighting | undefined {
  const accepted =
    /^(?:PAM )?([Pp]assword|[Pp]ubkey) auth succeeded for '(.*)'(?: with .*?)? from (\S{2,64}):(\d{1,5})$/s.exec(
      text,
    );
  if (accepted !== null) {
    const [, kind = "", userName = "", remoteAddress = "", port = ""] = accepted;
    const method = kind.toLowerCase() === "pubkey" ? "publickey" : "password";
    return { ...dropbear("Success", remoteAddress, port), userName, method };
  }
  const failed = /^Bad (?:PAM )?password attempt for '(.*)' from (\S{2,64}):(\d{1,5})$/s.exec(text);
  if (failed !== null) {
    const [, userName = "", remoteAddress = "", port = ""] = failed;
    return { ...dropbear("Fail", remoteAddress, port), userName, method: "password" };
  }
  const invalid =
    /^Login attempt for nonexistent user(?: '(.*)')? from (\S{2,64}):(\d{1,5})$/s.exec(text);
  if (invalid === null) return undefined;
  const [, userName = "", remoteAddress = "", port = ""] = invalid;
  return { ...dropbear("Fail", remoteAddress, port), userName, isInvalidUser: true };
}

function dropbear(
  result: LoginSighting["result"],
  remoteAddress: string,
  port: string,
): Pick<LoginSighting, "operation" | "result" | "remoteAddress" | "remotePort"> {
  return { operation: "dropbear", result, remoteAddress, remotePort: Number(port) };
}
