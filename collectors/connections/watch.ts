import type { Timer } from "../../src/contract/clock.ts";
import type { Watch } from "../../src/contract/collector.ts";
import type { EventDraft } from "../../src/contract/event.ts";
import type { KernelStream } from "../../src/contract/kernel-stream.ts";
import type { Problem } from "../../src/contract/result.ts";
import { parseConntrack } from "../../src/parse/conntrack.ts";
import { parseSocketEnds } from "../../src/parse/inet-diag.ts";
import { type ConnectionsContext, createDesk, type Desk } from "./desk.ts";

const COUNT_FILE = "/proc/sys/net/netfilter/nf_conntrack_count";
/** With connection tracking, only what it does not track is left to be found by looking. */
const SELDOM = 30;

/** Watches connections by everything that tells of them. */
export async function watchConnections(
  context: ConnectionsContext,
  emit: (drafts: readonly EventDraft[]) => void,
): Promise<Watch> {
  const { probe, clock, settings } = context;
  const open = new Set<KernelStream>();
  const desk = createDesk(context, emit, () => open.has("socket-ends"));
  const ends = listen(context, "socket-ends", desk, open, (bytes) => {
    const read = parseSocketEnds(bytes, probe.endianness);
    for (const end of read.ends) desk.ended(end);
    return read.skipped;
  });
  const tracked = listen(context, "conntrack", desk, open, (bytes) => {
    const read = parseConntrack(bytes, probe.endianness);
    for (const { kind, flow } of read.notices) if (kind === "new") desk.tracked(flow);
    return read.isMalformed ? 1 : 0;
  });
  let timer: Timer | undefined;
  let skippedLooks = 0;

  function poll(): void {
    skippedLooks += 1;
    if (!(open.has("conntrack") && isTracking(context)) || skippedLooks >= SELDOM) {
      skippedLooks = 0;
      desk.look();
    }
    timer = clock.after(settings.pollSeconds * 1_000, poll);
  }

  desk.look(true);
  timer = clock.after(settings.pollSeconds * 1_000, poll);
  return {
    problems: [...ends.problems, ...tracked.problems],
    async stop() {
      timer?.cancel();
      ends.stop();
      tracked.stop();
      desk.stop();
    },
  };
}

interface Listening {
  readonly problems: readonly Problem[];
  stop(): void;
}

/** `take` reads a datagram and returns how much of it could not be read. */
function listen(
  context: ConnectionsContext,
  stream: KernelStream,
  desk: Desk,
  open: Set<KernelStream>,
  take: (bytes: Uint8Array) => number,
): Listening {
  const { agent, log } = context;
  const opened = context.probe.listen(stream, {
    onDatagram(bytes) {
      const unreadable = take(bytes);
      if (unreadable > 0) agent.countLoss("ConnectionCreate", "unreadable", unreadable);
    },
    onOverrun(lost) {
      agent.countLoss("ConnectionCreate", `${stream}-overrun`, lost ?? 0);
      desk.look();
    },
    onEnd(problem) {
      open.delete(stream);
      log.warn({ stream, reason: problem.detail }, "the kernel's notices ended");
    },
  });
  if (!opened.ok) return { problems: [without(opened.problem, stream)], stop: () => undefined };
  open.add(stream);
  return { problems: [], stop: () => opened.value.stop() };
}

function without(problem: Problem, stream: KernelStream): Problem {
  const lost =
    stream === "conntrack"
      ? "UDP flows are not seen, and processes of short outbound connections not found"
      : "connections that end between two looks are not seen";
  return { ...problem, detail: `${problem.detail}; ${lost}` };
}

/** Rules that track connections are in force: the kernel tells of every new one. */
function isTracking(context: ConnectionsContext): boolean {
  const count = context.probe.readText(COUNT_FILE, 64);
  return count.ok && Number(count.value) > 0;
}
