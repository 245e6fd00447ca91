import type { Clock } from "../../src/contract/clock.ts";
import type { Probe } from "../../src/contract/probe.ts";
import { parsePasswd } from "../../src/parse/accounts.ts";
import { plainText } from "../../src/parse/plain-text.ts";

const FILE = "/etc/passwd";
/** How old an answer may be; who is not known is looked for at once. */
const CHECK_MS = 2_000;

/** Names of users by id, from /etc/passwd, which is read again when it has changed. */
export function createUserNames(
  probe: Probe,
  clock: Clock,
): (userId: number) => string | undefined {
  let names = new Map<number, string>();
  let readVersion = "";
  let checkedAtMs = Number.NEGATIVE_INFINITY;

  function refresh(isMissing: boolean): void {
    const nowMs = clock.monotonicMs();
    if (!isMissing && nowMs - checkedAtMs < CHECK_MS) return;
    checkedAtMs = nowMs;
    const facts = probe.facts(FILE);
    if (!facts.ok) return;
    const version = `${facts.value.inode} ${facts.value.modifiedMs} ${facts.value.sizeBytes}`;
    if (version === readVersion) return;
    const text = probe.readText(FILE);
    if (!text.ok) return;
    readVersion = version;
    names = new Map();
    for (const { userId, name } of parsePasswd(text.value).entries) {
      if (!names.has(userId)) names.set(userId, plainText(name));
    }
  }

  return (userId) => {
    refresh(!names.has(userId));
    return names.get(userId);
  };
}
