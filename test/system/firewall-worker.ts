/**
 * Runs in a network namespace of its own, started by `firewall-namespace.ts`: reads the firewall when
 * told to, and tells of changes. One JSON value per line each way.
 */
import { createSocket } from "node:dgram";
import { createInterface } from "node:readline";
import { fail } from "../../src/contract/result.ts";
import { loadCLibrary } from "../../src/system/c-library.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createFirewallSource } from "../../src/system/firewall-source.ts";
import { LEGACY_FAMILIES, legacyFingerprint } from "../../src/system/legacy-tables.ts";
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

/** Of the table `filter`, both families; the name of the problem where there is one. */
function fingerprints(): readonly string[] {
  const library = loadCLibrary();
  if (!library.ok) return [library.problem.detail];
  return LEGACY_FAMILIES.map((kind) => {
    const print = legacyFingerprint(library.value, kind, "filter");
    return print.ok ? print.value : print.problem.code;
  });
}

/** Datagrams to ourselves, to the discard port, that no one takes. */
async function sendPackets(): Promise<void> {
  for (const [kind, address] of [
    ["udp4", "127.0.0.1"],
    ["udp6", "::1"],
  ] as const) {
    const socket = createSocket(kind);
    for (let count = 0; count < 20; count += 1) {
      await new Promise((resolve) => socket.send("packet", 9, address, resolve));
    }
    socket.close();
  }
  say({ sent: 40 });
}

const COMMANDS: Readonly<Record<string, () => Promise<void> | void>> = {
  fingerprints: () => say({ fingerprints: fingerprints() }),
  read: () => read(live),
  "read-without-library": () => read(withoutLibrary),
  /** Becomes a user with no rights; the native library has to be loaded before. */
  "become-nobody": () => {
    process.setgroups?.([]);
    process.setgid?.(65_534);
    process.setuid?.(65_534);
    say({ isNobody: process.getuid?.() === 65_534 });
  },
  "send-packets": sendPackets,
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
