import type { Device } from "../device.ts";
import { loginDefs } from "../facts/accounts.ts";
import { pamStack } from "../facts/pam-stacks.ts";
import { SHELL_FILES, shellLines } from "../facts/shell-files.ts";
import { because, decide, type Evidence, evidence, type Outcome } from "../outcome.ts";

/** The umask that sessions get: every place that sets one must be as tight, and one must count. */
export interface UmaskCheck {
  readonly test: "umask";
  /** Bits that must be masked, such as 0o027. */
  readonly atLeast: number;
}

/** The TMOUT of shells: every place that sets one must keep to it, and one must set it. */
export interface ShellTimeoutCheck {
  readonly test: "shell-timeout";
  readonly atMostSeconds: number;
}

interface Setting {
  readonly source: string;
  readonly text: string;
  /** undefined: the text says nothing that is understood. */
  readonly mask: number | undefined;
  /** Whether sessions get it; otherwise it only counts as a place that must not be lax. */
  readonly counts: boolean;
}

const CLASS_SHIFT: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };
const RIGHT: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1 };

/**
 * The mask of an argument of umask: octal digits, or `u=rwx,g=rx,o=` in full. Undefined for other texts.
 * Source: POSIX umask, chmod(1).
 */
export function umaskOf(text: string): number | undefined {
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
  if (text.length > 64 || !/^(?:[ugoa]+=[rwx]*)(?:,[ugoa]+=[rwx]*)*$/.test(text)) return undefined;
  const allowed = new Map<string, number>();
  for (const clause of text.split(",")) {
    const [who = "", rights = ""] = clause.split("=");
    const bits = [...rights].reduce((sum, right) => sum | (RIGHT[right] ?? 0), 0);
    for (const one of who.replaceAll("a", "ugo")) allowed.set(one, bits);
  }
  if (allowed.size < 3) return undefined;
  return [...allowed].reduce(
    (mask, [who, bits]) => mask & ~(bits << (CLASS_SHIFT[who] ?? 0)),
    0o777,
  );
}

function fromShells(device: Device): readonly Setting[] | string {
  const lines = shellLines(device, SHELL_FILES);
  if (lines.state === "unreadable") return lines.reason;
  const settings: Setting[] = [];
  for (const { path, number, text } of lines.state === "value" ? lines.value : []) {
    for (const [, word = ""] of text.matchAll(
      /(?:^|[\s;&|({])umask\s+(?:-S\s+)?["']?([^\s;&|)}"']+)/g,
    )) {
      // What a variable holds is set elsewhere; options print.
      if (/^[$`#>-]/.test(word)) continue;
      const source = `${path}, line ${number}`;
      settings.push({ source, text: word, mask: umaskOf(word), counts: true });
    }
  }
  return settings;
}

/** UMASK of login.defs counts where pam_umask takes it; its own argument comes first. */
function fromLogins(device: Device): readonly Setting[] | string {
  const defs = loginDefs(device);
  if (defs.state === "unreadable") return defs.reason;
  let module: { readonly path: string; readonly umask?: string } | undefined;
  for (const service of ["common-session", "system-auth", "base-session", "login"]) {
    const stack = pamStack(device, service);
    if (stack.state === "unreadable") return stack.reason;
    if (stack.state === "missing") continue;
    const line = stack.value.find((one) => one.type === "session" && one.module === "pam_umask.so");
    const umask = line?.arguments.find((one) => one.startsWith("umask="))?.slice(6);
    if (line !== undefined)
      module ??= { path: line.path, ...(umask === undefined ? {} : { umask }) };
  }
  const settings: Setting[] = [];
  if (module?.umask !== undefined) {
    const { path: source, umask: text } = module;
    settings.push({ source, text, mask: umaskOf(text), counts: true });
  }
  const text = defs.state === "value" ? defs.value.get("UMASK") : undefined;
  if (text !== undefined) {
    const counts = module !== undefined && module.umask === undefined;
    settings.push({ source: "/etc/login.defs", text, mask: umaskOf(text), counts });
  }
  return settings;
}

/** All places that set a umask. */
export function judgeUmask(check: UmaskCheck, device: Device): Outcome {
  const shells = fromShells(device);
  if (typeof shells === "string") return because("error", shells);
  const logins = fromLogins(device);
  if (typeof logins === "string") return because("error", logins);
  const settings = [...shells, ...logins];
  const wanted = check.atLeast.toString(8).padStart(3, "0");
  const look = ({ source, text }: Setting): Evidence =>
    evidence(source, `umask ${wanted} or tighter`, text);
  const lax = settings.filter(({ mask }) => mask !== undefined && (check.atLeast & ~mask) !== 0);
  if (lax.length > 0) return decide(false, ...lax.map(look));
  const strange = settings.find((one) => one.mask === undefined);
  if (strange !== undefined) {
    return because("error", `${strange.source}: umask ${strange.text} is not understood`);
  }
  const counting = settings.filter((one) => one.counts);
  if (counting.length > 0) return decide(true, ...counting.map(look));
  const places = `${SHELL_FILES.join(", ")}, pam_umask`;
  return decide(false, evidence(places, `umask ${wanted} or tighter`, "not set"));
}

/** All places that set TMOUT. */
export function judgeShellTimeout(check: ShellTimeoutCheck, device: Device): Outcome {
  const lines = shellLines(device, SHELL_FILES);
  const places = SHELL_FILES.join(", ");
  if (lines.state === "unreadable") return because("error", lines.reason);
  if (lines.state === "missing") return because("not-applicable", `${places}: none is there`);
  const expected = `TMOUT from 1 to ${check.atMostSeconds}`;
  const bad: Evidence[] = [];
  const good: Evidence[] = [];
  for (const { path, number, text } of lines.value) {
    for (const [, word = ""] of text.matchAll(/(?:^|[\s;&])TMOUT=["']?([^\s;&"']*)/g)) {
      const isGood =
        /^\d{1,9}$/.test(word) && Number(word) >= 1 && Number(word) <= check.atMostSeconds;
      (isGood ? good : bad).push(evidence(`${path}, line ${number}`, expected, word));
    }
    if (/(?:^|[\s;&])unset\s+(?:-v\s+)?TMOUT\b/.test(text)) {
      bad.push(evidence(`${path}, line ${number}`, expected, "unset"));
    }
  }
  if (bad.length > 0) return decide(false, ...bad);
  if (good.length > 0) return decide(true, ...good);
  return decide(false, evidence(places, expected, "not set"));
}
