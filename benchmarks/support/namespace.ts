/** Namespaces of network, processes and mounts that end with the process that holds them. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";

/** The words in front of a command that put it into new namespaces. */
export const OWN_NAMESPACES: readonly string[] = [
  ...["unshare", "--net", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child", "--"],
];

/** Why no namespaces can be made here; undefined when they can. */
export function whyNoNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return "only root makes namespaces";
  const [program = "", ...args] = [...OWN_NAMESPACES, "true"];
  return spawnSync(program, args).status === 0 ? undefined : "no namespaces can be made here";
}

export interface HeldNamespace {
  /** Runs a program inside and returns what it printed. Throws when it fails. */
  run(command: readonly string[], input?: string): string;
  close(): Promise<void>;
}

/**
 * Starts `command` in new namespaces and waits until it prints a line; it is to end with its standard
 * input.
 */
export async function holdNamespace(command: readonly string[]): Promise<HeldNamespace> {
  const [program = "", ...args] = [...OWN_NAMESPACES, ...command];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  await firstLine(child);
  const inner = innerProcess(child.pid ?? 0);
  const enter = ["-t", inner, "-n", "-p", "-m", "--"];
  execFileSync("nsenter", [...enter, "ip", "link", "set", "lo", "up"]);
  return {
    run: ([file = "", ...rest], input = "") =>
      execFileSync("nsenter", [...enter, file, ...rest], {
        input,
        encoding: "utf8",
        maxBuffer: 2 ** 28,
        stdio: ["pipe", "pipe", "inherit"],
      }),
    async close() {
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.stdin.end();
      await ended;
    },
  };
}

function firstLine(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`the namespace's process ended: ${code}`)));
  });
}

/** The number outside of the process that unshare started inside; never one of our own namespace. */
function innerProcess(outer: number): string {
  const children = readFileSync(`/proc/${outer}/task/${outer}/children`, "utf8").trim();
  const [inner = ""] = children.split(" ");
  const isOurs = statSync(`/proc/${inner}/ns/net`).ino === statSync("/proc/self/ns/net").ino;
  if (isOurs) throw new Error("the process has no network namespace of its own");
  return inner;
}
