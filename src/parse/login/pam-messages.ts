import type { LoginSighting } from "./sighting.ts";

/**
 * Services whose own messages say more, and those that open sessions without anybody logging in. `su-l` is
 * `su -`; `login` has no message of its own for a success on some systems, so it is not among them.
 */
const SILENT = new Set([
  ...["sshd", "dropbear", "su", "su-l", "sudo", "sudo-i", "runuser", "runuser-l"],
  ...["cron", "crond", "atd", "systemd-user", "polkit-1", "chfn", "chsh", "passwd", "chpasswd"],
]);

/** `login` says itself what failed. */
const SILENT_FAILURES = new Set([...SILENT, "login"]);

/**
 * What pam_unix says of any service that asks it, so that display managers, FTP servers and web consoles are
 * seen as well. Source: Linux-PAM, pam_unix_sess.c, support.c.
 */
export function readPamMessage(text: string): LoginSighting | undefined {
  const opened =
    /^pam_unix\(([^():]{1,64}):session\): session opened for user (.*?)(?:\(uid=\d{1,10}\))?(?: by (.*?)(?:\(uid=\d{1,10}\))?)?$/s.exec(
      text,
    );
  if (opened !== null) {
    const [, service = "", userName = ""] = opened;
    return SILENT.has(service)
      ? undefined
      : { operation: operationOf(service), result: "Success", userName, isByPam: true };
  }
  const failed =
    /^pam_unix\(([^():]{1,64}):auth\): authentication failure; logname=.* uid=\d+ euid=\d+ tty=(\S{0,64}) ruser=.* rhost=(\S{0,253})(?: {1,2}user=(.*))?$/s.exec(
      text,
    );
  if (failed === null) return undefined;
  const [, service = "", terminal = "", remoteAddress = "", userName] = failed;
  if (SILENT_FAILURES.has(service)) return undefined;
  return {
    operation: operationOf(service),
    result: "Fail",
    isByPam: true,
    ...(userName === undefined ? { isInvalidUser: true } : { userName }),
    ...(terminal === "" ? {} : { terminal: terminal.replace(/^\/dev\//, "") }),
    ...(remoteAddress === "" ? {} : { remoteAddress }),
  };
}

function operationOf(service: string): string {
  return service === "remote" ? "login" : service;
}
