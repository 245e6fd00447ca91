import { basename, dirname, resolve } from "node:path";
import { AgentError } from "../contract/errors.ts";
import { isJsonObject } from "../contract/json.ts";
import type { Log } from "../contract/log.ts";
import { type Analyze, createAnalyze } from "../fleet/analyze/analyze.ts";
import { type AnalyzeConfig, readAnalyzeConfig } from "../fleet/analyze/config.ts";
import { analyzerFactory } from "../fleet/analyze/create-analyzer.ts";
import type { NumberedAlert } from "../fleet/analyze/output.ts";
import { alertRecord } from "../fleet/analyze/outputs/alert-record.ts";
import type { Place } from "../fleet/analyze/place.ts";
import { parseJson } from "../parse/json.ts";
import type { SecurityGroup } from "../posture/alerts/security-group.ts";
import type { DeviceFacts } from "../posture/fleet/device-facts.ts";
import { systemClock } from "../system/clock.ts";
import { readSmallText } from "../system/files.ts";
import { watchFolder } from "../system/folder-watch.ts";
import { createLog, LOG_LEVELS, type LogLevel } from "../system/log.ts";
import { systemRandom } from "../system/random.ts";
import { openSharedFolder } from "../system/shared-folder.ts";
import { clientsOf, outputsOf, storeOf } from "./analyze-assemble.ts";
import { changedDevices, changedGroups, firstGroups } from "./analyze-groups.ts";
import { statisticsFields, statisticsLine } from "./analyze-view.ts";
import { type Command, type CommandContext, parseArguments } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { guardProcess, untilStopped } from "./process-end.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `Usage: gatewarden analyze --config FILE [--groups FILE] [--once] [--log-level LEVEL]

Judges the traffic of a whole fleet by the custom alerts of its device security groups. It reads the built-in
endpoint of an IoT hub, or an event hub that a route fills, and an event hub with the hub's diagnostic logs.
It changes nothing at the hub. Any number of instances may run with the same configuration: they share the
partitions, and when one dies the others go on where it was. docs/analyze.md tells how it is set up.

  -c, --config FILE   the configuration, JSON (docs/schema/analyze-config.schema.json)
  -g, --groups FILE   exported deviceSecurityGroups, instead of groupsFile of the configuration. The file is
                      read again when it changes and on SIGHUP; with a fault in it the rules in force stay
  --once              read every partition to its end, deliver, and stop
  --log-level LEVEL   error, warn, info (the default), debug or silent

Connection strings come from a file, a systemd credential, or the variables
GATEWARDEN_ENDPOINT_CONNECTION_STRING and GATEWARDEN_LOGS_CONNECTION_STRING; never from the command line.

SIGTERM and Ctrl-C: what is read is delivered, the checkpoints are written, the partitions are given back.

Exit codes: 0 stopped or, with --once, all was read; 1 with --once, an event hub cannot be read; 2 wrong usage;
3 configuration, groups or a secret cannot be used; 4 a folder cannot be used.`;

const OPTIONS = {
  config: { type: "string", short: "c" },
  groups: { type: "string", short: "g" },
  once: { type: "boolean", default: false },
  "log-level": { type: "string", default: "info" },
} as const;

const SECOND_MS = 1_000;
/** Source: engines of @azure/event-hubs 6. */
const OLDEST_NODE = 20;
const MAX_CONFIG_BYTES = 1_048_576;
/** Beyond, refused alerts are told in the log only. */
const MAX_REFUSED_BYTES = 10_000_000;

/** `gatewarden analyze`. */
export const analyzeCommand: Command = {
  help: HELP,
  async run(args, context) {
    const parsed = parseArguments(args, OPTIONS, { command: "analyze", positionals: 0 });
    requireNode(context.environment.nodeVersion);
    const log = createLog({ level: levelOf(parsed.text("log-level") ?? "") });
    const config = configOf(parsed.text("config"), context.terminal);
    const groupsFile = parsed.text("groups") ?? config.groupsFile;
    if (groupsFile === undefined) {
      throw new AgentError("AGENT_USAGE", "no security groups are named", {
        remedy: "Name an exported deviceSecurityGroups resource: --groups FILE, or groupsFile.",
      });
    }
    const groups = firstGroups(groupsFile, log, context.terminal);
    const first = changedDevices(config.devicesFile, log);
    if (first === undefined) throw invalid(config.devicesFile ?? "", "is no list of devices");
    const known: KnownDevices = { devices: first };
    const isOnce = parsed.flag("once");
    const analyze = await assemble(config, { isOnce, log, context, known });
    const guard = guardProcess(log);
    try {
      return await serve(analyze, {
        config,
        isOnce,
        log,
        context,
        known,
        groups,
        groupsFile,
      });
    } finally {
      guard.release();
      log.close();
    }
  },
};

/** The list of devices in force. */
interface KnownDevices {
  devices: ReadonlyMap<string, DeviceFacts>;
}

interface Assembly {
  readonly known: KnownDevices;
  readonly isOnce: boolean;
  readonly log: Log;
  readonly context: CommandContext;
}

async function assemble(config: AnalyzeConfig, assembly: Assembly): Promise<Analyze> {
  const { isOnce, log, context, known } = assembly;
  const state = openSharedFolder(config.stateFolder);
  const parts = {
    config,
    state,
    environment: context.environment,
    print: (line: string) => context.terminal.print(line),
  };
  return createAnalyze(
    {
      clients: await clientsOf(parts),
      start: config.start,
      checkpointMs: config.checkpointSeconds * SECOND_MS,
      idleSeconds: config.idleSeconds,
      patienceMs: config.patienceSeconds * SECOND_MS,
      ownershipMs: config.balancing.expirySeconds * SECOND_MS,
      isOnce,
    },
    {
      store: await storeOf(parts),
      outputs: await outputsOf(parts),
      createAnalyzer: analyzerFactory(config, () => known.devices),
      clock: systemClock,
      random: systemRandom,
      log,
      setAside(output: string, alert: NumberedAlert, reason: string, place: Place) {
        const name = `refused-${output}.jsonl`;
        const held = state.read(name, MAX_REFUSED_BYTES);
        if (!held.ok && held.problem.code === "too-large") return;
        state.append(name, `${JSON.stringify({ reason, ...alertRecord(alert, place) })}\n`);
      },
    },
  );
}

interface Service extends Assembly {
  readonly config: AnalyzeConfig;
  readonly groups: readonly SecurityGroup[];
  readonly groupsFile: string;
}

async function serve(analyze: Analyze, service: Service): Promise<number> {
  const { config, isOnce, log, context, groups } = service;
  const stopping = untilStopped();
  await analyze.start(groups);
  const watch = isOnce ? () => undefined : followFiles(analyze, service);
  const tell = tellStatistics(analyze, { config, log, context });
  const ended = isOnce ? analyze.ended.then((fault) => fault ?? "read to the end") : undefined;
  const why = await Promise.race(ended === undefined ? [stopping] : [stopping, ended]);
  watch();
  tell();
  if (typeof why === "string") log.info({ why }, "stopping");
  await analyze.stop();
  log.info(statisticsFields(analyze.statistics()), "stopped");
  if (typeof why === "string") return EXIT.ok;
  throw new AgentError("AGENT_HUB_FAILED", `event hub ${why.kind}: ${why.reason}`, {
    remedy:
      "Check the connection string or the rights, the name of the event hub and its consumer group.",
  });
}

/** Reads groups and devices again when a file of theirs changes, and on SIGHUP. Returns how to stop that. */
function followFiles(analyze: Analyze, { config, groupsFile, known, log }: Service): () => void {
  const { devicesFile } = config;
  const reload = (): void => {
    const groups = changedGroups(groupsFile, log);
    const devices = changedDevices(devicesFile, log);
    if (groups === undefined || devices === undefined) return;
    known.devices = devices;
    analyze.regroup(groups).catch((error: unknown) => {
      log.error({ reason: String(error) }, "security groups not taken up");
    });
  };
  const watches = [groupsFile, ...(devicesFile === undefined ? [] : [devicesFile])].map((path) => {
    const full = resolve(path);
    const watch = watchFolder(dirname(full), new Set([basename(full)]), reload, systemClock);
    if (!watch.ok) log.warn({ path, reason: watch.problem.detail }, "file not watched");
    return watch;
  });
  process.on("SIGHUP", reload);
  return () => {
    process.removeListener("SIGHUP", reload);
    for (const watch of watches) if (watch.ok) watch.value();
  };
}

interface Telling {
  readonly config: AnalyzeConfig;
  readonly log: Log;
  readonly context: CommandContext;
}

/** A line in the log now and then, and on a terminal one that is always there. */
function tellStatistics(analyze: Analyze, { config, log, context }: Telling): () => void {
  const aborter = new AbortController();
  const { terminal } = context;
  const everyMs = config.statisticsSeconds * SECOND_MS;
  async function repeat(delayMs: number, action: () => void): Promise<void> {
    while (!aborter.signal.aborted) {
      await systemClock.sleep(delayMs, aborter.signal);
      if (!aborter.signal.aborted) action();
    }
  }
  const told: Promise<void>[] = [];
  if (terminal.isInteractive) {
    told.push(repeat(SECOND_MS, () => terminal.status(statisticsLine(analyze.statistics()))));
  }
  if (everyMs > 0) {
    told.push(
      repeat(everyMs, () => log.info(statisticsFields(analyze.statistics()), "statistics")),
    );
  }
  Promise.all(told).catch((error: unknown) => log.warn({ reason: String(error) }, "not told"));
  return () => {
    aborter.abort();
    terminal.status("");
  };
}

/** The agent runs on Node 18; the client of Event Hubs does not. */
function requireNode(version: string): void {
  if (Number(version.split(".")[0]) >= OLDEST_NODE) return;
  throw new AgentError("AGENT_USAGE", `Node ${version} is too old for analyze`, {
    remedy: `Run it with Node ${OLDEST_NODE} or later: the client of Event Hubs needs it.`,
  });
}

function configOf(path: string | undefined, terminal: Terminal): AnalyzeConfig {
  if (path === undefined) {
    throw new AgentError("AGENT_USAGE", "no configuration is named", {
      remedy: "gatewarden analyze --config FILE; docs/analyze.md has a first one.",
    });
  }
  const text = readSmallText(path, MAX_CONFIG_BYTES);
  if (!text.ok) {
    throw new AgentError("AGENT_CONFIG_UNREADABLE", `${path}: ${text.problem.detail}`, {
      remedy: "Name a readable configuration file.",
    });
  }
  const json = parseJson(text.value, path);
  if (!json.ok) throw invalid(path, json.problem.detail);
  // For editors; it says nothing to us.
  const { $schema: _schema, ...given } = isJsonObject(json.value) ? json.value : {};
  const { config, faults } = readAnalyzeConfig(isJsonObject(json.value) ? given : json.value);
  for (const fault of faults) terminal.warn(`${path}: ${fault}`);
  if (faults.length > 0) throw invalid(path, `${faults.length} faults`);
  return config;
}

function invalid(path: string, what: string): AgentError {
  return new AgentError("AGENT_CONFIG_INVALID", `${path}: ${what}`, {
    remedy: "Correct the named keys; docs/analyze.md describes each.",
  });
}

function levelOf(name: string): LogLevel {
  const level = LOG_LEVELS.find((one) => one === name);
  if (level !== undefined) return level;
  throw new AgentError("AGENT_USAGE", `--log-level is '${name}'`, {
    remedy: `Give one of ${LOG_LEVELS.join(", ")}.`,
  });
}
