import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, MISSING, unreadableFact, valueFact } from "../fact.ts";
import { linesOf, withoutComments } from "./config-text.ts";

const MAIN = "/etc/logrotate.conf";
const MAX_DEPTH = 4;
const SCRIPTS = /^(?:prerotate|postrotate|firstaction|lastaction|preremove)\b/;
/** Names that are left out of an included folder. Source: logrotate(8), tabooext. */
const TABOO =
  /(?:^\.|,v$|\.(?:bak|bkp|cfsaved|disabled|dpkg-\w+|ucf-\w+|rhn-cfg-tmp-.*|rpm\w+|swp|old|orig)$|~$)/;

/** Patterns of files that are rotated. */
export interface LogrotateConfig {
  readonly patterns: readonly string[];
  /** Whether a `rotate`, `size` or a period is set for all. */
  readonly hasDefaults: boolean;
}

interface Reading {
  readonly device: Device;
  readonly patterns: string[];
  hasDefaults: boolean;
}

function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|([^\s"']+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? "",
  );
}

/** A folder yields its files but those with taboo names. */
function included(device: Device, path: string): Fact<readonly string[]> {
  const facts = device.facts(path);
  if (facts.state !== "value") return facts;
  if (facts.value.kind !== "folder") return valueFact([path]);
  const names = device.folder(path);
  if (names.state !== "value") return names;
  const good = names.value.filter((name) => !TABOO.test(name));
  return valueFact([...good].sort().map((name) => `${path}/${name}`));
}

function readIncluded(reading: Reading, target: string, depth: number): string | undefined {
  const files = included(reading.device, target);
  if (files.state === "unreadable") return files.reason;
  for (const file of files.state === "value" ? files.value : []) {
    const failure = read(reading, file, depth + 1);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function read(reading: Reading, path: string, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return `${path}: too many nested includes`;
  const text = reading.device.text(path);
  if (text.state === "unreadable") return text.reason;
  if (text.state === "missing") return undefined;
  let isInBlock = false;
  let isInScript = false;
  for (const { text: line, number } of withoutComments(linesOf(path, text.value))) {
    if (isInScript) {
      isInScript = !/^endscript\b/.test(line);
      continue;
    }
    isInScript = SCRIPTS.test(line);
    if (isInScript) continue;
    if (isInBlock) {
      isInBlock = !line.endsWith("}");
      continue;
    }
    const include = /^include\s+(\S+)$/.exec(line)?.[1];
    if (include !== undefined) {
      const failure = readIncluded(reading, include, depth);
      if (failure !== undefined) return failure;
    } else if (/^[/"'~]/.test(line)) {
      const brace = line.indexOf("{");
      reading.patterns.push(...wordsOf(brace === -1 ? line : line.slice(0, brace)));
      isInBlock = brace !== -1 && !line.endsWith("}");
    } else if (line.startsWith("{")) isInBlock = !line.endsWith("}");
    else if (/^(?:hourly|daily|weekly|monthly|yearly|rotate\s|size\s|maxsize\s)/.test(line))
      reading.hasDefaults = true;
    else if (!/^[a-z]+(?:\s|=|$)/.test(line)) return `${path}, line ${number}: not understood`;
  }
  return isInBlock || isInScript ? `${path}: a block is not closed` : undefined;
}

/** What logrotate rotates. Missing: it is not configured. Source: logrotate(8). */
export const logrotateConfig = oncePerDevice((device): Fact<LogrotateConfig> => {
  if (device.facts(MAIN).state === "missing") return MISSING;
  const reading: Reading = { device, patterns: [], hasDefaults: false };
  const failure = read(reading, MAIN, 0);
  if (failure !== undefined) return unreadableFact(failure);
  return valueFact({ patterns: reading.patterns, hasDefaults: reading.hasDefaults });
});

/** Whether a pattern of logrotate means a file. Source: glob(7). */
export function isRotated(config: LogrotateConfig, path: string): boolean {
  return config.patterns.some((pattern) => {
    const body = pattern.replace(/\*+|\?|[.+^${}()|[\]\\]/g, (mark) => {
      if (mark.startsWith("*")) return "[^/]*";
      return mark === "?" ? "[^/]" : `\\${mark}`;
    });
    return new RegExp(`^${body}$`).test(path);
  });
}
