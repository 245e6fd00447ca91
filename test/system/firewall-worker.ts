/**
 * Runs in a network namespace of its own, started by `firewall-namespace.ts`: reads the firewall when
 * told to, and tells of changes. One JSON value per line each way.
 */
import { createInterface } from "node:readline";
import { fail } from "../../src/contract/result.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createFirewallSource } from "../../src/system/firewall-source.ts";
import { createProbe } from "../../src/system/probe.ts";

const probe = createProbe({ root: "/" });
const live = probe.firewall();
const withoutLibrary = createFirewallSource({
  readText: probe.readText,
  library: () => fail("unsupported", "koffi", "left out"),
  netlink: () => fail("unsupported", "koffi", "left out"),
  clock: systemClock,
});
let stopWatching: (() => void) | undefined;

function say(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function read(source: typeof live): Promise<void> {
  const startMs = systemClock.monotonicMs();
  const reading = await source.read(new AbortController().signal);
  say({ reading, tookMs: systemClock.monotonicMs() - startMs });
}

const COMMANDS: Readonly<Record<string, () => Promise<void> | void>> = {
  read: () => read(live),
  "read-without-library": () => read(withoutLibrary),
  /** Becomes a user with no rights; the native library has to be loaded before. */
  "become-nobody": () => {
    process.setgroups?.([]);
    process.setgid?.(65_534);
    process.setuid?.(65_534);
    say({ isNobody: process.getuid?.() === 65_534 });
  },
  watch: () => {
    stopWatching = live.watch(() => say({ change: true }));
    say({ isWatching: true });
  },
  stop: () => {
    stopWatching?.();
    say({ isWatching: false });
  },
};

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => void COMMANDS[line]?.());
lines.on("close", () => process.exit(0));
say({ isReady: true });
