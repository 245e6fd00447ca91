/**
 * Turns the logs of record.sh into gateway-day.jsonl: one line per event of a portion.
 *
 *   node --import tsx benchmarks/trace/convert.ts FOLDER
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PORTIONS = ["tick", "hourly", "daily", "session"];
const EXEC = /^(\d+) (\d+\.\d+) execve\("([^"]+)", \[(.*?)\](?:, 0x\w+ .*)?\)\s+= 0/;
const CONNECT =
  /^(\d+) (\d+\.\d+) connect\(\d+, \{sa_family=AF_INET, sin_port=htons\((\d+)\), sin_addr=inet_addr\("([\d.]+)"\)/;

interface Line {
  readonly portion: string;
  readonly atMs: number;
  readonly name: "ProcessCreate" | "ConnectionCreate";
  readonly item: Readonly<Record<string, string | number>>;
}

/** Folders and addresses of the recording machine become those of a gateway. */
function neutral(text: string): string {
  return text
    .replace(/\/var\/tmp\/gateway\.\w+/g, "/var/lib/gateway")
    .replace(/\/root\/\S+\/bin\//g, "/usr/bin/")
    .replaceAll("127.0.0.1:18080", "192.0.2.10");
}

function argumentsOf(list: string): string {
  const parts = [...list.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) => match[1] ?? "");
  return neutral(parts.join(" ").replace(/\\n/g, "\n").replace(/\\"/g, '"').replace(/\\\\/g, "\\"));
}

function linesOf(portion: string, text: string): readonly Line[] {
  const commands = new Map<number, { readonly Executable: string; readonly CommandLine: string }>();
  const lines: Line[] = [];
  let startSeconds: number | undefined;
  for (const row of text.split("\n")) {
    const exec = EXEC.exec(row);
    const connect = CONNECT.exec(row);
    const [, pid = "0", seconds = "0"] = exec ?? connect ?? [];
    if (exec === null && connect === null) continue;
    startSeconds ??= Number(seconds);
    const atMs = Math.round((Number(seconds) - startSeconds) * 1_000);
    const ProcessId = Number(pid);
    if (exec !== null) {
      const command = {
        Executable: neutral(exec[3] ?? ""),
        CommandLine: argumentsOf(exec[4] ?? ""),
      };
      commands.set(ProcessId, command);
      const item = { ...command, UserId: "0", ProcessId, ParentProcessId: 1 };
      lines.push({ portion, atMs, name: "ProcessCreate", item });
    } else if (connect !== null) {
      const command = commands.get(ProcessId) ?? { Executable: "unknown", CommandLine: "" };
      const to = { RemoteAddress: "192.0.2.10", RemotePort: "443", Direction: "Out" };
      const item = { ...to, Protocol: "tcp", ProcessId, UserId: "0", ...command };
      lines.push({ portion, atMs, name: "ConnectionCreate", item });
    }
  }
  return lines;
}

const [folder = ""] = process.argv.slice(2);
const lines = PORTIONS.flatMap((portion) =>
  linesOf(portion, readFileSync(`${folder}/${portion}.strace`, "utf8")),
);
const target = fileURLToPath(new URL("gateway-day.jsonl", import.meta.url));
writeFileSync(target, `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`);
process.stdout.write(`${lines.length} events\n`);
