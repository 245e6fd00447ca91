import type { Device } from "../device.ts";
import { passwordAges } from "../facts/accounts.ts";
import { linesOf, withoutComments } from "../facts/config-text.ts";
import { pamStack } from "../facts/pam-stacks.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";

/** Root logs in with a password on terminals of the device itself, or not at all. */
export interface RootConsoleCheck {
  readonly test: "root-console";
}

const LIST = "/etc/securetty";
/** Consoles of the kernel and serial lines; not `pts/…`, `ttyp…`. Source: Linux devices.txt. */
const CONSOLE =
  /^(?:console|(?:vc\/|tty|hvc|hvsi|xvc|sclp_line|3270\/tty)\d{1,3}|tty(?:[A-Z][A-Za-z]{0,7}|[a-z]{3,8})\d{1,3})$/;

/** A locked password, or a list of terminals that login asks. Source: securetty(5), pam_securetty(8). */
export function judgeRootConsole(_check: RootConsoleCheck, device: Device): Outcome {
  const ages = passwordAges(device);
  if (ages.state === "unreadable") return because("error", ages.reason);
  const root = ages.state === "value" ? ages.value.find((one) => one.name === "root") : undefined;
  if (root?.password === "locked") {
    return decide(true, evidence("/etc/shadow", "root password locked", "locked"));
  }
  const list = device.text(LIST);
  if (list.state === "unreadable") return because("error", list.reason);
  const expected = "a list of consoles of the device alone";
  if (list.state === "missing") return decide(false, evidence(LIST, expected, "not there"));
  const login = pamStack(device, "login");
  if (login.state === "unreadable") return because("error", login.reason);
  const asks = (line: { readonly module: string; readonly type: string }): boolean =>
    line.type === "auth" && line.module === "pam_securetty.so";
  if (login.state === "value" && !login.value.some(asks)) {
    return decide(false, evidence("/etc/pam.d/login", "auth with pam_securetty", "no such line"));
  }
  const names = withoutComments(linesOf(LIST, list.value)).map(({ text }) =>
    text.replace(/^\/dev\//, ""),
  );
  const others = names.filter((name) => !CONSOLE.test(name));
  const found = others.length === 0 ? `${names.length} consoles` : others.join(", ");
  return decide(others.length === 0, evidence(LIST, expected, found));
}
