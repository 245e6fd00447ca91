import type { Device } from "../device.ts";
import { loginDefs } from "../facts/accounts.ts";
import type { ConfigLine } from "../facts/config-text.ts";
import { ROOT_SHELL_FILES, shellLines } from "../facts/shell-files.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";
import { ownerText } from "./file.ts";

/** Every folder in root's PATH exists, is root's, and is not for others to write. */
export interface RootPathCheck {
  readonly test: "root-path";
}

interface PathEntry {
  readonly source: string;
  readonly folder: string;
}

/** Most folders that are looked at. */
const MOST_FOLDERS = 500;
/** Source: login.defs(5), ENV_SUPATH. */
const DEFAULT = "/sbin:/bin:/usr/sbin:/usr/bin";

/** `${PATH:+$PATH:}` and its like: what they stand for is judged where it is set. */
const CONDITIONAL = /\$\{\w+:[^}]*\}/;

function entriesOf(source: string, value: string): readonly PathEntry[] {
  const parts = value.split(CONDITIONAL);
  return parts.flatMap((part, at) => {
    const start = at > 0 ? part.replace(/^:/, "") : part;
    const text = at < parts.length - 1 ? start.replace(/:$/, "") : start;
    if (text === "" && parts.length > 1) return [];
    return text.split(":").flatMap((folder) => {
      const plain = folder.replace(/^(?:~|\$HOME|\$\{HOME\})(?=\/|$)/, "/root");
      return plain.includes("$") || plain.includes("`") ? [] : [{ source, folder: plain }];
    });
  });
}

/** Lines that root's shell may run: an `else` after a test for user id 0 is for the others. */
function linesForRoot(lines: readonly ConfigLine[]): readonly ConfigLine[] {
  let isRootTest = false;
  let isForOthers = false;
  let path = "";
  return lines.filter((line) => {
    if (line.path !== path) {
      isRootTest = false;
      isForOthers = false;
      path = line.path;
    }
    if (/^if\b.*(?:\bid -u\b|\$EUID|\$UID|\$\{E?UID\}).*(?:-eq|==?)\s*"?0\b/.test(line.text))
      isRootTest = true;
    else if (isRootTest && /^else\b/.test(line.text)) isForOthers = true;
    else if (/^fi\b/.test(line.text)) {
      isRootTest = false;
      isForOthers = false;
    }
    return !isForOthers;
  });
}

function fromShells(lines: readonly ConfigLine[]): readonly PathEntry[] {
  const pattern = /(?:^|[\s;&])PATH(\+?)=(?:"([^"]*)"|'([^']*)'|([^\s;&]*))/g;
  return linesForRoot(lines).flatMap(({ path, number, text }) =>
    [...text.matchAll(pattern)].flatMap(([, plus, double, single, bare]) => {
      const value = double ?? single ?? bare ?? "";
      // What is added follows what was there.
      return entriesOf(`${path}, line ${number}`, plus === "+" ? `$PATH${value}` : value);
    }),
  );
}

function fault({ source, folder }: PathEntry, device: Device): Outcome {
  const expected = "a folder of root that only root may write";
  if (!folder.startsWith("/")) {
    return decide(false, evidence(source, expected, folder === "" ? "an empty entry" : folder));
  }
  const facts = device.facts(folder);
  if (facts.state === "unreadable") return because("error", facts.reason);
  if (facts.state === "missing") {
    return decide(false, evidence(`${source}: ${folder}`, expected, "not there"));
  }
  const { kind, mode, userId } = facts.value;
  const isGood = kind === "folder" && userId === 0 && (mode & 0o022) === 0;
  const found = kind === "folder" ? ownerText(facts.value) : `a ${kind}`;
  return decide(isGood, evidence(`${source}: ${folder}`, expected, found));
}

/** PATH of login.defs, /etc/environment, and of the files that root's shell reads. */
export function judgeRootPath(_check: RootPathCheck, device: Device): Outcome {
  const defs = loginDefs(device);
  const environment = shellLines(device, ["/etc/environment"]);
  const shells = shellLines(device, ROOT_SHELL_FILES);
  for (const fact of [defs, environment, shells]) {
    if (fact.state === "unreadable") return because("error", fact.reason);
  }
  const superPath = defs.state === "value" ? defs.value.get("ENV_SUPATH") : undefined;
  const login = superPath?.replace(/^PATH=/, "") ?? DEFAULT;
  const origin = superPath === undefined ? "default PATH" : "/etc/login.defs";
  const entries = [
    ...fromShells(environment.state === "value" ? environment.value : []),
    ...fromShells(shells.state === "value" ? shells.value : []),
  ];
  if (superPath !== undefined || entries.length === 0) entries.push(...entriesOf(origin, login));
  const byFolder = new Map(entries.map((entry) => [entry.folder, entry]));
  if (byFolder.size > MOST_FOLDERS)
    return because("error", `PATH: more than ${MOST_FOLDERS} folders`);
  const outcomes = [...byFolder.values()].map((entry) => fault(entry, device));
  const bad = outcomes.filter((one) => one.verdict !== "pass");
  return allOf(bad.length > 0 ? bad : outcomes);
}
