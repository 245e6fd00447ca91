import { join } from "node:path";
import { readConfig } from "../config/read-config.ts";
import { AgentError, describeError } from "../contract/errors.ts";
import type { JsonObject } from "../contract/json.ts";
import type { Log } from "../contract/log.ts";
import type { LocalHub } from "../localhub/hub-contract.ts";
import { startLocalHub } from "../localhub/local-hub.ts";
import { localTimestamp } from "../parse/timestamps.ts";
import { systemClock } from "../system/clock.ts";
import { ensurePrivateFolder, writeFileAtomically } from "../system/files.ts";
import { createLog } from "../system/log.ts";
import { systemRandom } from "../system/random.ts";
import { createTemporaryFolder } from "../system/temporary-folder.ts";
import { CLASSIC_OBJECT_NAME } from "../twin/classic-names.ts";
import { assembleAgent } from "./assemble.ts";
import { type Command, type CommandContext, parseArguments, wholeNumber } from "./command.ts";
import { createDemoView, type DemoView } from "./demo-view.ts";
import { EXIT } from "./exit-code.ts";
import { untilStopped } from "./process-end.ts";

const STOP_DEADLINE_MS = 5_000;
const LONGEST_SECONDS = 86_400;

const HELP = `Usage: gatewarden demo [--for SECONDS] [--messages N] [--transport NAME] [--keep FOLDER] [--verbose]

Starts a local IoT Hub with its own certificate authority and module identity, and the agent against
it over MQTT with TLS, with short intervals. Shows what is collected and each message as the hub
acknowledges it: bytes, metering units of 4 KB, how full they are, and the events by name.

  --for SECONDS      end after that time
  --messages N       end after that many acknowledged messages
  --transport NAME   iothub (default) or iothub-sdk
  --keep FOLDER      keep the hub's CA, the spool and the configuration in FOLDER
  --verbose          show the agent's log as well

Ctrl-C flushes, prints a summary and ends. It needs no root, no account and no configuration.`;

/** Short intervals, so that a person sees something. */
const DEMO_TWIN: JsonObject = {
  [CLASSIC_OBJECT_NAME]: {
    highPriorityMessageFrequency: { value: "PT8S" },
    lowPriorityMessageFrequency: { value: "PT20S" },
    snapshotFrequency: { value: "PT30S" },
  },
};

/** `gatewarden demo`: what `npm start` runs. */
export const demoCommand: Command = {
  help: HELP,
  async run(args, context) {
    const parsed = parseArguments(
      args,
      {
        for: { type: "string" },
        messages: { type: "string" },
        transport: { type: "string", default: "iothub" },
        keep: { type: "string" },
        verbose: { type: "boolean", default: false },
      },
      { command: "demo", positionals: 0 },
    );
    const bounds = { min: 1, max: LONGEST_SECONDS, fallback: LONGEST_SECONDS };
    const plan: DemoPlan = {
      forSeconds: wholeNumber(parsed.text("for"), "for", bounds),
      isTimed: parsed.text("for") !== undefined,
      messages: wholeNumber(parsed.text("messages"), "messages", bounds),
      isCounted: parsed.text("messages") !== undefined,
      transport: transportName(parsed.text("transport") ?? "iothub"),
    };
    const keep = parsed.text("keep");
    const temporary = keep === undefined ? createTemporaryFolder("gatewarden-demo-") : undefined;
    const folder = temporary?.path ?? keep ?? "";
    if (keep !== undefined) ensurePrivateFolder(keep);
    const log = createLog({ level: parsed.flag("verbose") ? "debug" : "error" });
    try {
      return await play(plan, folder, log, context);
    } finally {
      log.close();
      temporary?.remove();
    }
  },
};

interface DemoPlan {
  readonly forSeconds: number;
  readonly isTimed: boolean;
  readonly messages: number;
  readonly isCounted: boolean;
  readonly transport: string;
}

function transportName(name: string): string {
  if (name === "iothub" || name === "iothub-sdk") return name;
  throw new AgentError("AGENT_USAGE", `--transport is '${name}'`, {
    remedy: "Give iothub or iothub-sdk.",
  });
}

async function play(
  plan: DemoPlan,
  folder: string,
  log: Log,
  context: CommandContext,
): Promise<number> {
  const { terminal, environment } = context;
  const startedAtMs = systemClock.monotonicMs();
  const hub = await openHub(folder, log);
  const view = createDemoView(terminal, clockText);
  const done = endOf(plan, view);
  try {
    introduce(hub, context);
    const reading = readConfig(configText(plan, hub, folder), {});
    const { agent, release } = await assembleAgent({
      reading,
      environment,
      log,
      observer: {
        onCollected: (drafts) => view.collected(drafts),
        onSent: (sent) => {
          view.sent({ ...sent, meteredBytes: sent.message.meteredBytes });
          done.check();
        },
        onStatus: (status) => view.status(status),
        onDiagnostic: (finding) => view.found(finding),
      },
    });
    await agent.start();
    const why = await untilStopped(done.promise);
    view.note(
      why.startsWith("SIG") ? "stopping: sending what waits" : `${why}: sending what waits`,
    );
    await agent.stop(STOP_DEADLINE_MS);
    release();
  } finally {
    await hub.stop();
  }
  for (const line of view.summary(systemClock.monotonicMs() - startedAtMs)) terminal.print(line);
  return view.messages > 0 ? EXIT.ok : EXIT.failed;
}

async function openHub(folder: string, log: Log): Promise<LocalHub> {
  try {
    return await startLocalHub({
      stateDirectory: join(folder, "hub"),
      clock: systemClock,
      random: systemRandom,
      log,
      desired: DEMO_TWIN,
    });
  } catch (error) {
    throw new AgentError(
      "AGENT_HUB_FAILED",
      `the local hub cannot start: ${describeError(error)}`,
      {
        remedy: "Is the folder writable, and may this user listen on 127.0.0.1?",
        cause: error,
      },
    );
  }
}

function configText(plan: DemoPlan, hub: LocalHub, folder: string): string {
  const connectionStringFile = join(folder, "connection-string");
  writeFileAtomically(connectionStringFile, hub.connectionString(), 0o600);
  const text = JSON.stringify({
    transport: plan.transport,
    iothub: { connectionStringFile, caFile: hub.caFile },
    stateDirectory: join(folder, "agent"),
    firstSnapshotDelaySeconds: 1,
    firstSnapshotJitterSeconds: 0,
  });
  writeFileAtomically(join(folder, "gatewarden.json"), text, 0o600);
  return text;
}

function introduce(hub: LocalHub, { terminal, environment }: CommandContext): void {
  terminal.print(
    terminal.paint("bold", "Gatewarden demo: a local IoT Hub and the agent, over TLS"),
  );
  terminal.print(`  hub        localhost:${hub.port}, its CA in ${hub.caFile}`);
  terminal.print("  identity   device gateway, module azureiotsecurity, with a key of its own");
  terminal.print("  twin       high priority 8 s, low 20 s, snapshots 30 s");
  if (!environment.isRoot) {
    terminal.print("  rights     not root: what cannot be read is named below as a finding");
  }
  terminal.print("  Ctrl-C     flushes and prints a summary");
  terminal.print("");
}

/** Resolves when the asked time is over or the asked messages are acknowledged. */
function endOf(plan: DemoPlan, view: DemoView) {
  let finish: (why: string) => void = () => undefined;
  const promise = new Promise<string>((resolve) => {
    finish = resolve;
  });
  const timer = plan.isTimed
    ? systemClock.after(plan.forSeconds * 1_000, () => finish(`${plan.forSeconds} s are over`))
    : undefined;
  return {
    promise: promise.finally(() => timer?.cancel()),
    check() {
      if (plan.isCounted && view.messages >= plan.messages) {
        finish(`${plan.messages} messages acknowledged`);
      }
    },
  };
}

function clockText(): string {
  const nowMs = systemClock.nowMs();
  return localTimestamp(nowMs, systemClock.utcOffsetMinutes(nowMs)).slice(11, 19);
}
