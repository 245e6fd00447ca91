import type { LoginSighting } from "./sighting.ts";

/** What su of util-linux and of shadow say. Source: util-linux su-common.c, log_syslog. */
export function readSuMessage(text: string): LoginSighting | undefined {
  const found = /^(FAILED SU )?\(to (.*)\) (.*) on (\S{1,64})$/s.exec(text);
  if (found === null) return undefined;
  const [, failed, userName = "", byUser = "", terminal = ""] = found;
  return {
    operation: "su",
    result: failed === undefined ? "Success" : "Fail",
    userName,
    byUser,
    ...terminalOf(terminal),
  };
}

/** Reasons that sudo puts in front of its fields; without one the command was run. */
const SUDO_REFUSALS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^(\d{1,3}) incorrect password attempts?$/, "password"],
  [/^user NOT in sudoers$/, "not in sudoers"],
  [/^user NOT authorized on host$/, "not in sudoers"],
  [/^command not allowed$/, "command not allowed"],
  [/^a password is required$/, "password required"],
  [/^(?:no tty present|a terminal is required)/, "terminal required"],
];

/**
 * What sudo says: `ops : TTY=pts/0 ; PWD=/home/ops ; USER=root ; COMMAND=/usr/bin/id`, with what was refused
 * in front. The command is last, so that nothing in it is taken for a field. Source: sudoers(5), event log.
 */
export function readSudoMessage(text: string): LoginSighting | undefined {
  const found = /^\s*(\S{1,256}) : (.*?)COMMAND=(.*)$/s.exec(text);
  if (found === null) return undefined;
  const [, byUser = "", before = "", command = ""] = found;
  const parts = before.split(" ; ").map((part) => part.trim());
  const field = (name: string): string | undefined =>
    parts.find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1);
  const userName = field("USER");
  if (userName === undefined) return undefined;
  const [first = ""] = parts;
  const refusal = SUDO_REFUSALS.find(([pattern]) => pattern.test(first));
  const isRun = refusal === undefined && first.includes("=");
  // A word of sudo's that is not known stands in front: it did not run the command.
  const reason = isRun ? undefined : (refusal?.[1] ?? first);
  const attempts = refusal?.[1] === "password" ? Number(refusal[0].exec(first)?.[1]) : undefined;
  return {
    operation: "sudo",
    result: isRun ? "Success" : "Fail",
    userName,
    byUser,
    command,
    ...terminalOf(field("TTY") ?? ""),
    ...(reason === undefined ? {} : { reason }),
    ...(attempts === undefined ? {} : { attempts }),
  };
}

/** What login of util-linux and of shadow say. Source: util-linux login.c; shadow login.c. */
export function readLoginMessage(text: string): LoginSighting | undefined {
  const failed =
    /^FAILED LOGIN (?:SESSION )?\(?\d{1,5}\)? (?:on '([^']{1,64})'|(?:FROM|ON) (\S{1,64}))(?: from '([^']*)')? FOR '?(.*?)'?,? (?:Authentication|User|Permission|Error|Conversation|Module|Have|Account|Password|Critical).*$/s.exec(
      text,
    );
  if (failed !== null) {
    const [, quoted, plain, , userName = ""] = failed;
    return {
      operation: "login",
      result: "Fail",
      userName: userName.replace(/,$/, ""),
      ...terminalOf(quoted ?? plain ?? ""),
    };
  }
  const entered = /^(?:LOGIN|DIALUP AT) (?:ON )?(\S{1,64}) BY (.*?)(?: FROM (\S{1,64}))?$/s.exec(
    text,
  );
  if (entered !== null) {
    const [, terminal = "", userName = ""] = entered;
    return { operation: "login", result: "Success", userName, ...terminalOf(terminal) };
  }
  const root = /^ROOT LOGIN +(?:ON|on) '?([^' ]{1,64})'?/.exec(text);
  if (root === null) return undefined;
  return { operation: "login", result: "Success", userName: "root", ...terminalOf(root[1] ?? "") };
}

/** `/dev/pts/0` is `pts/0`; what stands for none is left out. */
function terminalOf(text: string): { readonly terminal?: string } {
  const terminal = text.replace(/^\/dev\//, "");
  return terminal === "" || terminal === "none" || terminal === "unknown" || terminal === "(null)"
    ? {}
    : { terminal };
}
