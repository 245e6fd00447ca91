import { existsSync, readFileSync } from "node:fs";
import { ROOT } from "../benchmark.ts";

/** Flags of node and variables that the unit sets. Source: systemd/gatewarden.service. */
export function unitSettings(): {
  readonly flags: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
} {
  const unit = readFileSync(`${ROOT}systemd/gatewarden.service`, "utf8");
  const words = /^ExecStart=(.*)$/m.exec(unit)?.[1]?.split(" ") ?? [];
  const pairs = [...unit.matchAll(/^Environment="?([A-Z0-9_]+)=([^"\n]*)"?$/gm)];
  return {
    flags: words.filter((word) => word.startsWith("--") && word !== "--config"),
    variables: Object.fromEntries(pairs.map(([, name = "", value = ""]) => [name, value])),
  };
}

/** All flags under which the agent's code runs: those of the unit, and those it sets itself at start. */
export function agentFlags(): readonly string[] {
  const file = `${ROOT}src/system/v8-settings.ts`;
  if (!existsSync(file)) return unitSettings().flags;
  const own = [...readFileSync(file, "utf8").matchAll(/"(--[a-z0-9-]+(?:=[a-z0-9.]+)?)"/g)];
  if (own.length === 0) throw new Error("src/system/v8-settings.ts names no flags any more");
  return [...unitSettings().flags, ...own.map(([, flag = ""]) => flag)];
}
