import type { Device } from "../../device.ts";
import { type CommandOutput, notKnown, printedLines, unreadable } from "./output.ts";

const STATUS = "/var/lib/dpkg/status";

/** The stanza of a package, without the line feed at its end. */
function stanzaOf(text: string, name: string): string | undefined {
  const head = `Package: ${name}\n`;
  const at = text.startsWith(head) ? 0 : text.indexOf(`\n\n${head}`);
  if (at < 0) return undefined;
  const start = at === 0 ? 0 : at + 2;
  const end = text.indexOf("\n\n", start);
  return text.slice(start, end < 0 ? undefined : end + 1);
}

function field(stanza: string, name: string): string {
  return new RegExp(`^${name}: (.*)$`, "m").exec(stanza)?.[1] ?? "";
}

/** A package that dpkg only knows by name has no information. */
function isKnown(stanza: string): boolean {
  return !/ not-installed$/.test(field(stanza, "Status"));
}

function statusOutput(text: string, names: readonly string[]): CommandOutput {
  const errors: string[] = [];
  const lines: string[] = [];
  for (const [index, name] of names.entries()) {
    const stanza = stanzaOf(text, name.replace(/:\w+$/, ""));
    if (stanza === undefined || !isKnown(stanza))
      errors.push(`dpkg-query: package '${name}' is not installed and no information is available`);
    else for (const line of stanza.replace(/\n$/, "").split("\n")) lines.push(line);
    if (index < names.length - 1) lines.push("");
  }
  const hint = "Use dpkg --info (= dpkg-deb --info) to examine archive files.";
  if (errors.length > 0) errors.push(hint);
  return printedLines(lines, errors);
}

/** A package that others name in a relation is known to the database without being installed. */
function isNamedByOthers(text: string, name: string): boolean {
  if (!/^[a-z0-9+.-]{1,200}$/.test(name)) return false;
  const word = name.replace(/[+.]/g, "\\$&");
  const relations =
    "Depends|Pre-Depends|Recommends|Suggests|Breaks|Conflicts|Replaces|Enhances|Provides";
  return new RegExp(`^(?:${relations}): (?:.*[ ,|])?${word}(?:[ ,:(|]|$)`, "m").test(text);
}

/** Source: dpkg-query(1), --showformat. */
function formatted(format: string, stanza: string): string | undefined {
  const [want = "", flag = "", status = ""] = field(stanza, "Status").split(" ");
  const values: Readonly<Record<string, string>> = {
    Package: field(stanza, "Package"),
    // Packages of the same architecture as dpkg are shown without it, unless several may be installed.
    "binary:Package":
      field(stanza, "Package") +
      (field(stanza, "Multi-Arch") === "same" ? `:${field(stanza, "Architecture")}` : ""),
    Status: `${want} ${flag} ${status}`,
    "db:Status-Status": status,
    "db:Status-Want": want,
    "db:Status-Eflag": flag,
    Version: field(stanza, "Version"),
    Architecture: field(stanza, "Architecture"),
  };
  let isRead = true;
  const text = format.replace(/\$\{([^}]*)\}/g, (_all, name: string) => {
    const value = values[name];
    if (value === undefined) isRead = false;
    return value ?? "";
  });
  return isRead ? text.replaceAll("\\t", "\t").replaceAll("\\n", "\n") : undefined;
}

function showOutput(text: string, format: string, names: readonly string[]): CommandOutput {
  const errors: string[] = [];
  let shown = "";
  for (const name of [...names].sort()) {
    if (/[*?[]/.test(name)) return notKnown(`dpkg-query -W ${name}: patterns are not known here`);
    const stanza =
      stanzaOf(text, name) ??
      (isNamedByOthers(text, name)
        ? `Package: ${name}\nStatus: unknown ok not-installed\n`
        : undefined);
    const line = stanza === undefined ? undefined : formatted(format, stanza);
    if (stanza === undefined) errors.push(`dpkg-query: no packages found matching ${name}\n`);
    else if (line === undefined)
      return notKnown(`dpkg-query -W: the format ${format} is not known here`);
    else shown += line;
  }
  return { state: "output", text: shown, errors: errors.join("") };
}

/** dpkg -s, dpkg-query -s and dpkg-query -W. Source: dpkg-query(1). */
export function dpkgCommand(
  program: string,
  args: readonly string[],
  device: Device,
): CommandOutput {
  const status = device.text(STATUS);
  if (status.state === "unreadable") return unreadable(status.reason);
  if (status.state === "missing") return notKnown(`${STATUS} is not there`);
  const [option = "", ...rest] = args;
  const names = rest.filter((word) => !word.startsWith("-"));
  if (
    (option === "-s" || option === "--status") &&
    names.length === rest.length &&
    names.length > 0
  )
    return statusOutput(status.value, names);
  if ((option === "-W" || option === "--show") && program === "dpkg-query") {
    const [, given] =
      /^(?:-f=?|--showformat=)(.*)$/s.exec(rest.find((word) => word.startsWith("-")) ?? "") ?? [];
    // Wazuh runs no shell: single quotes around the format are part of it.
    if (given === undefined) return notKnown("dpkg-query -W without a format is not known here");
    if (rest.length - names.length <= 1) return showOutput(status.value, given, names);
  }
  return notKnown(`${program} ${args.join(" ")}: a form that is not known here`);
}
