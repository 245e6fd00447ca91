import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import { entriesOf, fieldOf, lineOf } from "./field.ts";
import type { ModuleSetting } from "./hub-facts.ts";

/** Keyed hash of a text, the same for the same text within one run only. */
export type Digest = (text: string) => string;

/** Most settings of a module that are told apart; what is beyond counts as one. */
const MOST_SETTINGS = 200;
const DEEPEST = 6;

interface Leaf {
  readonly path: string;
  readonly value: string;
  /** It cannot hold a secret, so that a report may show it. */
  readonly isShown: boolean;
}

/**
 * Settings of a module as they are compared: image without digest, createOptions, environment, status and
 * restart policy, each by its path. Values of createOptions and environment are kept as hashes: they may
 * hold passwords.
 */
export function leavesOf(module: JsonValue, options: JsonObject | undefined): readonly Leaf[] {
  const settings = fieldOf(module, "settings");
  const image = lineOf(fieldOf(settings, "image"), 512).replace(/@sha256:[0-9a-f]{1,64}$/i, "");
  const plain: readonly (readonly [string, string])[] = [
    ["image", image],
    ["status", lineOf(fieldOf(module, "status"))],
    ["restartPolicy", lineOf(fieldOf(module, "restartPolicy"))],
  ];
  const environment = entriesOf(fieldOf(module, "env"))
    .map(([name, one]) => ({
      path: `env.${name.toLowerCase()}`,
      value: canonicalText(fieldOf(one, "value") ?? one),
      isShown: false,
    }))
    .sort(byPath);
  const leaves = [
    ...plain.map(([path, value]) => ({ path, value, isShown: true })),
    ...environment,
    ...(options === undefined ? [] : optionLeaves(options, "createOptions", 0)),
  ];
  if (leaves.length <= MOST_SETTINGS) return leaves;
  const rest = leaves.slice(MOST_SETTINGS).map(({ path, value }) => `${path}=${value}`);
  return [
    ...leaves.slice(0, MOST_SETTINGS),
    { path: "more settings", value: rest.join("\n"), isShown: false },
  ];
}

function optionLeaves(value: JsonValue, path: string, depth: number): readonly Leaf[] {
  if (!isJsonObject(value) || depth >= DEEPEST) {
    return [{ path, value: canonicalText(value), isShown: false }];
  }
  return Object.entries(value)
    .flatMap(([name, one]) => optionLeaves(one, `${path}.${name}`, depth + 1))
    .sort(byPath);
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  if (a.path === b.path) return 0;
  return a.path < b.path ? -1 : 1;
}

/** The same text for equal values, whatever the order of their fields. */
function canonicalText(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (isJsonObject(value)) {
    const fields = Object.keys(value)
      .sort()
      .map((name) => `${JSON.stringify(name)}:${canonicalText(value[name] ?? null)}`);
    return `{${fields.join(",")}}`;
  }
  return JSON.stringify(value);
}

/** One text for all settings: equal for equal settings. It may hold secrets: hash it, never keep it. */
export function settingsText(name: string, leaves: readonly Leaf[]): string {
  return [name, ...leaves.map(({ path, value }) => `${path}\u0000${value}`)].join("\u0001");
}

/** Settings without what may be secret. */
export function settingsOf(leaves: readonly Leaf[], digest: Digest): readonly ModuleSetting[] {
  return leaves.map(({ path, value, isShown }) => ({
    path: lineOf(path, 200),
    hash: digest(value),
    ...(isShown ? { text: value } : {}),
  }));
}
