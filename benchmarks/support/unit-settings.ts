import { existsSync, readFileSync } from "node:fs";
import { ROOT } from "../benchmark.ts";

/** Flags of node and variables that the unit sets. Source: systemd/gatewarden.service. */
export function unitSettings(): {
  readonly flags: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
} {
  const unit = readFileSync(`${ROOT}systemd/gatewarden.service`, "utf8");
  const words = /^ExecStart=(.*)$/m.exec(unit)?.[1]?.split(" ") ?? [];
  const lines = [...unit.matchAll(/^Environment=(.*)$/gm)].map(([, line = ""]) => line);
  const pairs = lines.flatMap((line) => line.replaceAll('"', "").split(/\s+/));
  return {
    flags: words.filter((word) => word.startsWith("--") && word !== "--config"),
    variables: Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/s).slice(0, 2))),
  };
}

/** The words in front of a script that let it run as the agent does under the unit. */
export function agentNode(): readonly string[] {
  const pairs = Object.entries(unitSettings().variables).map(([name, value]) => `${name}=${value}`);
  return ["env", ...pairs, process.execPath, ...agentFlags()];
}

/** Flags of the unit, and those that the agent sets itself at start. */
function agentFlags(): readonly string[] {
  const file = `${ROOT}src/system/v8-settings.ts`;
  if (!existsSync(file)) return unitSettings().flags;
  const own = [...readFileSync(file, "utf8").matchAll(/"(--[a-z0-9-]+(?:=[a-z0-9.]+)?)"/g)];
  if (own.length === 0) throw new Error("src/system/v8-settings.ts names no flags any more");
  return [...unitSettings().flags, ...own.map(([, flag = ""]) => flag)];
}
