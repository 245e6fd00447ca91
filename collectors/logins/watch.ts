import type { Watch } from "../../src/contract/collector.ts";
import type { EventDraft } from "../../src/contract/event.ts";
import { ok, type Problem, type Result } from "../../src/contract/result.ts";
import { listenToAudit } from "./audit-source.ts";
import { createDesk, type LoginsContext } from "./desk.ts";
import { followJournal } from "./journal-source.ts";
import { createPositions } from "./positions.ts";
import type { LoginSource } from "./seen-login.ts";
import { followTextLog } from "./text-source.ts";
import { followUtmp } from "./utmp-source.ts";

type Emit = (drafts: readonly EventDraft[]) => void;
type Stop = () => void;

/** Sources that events come from, the best first. */
const SOURCES: readonly LoginSource[] = ["journal", "text", "utmp", "audit"];

/** Watches logins by the first source that works; audit records only add their word to another one's. */
export async function watchLogins(context: LoginsContext, emit: Emit): Promise<Watch> {
  const wanted = context.settings.source;
  const problems: Problem[] = [];
  for (const source of wanted === "auto" ? SOURCES : [wanted]) {
    const started = start(context, emit, source);
    if (!started.ok) {
      problems.push(started.problem);
      continue;
    }
    context.log.info({ source }, "logins are read");
    // A better source that does not exist here is no problem; one that may not be read is.
    const kept = problems.filter(({ code }) => code !== "not-found");
    return { problems: kept, stop: async () => started.value() };
  }
  throw new Error(problems.map(({ subject, detail }) => `${subject}: ${detail}`).join("; "));
}

const FOLLOW = { journal: followJournal, text: followTextLog, utmp: followUtmp } as const;

function start(context: LoginsContext, emit: Emit, source: LoginSource): Result<Stop> {
  const positions = createPositions(context);
  const desk = createDesk(context, emit, source, positions);
  if (source === "audit") {
    const alone = listenToAudit(context, (login, serial) => {
      const { sighting, ...facts } = login;
      const key = `audit ${facts.occurredAtMs} ${serial}`;
      desk.entry({ ...facts, message: { kind: "sighting", sighting }, key });
    });
    return alone.ok ? ok(() => stopAll([alone.value, desk.stop])) : alone;
  }
  const followed = FOLLOW[source](context, desk, positions);
  if (!followed.ok) return followed;
  const audit = listenToAudit(context, (login) => desk.alsoSeen(login, "audit"));
  return ok(() => stopAll([followed.value, ...(audit.ok ? [audit.value] : []), desk.stop]));
}

function stopAll(stops: readonly Stop[]): void {
  for (const stop of stops) stop();
}
