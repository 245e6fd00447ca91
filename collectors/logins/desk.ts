import type { Timer } from "../../src/contract/clock.ts";
import type { CollectorContext } from "../../src/contract/collector.ts";
import type { EventDraft } from "../../src/contract/event.ts";
import type { JsonValue } from "../../src/contract/json.ts";
import type { Infer } from "../../src/contract/schema.ts";
import type { LoginMessage } from "../../src/parse/login/read-message.ts";
import type { LoginSighting } from "../../src/parse/login/sighting.ts";
import type { Positions } from "./positions.ts";
import type { loginsSettings } from "./schema.ts";
import { type LoginSource, loginItem, type SeenLogin } from "./seen-login.ts";

export type LoginsContext = CollectorContext<Infer<typeof loginsSettings>>;

/** How long a login waits for what else its source, or another one, says of it. */
const WAIT_MS = 5_000;
/** Two messages of the same login are at most so far apart. */
const APART_MS = 5_000;
/** But on a machine that is busy, where so much may lie between the first word and the second. */
const LATE_MS = 60_000;
/** A position is stored this often where nothing was reported: reading again does no harm. */
const STORE_MS = 300_000;
const MOST_WAITING = 1_000;
const MOST_CONNECTIONS = 1_024;
const MOST_REPEATS = 100;
const MOST_TOLD_ONCE = 256;

/** What a source hands over: a message, who wrote it, and the position behind it. */
export interface LoginEntry {
  readonly message: LoginMessage;
  readonly processId: number;
  readonly executable: string | undefined;
  readonly occurredAtMs: number;
  /** Names the entry among all that were ever written: reading it again gives the same event. */
  readonly key: string;
}

/** Makes one event of each login, and keeps the position in the log. */
export interface Desk {
  entry(entry: LoginEntry): void;
  /** Another source saw a login: it is named in the event, and makes none of its own. */
  alsoSeen(login: SeenLogin, source: LoginSource): void;
  /** Everything up to this position has been handed over. */
  reached(position: JsonValue): void;
  stop(): void;
}

interface Waiting {
  login: SeenLogin;
  /** Both the program and its PAM module have told of it. */
  isToldTwice: boolean;
  /** That of its first message. */
  readonly key: string;
  readonly sources: Set<LoginSource>;
  readonly untilMs: number;
  /** What is stored once it is reported. */
  position: JsonValue | undefined;
}

/** `source` is the one that events come from. */
export function createDesk(
  context: LoginsContext,
  emit: (drafts: readonly EventDraft[]) => void,
  source: LoginSource,
  positions: Positions,
): Desk {
  const { clock, agent } = context;
  let waiting: Waiting[] = [];
  let timer: Timer | undefined;
  let storeTimer: Timer | undefined;
  let unstored: JsonValue | undefined;
  /** Connections whose attempts were told one by one. */
  const told = new Set<string>();
  /** Reported when only one of the two who tell of a login had. */
  let toldOnce: SeenLogin[] = [];
  const early: {
    readonly login: SeenLogin;
    readonly source: LoginSource;
    readonly untilMs: number;
  }[] = [];

  function arm(): void {
    const [first] = waiting;
    if (timer !== undefined || first === undefined) return;
    timer = clock.after(first.untilMs - clock.monotonicMs(), () => {
      timer = undefined;
      report(clock.monotonicMs());
      arm();
    });
  }

  /** Events first, the position after them: a crash in between repeats, and loses nothing. */
  function report(nowMs: number): void {
    const last = waiting.filter(({ untilMs }) => untilMs <= nowMs).at(-1);
    if (last === undefined) return;
    // What shares its position goes with it: the position stands for all of them.
    const count = waiting.map((one) => isWith(one, last)).lastIndexOf(true) + 1;
    const due = waiting.slice(0, count);
    waiting = waiting.slice(due.length);
    emit(due.flatMap(draftsOf));
    const single = due.filter((one) => !one.isToldTwice && one.login.sighting.result === "Success");
    toldOnce = [...toldOnce, ...single.map(({ login }) => login)].slice(-MOST_TOLD_ONCE);
    const position = waiting.length === 0 ? (unstored ?? last.position) : last.position;
    if (position !== undefined) store(position);
  }

  function store(position: JsonValue): void {
    storeTimer?.cancel();
    storeTimer = undefined;
    if (waiting.length === 0) unstored = undefined;
    positions.store(position);
  }

  function draftsOf({ login, key, sources }: Waiting): readonly EventDraft[] {
    const { sighting, occurredAtMs } = login;
    const isRepeated = sighting.operation !== "sudo" && sighting.attempts !== undefined;
    const count = isRepeated ? Math.min(sighting.attempts ?? 1, MOST_REPEATS) : 1;
    const { attempts: _, ...once } = sighting;
    const item = loginItem(isRepeated ? { ...login, sighting: once } : login, [...sources]);
    return Array.from({ length: count }, (_once, at) => ({
      name: "Login",
      payload: [item],
      occurredAtMs,
      key: `${key} ${at}`,
    }));
  }

  function add(login: SeenLogin, key: string): void {
    const { sighting } = login;
    if (sighting.remoteAddress !== undefined) {
      remember(connectionKey(sighting.remoteAddress, sighting.remotePort));
    }
    const same = waiting.find(
      (one) =>
        isToldTwice(one.login, login, APART_MS) ||
        (!one.isToldTwice && isToldTwice(one.login, login, LATE_MS)),
    );
    if (same !== undefined) {
      same.login = { ...same.login, sighting: { ...same.login.sighting, ...sighting } };
      same.isToldTwice = true;
      return;
    }
    // Each of them takes one late word, so that the next login of the same user is not taken for it.
    const late = toldOnce.findIndex((one) => isToldTwice(one, login, LATE_MS));
    if (late >= 0) {
      toldOnce.splice(late, 1);
      return;
    }
    if (waiting.length >= MOST_WAITING) {
      agent.countLoss("Login", "queue-full", 1);
      return;
    }
    const untilMs = clock.monotonicMs() + WAIT_MS;
    const one: Waiting = {
      login,
      isToldTwice: false,
      key,
      sources: new Set([source]),
      untilMs,
      position: undefined,
    };
    waiting.push(one);
    const before = early.findIndex((other) => isSame(other.login, login));
    if (before >= 0) for (const other of early.splice(before, 1)) one.sources.add(other.source);
    arm();
  }

  function remember(key: string): void {
    told.add(key);
    const [oldest] = told;
    if (told.size > MOST_CONNECTIONS && oldest !== undefined) told.delete(oldest);
  }

  return {
    entry({ message, key, ...facts }) {
      if (message.kind === "sighting") {
        add({ ...facts, sighting: message.sighting }, key);
        return;
      }
      const { remoteAddress, remotePort, userName, isInvalidUser } = message.connection;
      if (told.delete(connectionKey(remoteAddress, remotePort))) return;
      const sighting: LoginSighting = {
        operation: message.connection.operation,
        result: "Fail",
        userName,
        remoteAddress,
        remotePort,
        reason: "ended before anybody was let in",
        ...(isInvalidUser ? { isInvalidUser } : {}),
      };
      add({ ...facts, sighting }, key);
    },
    alsoSeen(login, other) {
      const same = waiting.find((one) => isSame(one.login, login) && !one.sources.has(other));
      if (same !== undefined) {
        same.sources.add(other);
        return;
      }
      const nowMs = clock.monotonicMs();
      while (early.length > 0 && (early[0]?.untilMs ?? 0) < nowMs) early.shift();
      if (early.length < MOST_WAITING) {
        early.push({ login, source: other, untilMs: nowMs + APART_MS });
      }
    },
    reached(position) {
      unstored = position;
      for (const one of waiting) one.position ??= position;
      if (waiting.length > 0) return;
      storeTimer ??= clock.after(STORE_MS, () => {
        if (unstored !== undefined) store(unstored);
      });
    },
    stop() {
      timer?.cancel();
      storeTimer?.cancel();
      report(Number.POSITIVE_INFINITY);
      if (unstored !== undefined) store(unstored);
      positions.close();
    },
  };
}

function isWith(one: Waiting, last: Waiting): boolean {
  return one === last || (last.position !== undefined && one.position === last.position);
}

function connectionKey(address: string, port: number | undefined): string {
  return `${address} ${port ?? ""}`;
}

/** A program and its PAM module both say that somebody was let in, each from a process of its own. */
function isToldTwice(a: SeenLogin, b: SeenLogin, apartMs: number): boolean {
  const isIn = a.sighting.result === "Success" && b.sighting.result === "Success";
  return (
    isIn &&
    a.sighting.isByPam !== b.sighting.isByPam &&
    a.sighting.operation === b.sighting.operation &&
    a.sighting.userName === b.sighting.userName &&
    Math.abs(a.occurredAtMs - b.occurredAtMs) <= apartMs
  );
}

/** Two sources mean the same: processes differ where a program has several. */
function isSame(a: SeenLogin, b: SeenLogin): boolean {
  if (a.sighting.result !== b.sighting.result) return false;
  if (a.sighting.operation !== b.sighting.operation) return false;
  if (Math.abs(a.occurredAtMs - b.occurredAtMs) > APART_MS) return false;
  if (a.processId === b.processId) return true;
  const remote = a.sighting.remoteAddress;
  return remote !== undefined && remote === b.sighting.remoteAddress;
}
