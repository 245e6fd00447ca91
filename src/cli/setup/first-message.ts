import { join } from "node:path";
import type { Clock } from "../../contract/clock.ts";
import { isJsonObject, type JsonValue } from "../../contract/json.ts";
import { parseJson } from "../../parse/json.ts";
import { readSmallText } from "../../system/files.ts";
import { createProbe } from "../../system/probe.ts";
import type { ServiceControl, ServiceStatus } from "../../system/service-control.ts";

/** What the service's state directory says of it. */
export interface StateSigns {
  /** When the agent last took its twin from the hub, Unix ms; 0 for never. */
  readonly twinSavedMs: number;
  /** Messages that the hub acknowledged, by hour since the Unix epoch. */
  readonly messages: ReadonlyMap<number, number>;
}

/** How far the service came. */
export type StartOutcome =
  /** The hub acknowledged a message. */
  | { readonly reached: "message" }
  /** It took its twin from the hub; nothing was due to be sent yet. */
  | { readonly reached: "hub" }
  /** It runs and has no connection. */
  | { readonly reached: "running" }
  /** It ended by itself. */
  | { readonly reached: "ended"; readonly status: ServiceStatus };

const MAX_LEDGER_BYTES = 65_536;
const POLL_MS = 500;
const TELL_EVERY_MS = 10_000;

/**
 * Reads the signs: `twin.json` is replaced whenever the twin came, `ledger.json` whenever the hub
 * acknowledged a message. Files that are not there say that nothing happened yet.
 */
export function readStateSigns(stateDirectory: string): StateSigns {
  const twin = createProbe({ root: "/" }).facts(join(stateDirectory, "twin.json"));
  const ledger = readSmallText(join(stateDirectory, "ledger.json"), MAX_LEDGER_BYTES);
  const parsed = ledger.ok ? parseJson(ledger.value, "ledger") : ledger;
  return {
    twinSavedMs: twin.ok ? twin.value.modifiedMs : 0,
    messages: parsed.ok ? messagesByHour(parsed.value) : new Map(),
  };
}

function messagesByHour(ledger: JsonValue): ReadonlyMap<number, number> {
  const list = isJsonObject(ledger) ? ledger["buckets"] : undefined;
  const buckets: readonly JsonValue[] = Array.isArray(list) ? list : [];
  const found = new Map<number, number>();
  for (const bucket of buckets.slice(0, 100)) {
    if (!isJsonObject(bucket)) continue;
    const { hour, messages } = bucket;
    if (typeof hour === "number" && typeof messages === "number") found.set(hour, messages);
  }
  return found;
}

/** What is new since `before`, which was read while the service was stopped. */
export function compareSigns(before: StateSigns, now: StateSigns): "message" | "hub" | "nothing" {
  for (const [hour, count] of now.messages) {
    if (count > (before.messages.get(hour) ?? 0)) return "message";
  }
  return now.twinSavedMs > before.twinSavedMs ? "hub" : "nothing";
}

export interface WaitOptions {
  readonly control: Pick<ServiceControl, "status">;
  readonly clock: Clock;
  readonly before: StateSigns;
  readonly signs: () => StateSigns;
  readonly limitMs: number;
  /** Called when something is reached, and now and then in between. */
  readonly tell: (text: string) => void;
}

/** Waits until the hub acknowledged the service's first message, it ended, or the time is up. */
export async function waitForFirstMessage(options: WaitOptions): Promise<StartOutcome> {
  const { clock, control, before, limitMs, tell } = options;
  const startedAtMs = clock.monotonicMs();
  const first = await control.status();
  const restartsBefore = first.ok ? first.value.restarts : 0;
  let isAtHub = false;
  let toldAtMs = startedAtMs;
  for (;;) {
    const progress = compareSigns(before, options.signs());
    if (progress === "message") return { reached: "message" };
    if (progress === "hub" && !isAtHub) tell("connected to the hub, its twin is read");
    isAtHub ||= progress === "hub";
    const status = await control.status();
    if (status.ok && hasEnded(status.value, restartsBefore)) {
      return { reached: "ended", status: status.value };
    }
    const nowMs = clock.monotonicMs();
    if (nowMs - startedAtMs >= limitMs) return { reached: isAtHub ? "hub" : "running" };
    if (nowMs - toldAtMs >= TELL_EVERY_MS) {
      toldAtMs = nowMs;
      const left = Math.ceil((limitMs - (nowMs - startedAtMs)) / 1_000);
      const what = isAtHub ? "the first message" : "the connection";
      tell(`waiting for ${what}, ${left} s more at most`);
    }
    await clock.sleep(POLL_MS);
  }
}

/** Also when systemd starts it anew: it ended all the same. */
function hasEnded(status: ServiceStatus, restartsBefore: number): boolean {
  if (status.activeState === "failed" || status.activeState === "inactive") return true;
  return status.restarts > restartsBefore || status.result !== "success";
}

/** Lines of the service's log for a person: the text and the fields that say why and what to do. */
export function readableLines(lines: readonly string[]): readonly string[] {
  return lines.map((line) => {
    const parsed = parseJson(line, "log line");
    if (!parsed.ok || !isJsonObject(parsed.value)) return printable(line);
    const fields = parsed.value;
    const words = ["msg", "detail", "reason", "remedy"]
      .map((name) => fields[name])
      .filter((value) => typeof value === "string");
    return printable(words.join("; "));
  });
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 300);
}
