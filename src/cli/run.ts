import { dirname, join, resolve } from "node:path";
import { superviseAgent } from "../agent/supervisor.ts";
import { readConfig } from "../config/read-config.ts";
import { AgentError } from "../contract/errors.ts";
import { systemClock } from "../system/clock.ts";
import { memory } from "../system/environment.ts";
import { readSmallText } from "../system/files.ts";
import { createLog } from "../system/log.ts";
import { createMemoryRest, giveMemoryBack } from "../system/memory-rest.ts";
import { createServiceNotifier } from "../system/service-notify.ts";
import { assembleAgent } from "./assemble.ts";
import { type Command, parseArguments } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { guardProcess, untilStopped } from "./process-end.ts";
import { VERSION } from "./version.ts";

const STOP_DEADLINE_MS = 10_000;
const MAX_CONFIG_BYTES = 1_048_576;

const HELP = `Usage: gatewarden run --config FILE

Runs the agent until SIGTERM or Ctrl-C, then flushes for at most 10 seconds. A second Ctrl-C ends it
at once; what was not sent stays on disk.

  --config FILE   the configuration (docs/configuration.md). GATEWARDEN_* variables override it;
                  with those alone no file is needed.

A hub that cannot be reached is no reason to end: events are collected, wait on disk, and go out when
the hub is back. The log goes to standard error, as JSON unless that is a terminal.

Exit codes: 0 stopped, 2 wrong usage, 3 configuration or identity cannot be used, 4 state directory
cannot be used.`;

/** Text of the configuration file. Throws AGENT_CONFIG_UNREADABLE. */
export function readConfigFile(path: string): string {
  const text = readSmallText(path, MAX_CONFIG_BYTES);
  if (text.ok) return text.value;
  throw new AgentError("AGENT_CONFIG_UNREADABLE", `${path}: ${text.problem.detail}`, {
    remedy: "Name a readable configuration file: gatewarden run --config FILE.",
  });
}

/** Folder that the unit takes credentials from: the one beside the configuration. */
export function credentialsBeside(configFile: string): string {
  return join(dirname(resolve(configFile)), "credentials");
}

/** `gatewarden run`: the daemon. */
export const runCommand: Command = {
  help: HELP,
  async run(args, { environment }) {
    const parsed = parseArguments(
      args,
      { config: { type: "string", short: "c" } },
      { command: "run", positionals: 0 },
    );
    const file = parsed.text("config");
    const hasOverrides = Object.keys(environment.variables).some((name) =>
      name.startsWith("GATEWARDEN_"),
    );
    if (file === undefined && !hasOverrides) {
      throw new AgentError("AGENT_USAGE", "no configuration is named", {
        remedy: "gatewarden run --config FILE; see docs/configuration.md for a first file.",
      });
    }
    const text = file === undefined ? undefined : readConfigFile(file);
    const reading = readConfig(text, environment.variables);
    const log = createLog({ level: reading.config.log.level });
    // Without a transport the error that ends the command names every fault.
    if (reading.transport !== undefined) {
      for (const { key, message } of reading.faults) {
        log.warn({ key, message }, "configuration fault");
      }
      for (const { key, message } of reading.warnings) log.warn({ key, message }, "configuration");
    }
    const { agent, agentId, beginRun, release } = await assembleAgent({
      reading,
      environment,
      log,
      ...(file === undefined ? {} : { credentialsSource: credentialsBeside(file) }),
    });
    const guard = guardProcess(log);
    const notifier = createServiceNotifier(environment.supervision, log);
    try {
      const run = beginRun();
      await agent.start();
      log.info({ version: VERSION, agentId, transport: reading.config.transport }, "agent started");
      // A hub that is away is no reason to be not ready: events are collected and kept.
      notifier.ready();
      const watchdogMs = environment.supervision?.watchdogMs;
      const supervisor = superviseAgent({
        agent,
        listener: notifier,
        record: run,
        clock: systemClock,
        log,
        watchdogMs,
        memory: createMemoryRest({
          clock: systemClock,
          residentBytes: () => memory().residentBytes,
          giveBack: giveMemoryBack,
          prepare: () => agent.toDisk(),
        }),
      });
      const why = await untilStopped();
      log.info({ why }, "agent stops");
      notifier.stopping();
      await agent.stop(STOP_DEADLINE_MS);
      supervisor.stop();
      run.end();
      log.info({}, "agent stopped");
    } finally {
      notifier.close();
      guard.release();
      release();
      log.close();
    }
    return EXIT.ok;
  },
};
