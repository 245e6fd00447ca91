/** What tests ask of a guest again and again, in as few ssh round trips as possible. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandEnd, VirtualMachine } from "./virtual-machine.ts";

const DEADLINE_MS = 60_000;

/** One word of a shell command line, whatever it holds. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Runs commands one after the other in one round trip, each in a subshell of bash; a failed one does not
 * stop the next. Cost: a fork for each command and four programs in all, for in an emulated machine it is
 * starting programs that takes time.
 */
export async function runAll<Name extends string>(
  machine: VirtualMachine,
  commands: Readonly<Record<Name, string>>,
  deadlineMs = DEADLINE_MS,
): Promise<Readonly<Record<Name, CommandEnd>>> {
  // `Object.entries` does not know the names.
  const entries = Object.entries(commands) as [Name, string][];
  if (entries.length === 0) return {} as Record<Name, CommandEnd>;
  const lines = entries.map(
    ([, command], at) =>
      `(eval ${quoted(command)}) >"$d/${at}.out" 2>"$d/${at}.err" </dev/null; codes+=" $?"`,
  );
  const files = entries.map((_, at) => `"$d/${at}.out" "$d/${at}.err"`).join(" ");
  const answer = `{ echo $codes $(stat -c %s ${files}); cat ${files}; } | base64 -w0`;
  const script = ["d=$(mktemp -d) && trap 'rm -rf \"$d\"' EXIT", "codes=", ...lines, answer];
  const ends = parseEnds(await machine.must(script.join("\n"), deadlineMs), entries.length);
  // Every name gets its end, or the line below throws.
  return Object.fromEntries(
    entries.map(([name], at) => {
      const end = ends[at];
      if (end === undefined) throw new Error(`no answer to ${name}`);
      return [name, end];
    }),
  ) as Record<Name, CommandEnd>;
}

/** A line of all exit codes and then of the sizes of all outputs, and after it the outputs. */
function parseEnds(text: string, count: number): readonly CommandEnd[] {
  const bytes = Buffer.from(text, "base64");
  const endOfLine = bytes.indexOf("\n");
  const numbers = bytes.toString("utf8", 0, endOfLine).split(" ").map(Number);
  const sizes = numbers.slice(count);
  const sum = sizes.reduce((total, size) => total + size, 0);
  if (sizes.length !== 2 * count || bytes.length !== endOfLine + 1 + sum) {
    throw new Error(`not understood: ${bytes.toString("utf8", 0, 200)}`);
  }
  let offset = endOfLine + 1;
  const outputs = sizes.map((size) => {
    const output = bytes.toString("utf8", offset, offset + size);
    offset += size;
    return output;
  });
  return numbers.slice(0, count).map((code, at) => ({
    code,
    stdout: outputs[2 * at] ?? "",
    stderr: outputs[2 * at + 1] ?? "",
  }));
}

/**
 * Waits until systemd calls a unit `state`; the guest itself looks, so that no round trips are spent.
 * When the limit passes, the error holds the unit's status and the end of its journal.
 */
export async function waitForUnit(
  machine: VirtualMachine,
  unit: string,
  state: "active" | "inactive" | "failed" = "active",
  limitMs = DEADLINE_MS,
): Promise<void> {
  const name = quoted(unit);
  const { code, stdout } = await machine.run(
    [
      `while [ $SECONDS -lt ${Math.ceil(limitMs / 1_000)} ]; do`,
      `  [ "$(systemctl show -P ActiveState ${name})" = ${state} ] && exit 0`,
      "  sleep 0.5",
      "done",
      `systemctl status --no-pager ${name}`,
      `journalctl -u ${name} -n 30 --no-pager`,
      "exit 1",
    ].join("\n"),
    limitMs + 30_000,
  );
  if (code !== 0) throw new Error(`${unit} is not ${state} after ${limitMs / 1_000} s\n${stdout}`);
}

/** What the kernel says of a process, from `/proc/PID/status`. */
export interface ProcessStatus {
  readonly pid: number;
  readonly name: string;
  /** Real, effective, saved and file system id. */
  readonly userIds: readonly number[];
  readonly groupIds: readonly number[];
  /** Supplementary groups. */
  readonly groups: readonly number[];
  readonly threads: number;
  readonly residentKb: number;
  readonly peakResidentKb: number;
  readonly noNewPrivileges: boolean;
  /** 0 none, 1 strict, 2 filter. */
  readonly seccompMode: number;
  /** Bit masks; bit numbers as in `capability.h`. */
  readonly capabilities: {
    readonly inheritable: bigint;
    readonly permitted: bigint;
    readonly effective: bigint;
    readonly bounding: bigint;
    readonly ambient: bigint;
  };
}

/** The main process of a running unit. Throws when there is none. */
export async function processStatus(machine: VirtualMachine, unit: string): Promise<ProcessStatus> {
  return parseProcessStatus(
    await machine.must(`cat /proc/$(systemctl show -P MainPID ${quoted(unit)})/status`),
  );
}

/** Source: proc_pid_status(5). A line that should be there and is not is an error. */
export function parseProcessStatus(text: string): ProcessStatus {
  const fields = new Map<string, string>();
  for (const [, name = "", value = ""] of text.matchAll(/^(\w+):[ \t]*(.*)$/gm)) {
    fields.set(name, value.trim());
  }
  const field = (name: string): string => {
    const value = fields.get(name);
    if (value === undefined) throw new Error(`no ${name} in the status of a process`);
    return value;
  };
  const numbers = (name: string): readonly number[] =>
    [...field(name).matchAll(/\d+/g)].map(([digits]) => Number(digits));
  const mask = (name: string): bigint => BigInt(`0x${field(name)}`);
  return {
    pid: Number(field("Pid")),
    name: field("Name"),
    userIds: numbers("Uid"),
    groupIds: numbers("Gid"),
    groups: numbers("Groups"),
    threads: Number(field("Threads")),
    residentKb: Number.parseInt(field("VmRSS"), 10),
    peakResidentKb: Number.parseInt(field("VmHWM"), 10),
    noNewPrivileges: field("NoNewPrivs") === "1",
    seccompMode: Number(field("Seccomp")),
    capabilities: {
      inheritable: mask("CapInh"),
      permitted: mask("CapPrm"),
      effective: mask("CapEff"),
      bounding: mask("CapBnd"),
      ambient: mask("CapAmb"),
    },
  };
}

/** A user with a home folder who can log in with a password. Throws when the name is taken. */
export async function addUser(
  machine: VirtualMachine,
  name: string,
  password: string,
  groups: readonly string[] = [],
): Promise<void> {
  const more = groups.length === 0 ? "" : `-G ${quoted(groups.join(","))}`;
  const entry = quoted(`${name}:${password}`);
  await machine.must(
    `useradd -m -s /bin/bash ${more} ${quoted(name)} && printf '%s\\n' ${entry} | chpasswd`,
  );
}

/** Writes the journal (of the units, or all of it) beside the console log, and says where. */
export async function keepEvidence(
  machine: VirtualMachine,
  folder: string,
  units: readonly string[] = [],
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const chosen = units.map((unit) => `-u ${quoted(unit)}`).join(" ");
  const { code, stdout, stderr } = await machine.run(`journalctl --no-pager -n 2000 ${chosen}`);
  writeFileSync(join(folder, "journal.log"), code === 0 ? stdout : `code ${code}\n${stderr}`);
  process.stdout.write(`journal and console kept in ${folder}\n`);
}
