/** The collector of connections on the real kernel; one JSON line per event, ends with standard input. */
import { connections } from "../../collectors/connections/index.ts";
import type { AgentFacts } from "../../src/contract/agent-facts.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createProbe } from "../../src/system/probe.ts";
import { contextOf, settingsOf } from "../collectors/case-run.ts";

if (connections.mode !== "watch") throw new Error("connections are watched");
const base = contextOf(createProbe({ root: "/" }), settingsOf(connections, {}));
const losses: Record<string, number> = {};
const agent: AgentFacts = {
  ...base.agent,
  countLoss: (_name, reason, count) => {
    losses[reason] = (losses[reason] ?? 0) + Math.max(1, count);
  },
};
const watch = await connections.watch({ ...base, agent, clock: systemClock }, (drafts) => {
  const items = drafts.flatMap((draft) => draft.payload);
  process.stdout.write(items.map((item) => `${JSON.stringify(item)}\n`).join(""));
});
process.stdout.write(`${JSON.stringify({ ready: true, problems: watch.problems })}\n`);
process.stdin.resume().once("end", () => {
  void watch.stop().then(() => {
    process.stdout.write(`${JSON.stringify({ losses, cpu: process.cpuUsage() })}\n`);
  });
});
