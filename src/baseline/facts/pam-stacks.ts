import type { Device } from "../device.ts";
import { type Fact, MISSING, unreadableFact, valueFact } from "../fact.ts";
import { linesOf, withoutComments } from "./config-text.ts";

/** A line of a PAM stack, included ones in their place. Source: pam.d(5). */
export interface PamLine {
  readonly type: "auth" | "account" | "password" | "session";
  readonly control: string;
  /** `pam_unix.so`, without a folder. */
  readonly module: string;
  readonly arguments: readonly string[];
  readonly path: string;
}

const FOLDERS = ["/etc/pam.d", "/usr/lib/pam.d", "/usr/share/pam.d"];
const MAX_DEPTH = 16;
const TYPES = ["auth", "account", "password", "session"] as const;

function fileOf(device: Device, service: string): Fact<{ path: string; text: string }> {
  // An included file may be named by its whole path.
  const paths = service.startsWith("/") ? [service] : FOLDERS.map((one) => `${one}/${service}`);
  for (const path of paths) {
    const text = device.text(path);
    if (text.state === "unreadable") return text;
    if (text.state === "value") return valueFact({ path, text: text.value });
  }
  return MISSING;
}

/** Joins lines that end in a backslash. */
function joinedLines(text: string): string {
  return text.replace(/\\\r?\n/g, " ");
}

function read(
  device: Device,
  service: string,
  only: PamLine["type"] | undefined,
  depth: number,
  into: PamLine[],
): string | undefined {
  if (depth > MAX_DEPTH) return `PAM stack ${service}: more than ${MAX_DEPTH} nested includes`;
  const file = fileOf(device, service);
  if (file.state === "unreadable") return file.reason;
  if (file.state === "missing")
    return depth === 0 ? undefined : `PAM stack ${service}: included, and not there`;
  const { path, text } = file.value;
  for (const { text: line, number } of withoutComments(linesOf(path, joinedLines(text)))) {
    const include = /^@include\s+(\S+)$/.exec(line)?.[1];
    if (include !== undefined) {
      const failure = read(device, include, only, depth + 1, into);
      if (failure !== undefined) return failure;
      continue;
    }
    const match = /^-?(\w+)\s+(\[[^\]]*\]|\S+)\s+(\S+)\s*(.*)$/.exec(line);
    const type = TYPES.find((one) => one === match?.[1]?.toLowerCase());
    if (match === null || type === undefined) return `${path}, line ${number}: no PAM line`;
    const [, , control = "", module = "", rest = ""] = match;
    if (only !== undefined && type !== only) continue;
    if (control === "include" || control === "substack") {
      const failure = read(device, module, type, depth + 1, into);
      if (failure !== undefined) return failure;
      continue;
    }
    const name = module.slice(module.lastIndexOf("/") + 1);
    into.push({
      type,
      control,
      module: name,
      arguments: rest.split(/\s+/).filter((word) => word !== ""),
      path,
    });
  }
  return undefined;
}

/** The stack of a service with all includes. Missing: the service has no file. */
export function pamStack(device: Device, service: string): Fact<readonly PamLine[]> {
  if (fileOf(device, service).state === "missing") return MISSING;
  const lines: PamLine[] = [];
  const failure = read(device, service, undefined, 0, lines);
  return failure === undefined ? valueFact(lines) : unreadableFact(failure);
}
