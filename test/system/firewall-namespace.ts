import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { FirewallReading } from "../../src/contract/firewall-source.ts";
import { systemClock } from "../../src/system/clock.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const WORKER = fileURLToPath(new URL("firewall-worker.ts", import.meta.url));
const TOOLS = ["nft", "iptables-nft", "ip6tables-nft", "iptables-legacy", "ip6tables-legacy"];

/** Why there can be no namespace here, or false. */
export function reasonToSkip(): string | false {
  if (process.getuid?.() !== 0) return "a network namespace needs root";
  const tried = spawnSync("unshare", ["--net", "true"], { encoding: "utf8" });
  if (tried.status !== 0) return "no network namespace can be made here";
  const missing = TOOLS.filter((tool) => spawnSync(tool, ["--version"]).status !== 0);
  return missing.length === 0 ? false : `not installed: ${missing.join(", ")}`;
}

interface Said {
  readonly reading?: FirewallReading;
  readonly tookMs?: number;
  readonly change?: boolean;
  readonly isReady?: boolean;
  readonly fingerprints?: readonly string[];
}

/** An agent's view of a network namespace that ends with it. */
export interface Namespace {
  /** Runs a command line of words in the namespace; fails when it fails. */
  run(words: string): string;
  ask(command: string): Promise<Said>;
  read(): Promise<FirewallReading>;
  /** Resolves with how long it took until a change was told, or undefined after `withinMs`. */
  change(withinMs: number): Promise<number | undefined>;
  close(): void;
}

/** `prefix` are words in front of node, such as those of setpriv. */
export async function openNamespace(prefix: readonly string[] = []): Promise<Namespace> {
  const [program = "", ...args] = [...prefix, process.execPath, "--import", "tsx", WORKER];
  const child = spawn("unshare", ["--net", "--", program, ...args], {
    cwd: REPOSITORY,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const inbox = createInbox(child);
  const ready = await inbox.next((one) => one.isReady === true, 30_000);
  if (ready === undefined) throw new Error("the process in the namespace did not start");
  const space = holdNamespace(child.pid);

  async function ask(command: string): Promise<Said> {
    child.stdin.write(`${command}\n`);
    const said = await inbox.next((one) => one.change !== true, 30_000);
    if (said === undefined) throw new Error(`no answer to ${command}`);
    return said;
  }
  return {
    run: (words) => runInside(space, words.split(" ")),
    ask,
    async read() {
      const { reading } = await ask("read");
      if (reading === undefined) throw new Error("not a reading");
      return reading;
    },
    async change(withinMs) {
      const startMs = systemClock.monotonicMs();
      const said = await inbox.next((one) => one.change === true, withinMs);
      return said === undefined ? undefined : systemClock.monotonicMs() - startMs;
    },
    close() {
      child.stdin.end();
      closeSync(space);
    },
  };
}

/**
 * A descriptor of the child's namespace. Throws when that is our own: rules would then be those of the
 * machine that runs the tests.
 */
function holdNamespace(pid: number | undefined): number {
  const space = openSync(`/proc/${pid}/ns/net`, "r");
  const isOurs = fstatSync(space).ino === statSync("/proc/self/ns/net").ino;
  if (!isOurs) return space;
  closeSync(space);
  throw new Error("the process has no network namespace of its own");
}

/** The descriptor cannot come to mean another namespace, as the number of a process could. */
function runInside(space: number, words: readonly string[]): string {
  const ran = spawnSync("nsenter", ["--net=/proc/self/fd/3", "--", ...words], {
    encoding: "utf8",
    timeout: 10_000,
    stdio: ["ignore", "pipe", "pipe", space],
  });
  if (ran.status !== 0) throw new Error(`${words.join(" ")}: ${ran.stderr}`);
  return ran.stdout;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

interface Inbox {
  next(isWanted: (one: Said) => boolean, withinMs: number): Promise<Said | undefined>;
}

function createInbox(child: Child): Inbox {
  const waiting: Said[] = [];
  let wake = (): void => undefined;
  createInterface({ input: child.stdout }).on("line", (line) => {
    waiting.push(JSON.parse(line) as Said);
    wake();
  });
  return {
    async next(isWanted, withinMs) {
      const endMs = systemClock.monotonicMs() + withinMs;
      for (;;) {
        const at = waiting.findIndex(isWanted);
        if (at !== -1) return waiting.splice(at, 1)[0];
        const leftMs = endMs - systemClock.monotonicMs();
        if (leftMs <= 0) return undefined;
        await new Promise<void>((resolve) => {
          const timer = systemClock.after(leftMs, resolve);
          wake = () => {
            timer.cancel();
            resolve();
          };
        });
      }
    },
  };
}
