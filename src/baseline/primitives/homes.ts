import type { FileFacts } from "../../contract/probe.ts";
import type { Account } from "../../parse/accounts.ts";
import type { Device } from "../device.ts";
import { type Fact, MISSING, unreadableFact, valueFact } from "../fact.ts";
import { homeAccounts } from "../facts/homes.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";
import { modeText } from "./file.ts";

/** A question about the home folders of all accounts with a shell. */
export type HomesCheck =
  | { readonly test: "homes"; readonly question: "exists" | "owner" }
  | { readonly test: "homes"; readonly question: "mode"; readonly maxMode: number }
  /** No file of these names. */
  | { readonly test: "homes"; readonly question: "without"; readonly names: readonly string[] }
  /** Files whose names match have no other permission bits; without such a file it does not apply. */
  | {
      readonly test: "homes";
      readonly question: "file-mode";
      /** A name, or `.*` for all that begin with a dot. */
      readonly name: string;
      readonly maxMode: number;
    };

/** Most accounts, and most files of a home, that are looked at. */
const MOST_ACCOUNTS = 2000;
const MOST_DOT_FILES = 5000;

interface Look {
  /** What breaks the rule. */
  readonly offenders: readonly string[];
  /** Things that were judged. */
  readonly seen: number;
}

/** Facts of a home; missing when it is no folder. */
function homeFacts(device: Device, account: Account): Fact<FileFacts> {
  if (!account.home.startsWith("/")) return MISSING;
  const facts = device.facts(account.home);
  return facts.state === "value" && facts.value.kind !== "folder" ? MISSING : facts;
}

function lookAtFolder(check: HomesCheck, device: Device, account: Account): Fact<Look> {
  const facts = homeFacts(device, account);
  if (facts.state === "unreadable") return facts;
  if (facts.state === "missing") {
    const isAsked = check.question === "exists";
    const offenders = isAsked ? [`${account.name}: ${account.home || "no home"} is no folder`] : [];
    return valueFact({ offenders, seen: isAsked ? 1 : 0 });
  }
  const { mode, userId } = facts.value;
  if (check.question === "mode" && (mode & 0o777 & ~check.maxMode) !== 0) {
    return valueFact({ offenders: [`${account.home} ${modeText(mode)}`], seen: 1 });
  }
  if (check.question === "owner" && userId !== account.userId) {
    return valueFact({ offenders: [`${account.home} of user ${userId}`], seen: 1 });
  }
  return valueFact({ offenders: [], seen: 1 });
}

/** Paths of files with the name; links are not followed: what they lead to is not the user's. */
function namedFiles(device: Device, home: string, name: string): Fact<readonly string[]> {
  const base = home.replace(/\/+$/, "");
  if (name !== ".*") {
    const facts = device.linkFacts(`${base}/${name}`);
    if (facts.state !== "value") return facts;
    return valueFact([`${base}/${name}`]);
  }
  const names = device.folder(home);
  if (names.state !== "value") return names;
  const dotted = names.value.filter((one) => one.startsWith("."));
  if (dotted.length > MOST_DOT_FILES) {
    return unreadableFact(`${home}: more than ${MOST_DOT_FILES} dot files`);
  }
  return valueFact(dotted.map((one) => `${base}/${one}`));
}

function lookAtFiles(check: HomesCheck, device: Device, account: Account): Fact<Look> {
  const home = homeFacts(device, account);
  if (home.state === "unreadable") return home;
  if (home.state === "missing") return valueFact({ offenders: [], seen: 0 });
  const names = check.question === "without" ? check.names : [];
  const wanted = check.question === "file-mode" ? [check.name] : names;
  const offenders: string[] = [];
  let seen = 0;
  for (const name of wanted) {
    const paths = namedFiles(device, account.home, name);
    if (paths.state === "unreadable") return paths;
    for (const path of paths.state === "value" ? paths.value : []) {
      seen += 1;
      if (check.question === "without") offenders.push(path);
      if (check.question !== "file-mode") continue;
      const facts = device.linkFacts(path);
      if (facts.state === "unreadable") return facts;
      if (facts.state === "missing" || facts.value.kind !== "file") continue;
      const { mode } = facts.value;
      if ((mode & 0o777 & ~check.maxMode) !== 0) offenders.push(`${path} ${modeText(mode)}`);
    }
  }
  return valueFact({ offenders, seen });
}

function expectedText(check: HomesCheck): string {
  switch (check.question) {
    case "exists":
      return "home folders that exist";
    case "owner":
      return "home folders owned by their users";
    case "mode":
      return `home folders with mode ${modeText(check.maxMode)} or tighter`;
    case "without":
      return `no ${check.names.join(", ")}`;
    case "file-mode":
      return `${check.name} with mode ${modeText(check.maxMode)} or tighter`;
  }
}

/** Asks the question for each home. Root's home counts where files in it are asked for. */
export function judgeHomes(check: HomesCheck, device: Device): Outcome {
  const asksForFiles = check.question === "without" || check.question === "file-mode";
  const users = homeAccounts(device, asksForFiles);
  if (users.state === "unreadable") return because("error", users.reason);
  if (users.state === "missing") return because("not-applicable", "there is no /etc/passwd");
  if (users.value.length === 0) return because("not-applicable", "no account has a shell");
  if (users.value.length > MOST_ACCOUNTS) {
    return because("error", `more than ${MOST_ACCOUNTS} accounts with a shell`);
  }
  const offenders: string[] = [];
  let seen = 0;
  let failure: string | undefined;
  for (const account of users.value) {
    const look = asksForFiles
      ? lookAtFiles(check, device, account)
      : lookAtFolder(check, device, account);
    if (look.state === "unreadable") failure ??= look.reason;
    if (look.state !== "value") continue;
    offenders.push(...look.value.offenders);
    seen += look.value.seen;
  }
  const found =
    offenders.length === 0 ? `${seen} seen` : `${offenders.length}: ${offenders.join(", ")}`;
  const look = evidence("home folders", expectedText(check), found);
  if (offenders.length > 0) return decide(false, look);
  if (failure !== undefined) return because("error", failure);
  if (seen === 0 && check.question !== "without") {
    return because("not-applicable", `${expectedText(check)}: there is none`, [look]);
  }
  return decide(true, look);
}
