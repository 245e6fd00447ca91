import type { Probe } from "../../src/contract/probe.ts";
import type { Problem, Result } from "../../src/contract/result.ts";
import { plainText, singleValue } from "../../src/parse/plain-text.ts";

/** Largest attribute of sysfs is one page. Source: sysfs.rst of the kernel documentation. */
const PAGE_BYTES = 65_536;

/** Attributes, links and folders below /sys; what is absent is undefined, refusals are counted. */
export interface Sysfs {
  /** One attribute as a harmless line; undefined when absent, empty or not readable. */
  value(path: string): string | undefined;
  /** Lines `KEY=value` of an attribute such as `uevent`. */
  fields(path: string): ReadonlyMap<string, string>;
  /** Text of a link. */
  link(path: string): string | undefined;
  /** Last part of a link's text: the name of the driver, of the device. */
  linkName(path: string): string | undefined;
  /** Sorted names; undefined when the folder does not exist or cannot be listed. */
  folder(path: string): readonly string[] | undefined;
  /** At most one problem: how much was refused. */
  problems(): readonly Problem[];
}

export function createSysfs(probe: Probe): Sysfs {
  const refused: string[] = [];

  function kept<T>(path: string, result: Result<T>): T | undefined {
    if (result.ok) return result.value;
    if (result.problem.code === "not-permitted") refused.push(path);
    return undefined;
  }

  function text(path: string): string {
    return kept(path, probe.readText(path, PAGE_BYTES)) ?? "";
  }

  function link(path: string): string | undefined {
    return kept(path, probe.readLink(path));
  }

  return {
    value(path) {
      const value = singleValue(text(path));
      return value === "" ? undefined : value;
    },
    fields(path) {
      const pairs = text(path)
        .split("\n")
        .map((line) => /^([A-Z_]{1,64})=(.{0,256})$/.exec(line))
        .flatMap((match) => (match === null ? [] : [[match[1] ?? "", match[2] ?? ""] as const]));
      return new Map(pairs);
    },
    link,
    linkName(path) {
      const target = link(path);
      const name = target === undefined ? "" : plainText(target.slice(target.lastIndexOf("/") + 1));
      return name === "" ? undefined : name;
    },
    folder: (path) => kept(path, probe.listFolder(path)),
    problems() {
      const [first] = refused;
      if (first === undefined) return [];
      const detail = `${refused.length} attributes may not be read, the first is ${plainText(first)}`;
      return [{ code: "not-permitted", subject: "/sys", detail }];
    },
  };
}

/** Distinct texts in order of code units, `;` between them; undefined when there are none. */
export function joinDistinct(texts: readonly string[]): string | undefined {
  const distinct = [...new Set(texts)].sort();
  return distinct.length === 0 ? undefined : distinct.join(";").slice(0, 256);
}

/** The kernel's `0` and `1` as words; undefined for anything else. */
export function flagText(value: string | undefined): string | undefined {
  if (value === "1") return "true";
  return value === "0" ? "false" : undefined;
}

/** Hexadecimal digits of an id without the prefix `0x`; undefined for anything else. */
export function hexDigits(value: string | undefined): string | undefined {
  return /^(?:0x)?([0-9a-f]{1,8})$/.exec(value ?? "")?.[1];
}
