/** A process that scans a root again and again, as the agent does: prints CPU per scan. */
import { createDevice } from "../src/baseline/device.ts";
import { judgeRule } from "../src/baseline/judge-rule.ts";
import { RULES } from "../src/baseline/rules/index.ts";
import { createProbe } from "../src/system/probe.ts";

const SCANS = 6;
const probe = createProbe({ root: process.argv[2] ?? "/" });

function scan(): { readonly cpuMs: number; readonly wallMs: number; readonly verdicts: number } {
  const before = process.cpuUsage();
  const startMs = performance.now();
  const device = createDevice(probe, Date.now());
  const outcomes = RULES.map((rule) => judgeRule(rule, device));
  const { user, system } = process.cpuUsage(before);
  const decided = outcomes.filter(({ verdict }) => verdict === "pass" || verdict === "fail");
  return {
    cpuMs: (user + system) / 1_000,
    wallMs: performance.now() - startMs,
    verdicts: decided.length,
  };
}

const rssBefore = process.memoryUsage().rss;
const scans = Array.from({ length: SCANS }, scan);
const rssBytes = process.memoryUsage().rss - rssBefore;
process.stdout.write(JSON.stringify({ scans, rssBytes }));
