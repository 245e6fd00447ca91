/**
 * A watch collector on the real kernel: one JSON line per payload item; ends with standard input.
 *
 *   watch-worker.ts COLLECTOR [SETTINGS as JSON]
 */
import { COLLECTORS } from "../../collectors/index.ts";
import type { AgentFacts } from "../../src/contract/agent-facts.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createProbe } from "../../src/system/probe.ts";
import { contextOf, settingsOf } from "../collectors/case-run.ts";

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

const [name = "", settings = "{}"] = process.argv.slice(2);
const collector = COLLECTORS.find((one) => one.name === name);
if (collector?.mode !== "watch") throw new Error(`${name} is no watch collector`);
const base = contextOf(createProbe({ root: "/" }), settingsOf(collector, JSON.parse(settings)));
const losses: Record<string, number> = {};
const agent: AgentFacts = {
  ...base.agent,
  countLoss: (_name, reason, count) => {
    losses[reason] = (losses[reason] ?? 0) + Math.max(1, count);
  },
};
const watch = await collector.watch({ ...base, agent, clock: systemClock }, (drafts) => {
  for (const draft of drafts) for (const item of draft.payload) say({ Name: draft.name, ...item });
});
say({ ready: true, problems: watch.problems });
process.stdin.resume().once("end", () => {
  void watch.stop().then(() => say({ losses }));
});
