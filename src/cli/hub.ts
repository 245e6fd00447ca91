import { createInterface } from "node:readline";
import { AgentError, describeError } from "../contract/errors.ts";
import type { LocalHub, ReceivedMessage } from "../localhub/hub-contract.ts";
import { type MessageDetail, runTerminalLine } from "../localhub/hub-terminal.ts";
import { startLocalHub } from "../localhub/local-hub.ts";
import { parseJsonObject } from "../parse/json.ts";
import { systemClock } from "../system/clock.ts";
import { createLog } from "../system/log.ts";
import { systemRandom } from "../system/random.ts";
import { createTemporaryFolder } from "../system/temporary-folder.ts";
import { type Command, parseArguments, wholeNumber } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { untilStopped } from "./process-end.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `Usage: gatewarden hub [--port N] [--websocket-port N] [--state FOLDER]
                      [--device ID] [--module ID]

Runs the local IoT Hub stand-in alone. Prints its CA file and the connection string for a
configuration, then takes commands: type help. Messages that arrive are shown.

  --port N             MQTT over TLS (default: a free port)
  --websocket-port N   MQTT over WebSockets and HTTPS (default: a free port)
  --state FOLDER       keep the CA and the keys here, so that the connection string stays the same
  --device ID          device id (default gateway)
  --module ID          module id (default azureiotsecurity)

It listens on 127.0.0.1 only.`;

const HIGHEST_PORT = 65_535;

/** `gatewarden hub`: the local hub alone. */
export const hubCommand: Command = {
  help: HELP,
  async run(args, { terminal }) {
    const parsed = parseArguments(
      args,
      {
        port: { type: "string" },
        "websocket-port": { type: "string" },
        state: { type: "string" },
        device: { type: "string", default: "gateway" },
        module: { type: "string", default: "azureiotsecurity" },
      },
      { command: "hub", positionals: 0 },
    );
    const portOf = (option: string): number =>
      wholeNumber(parsed.text(option), option, { min: 0, max: HIGHEST_PORT, fallback: 0 });
    const state = parsed.text("state");
    const temporary = state === undefined ? createTemporaryFolder("gatewarden-hub-") : undefined;
    const log = createLog({ level: "warn" });
    try {
      const hub = await startLocalHub({
        stateDirectory: temporary?.path ?? state ?? "",
        clock: systemClock,
        random: systemRandom,
        log,
        port: portOf("port"),
        webSocketPort: portOf("websocket-port"),
        identities: [
          { deviceId: parsed.text("device") ?? "", moduleId: parsed.text("module") ?? "" },
        ],
      }).catch((error: unknown) => {
        throw new AgentError("AGENT_HUB_FAILED", `the hub cannot start: ${describeError(error)}`, {
          remedy: "Is the port free and the folder writable?",
          cause: error,
        });
      });
      await serve(hub, terminal);
    } finally {
      temporary?.remove();
      log.close();
    }
    return EXIT.ok;
  },
};

async function serve(hub: LocalHub, terminal: Terminal): Promise<void> {
  let detail: MessageDetail = "on";
  terminal.print(`CA file            ${hub.caFile}`);
  terminal.print(`connection string  ${hub.connectionString()}`);
  terminal.print(`MQTT over TLS      localhost:${hub.port}`);
  terminal.print(`MQTT over WSS      localhost:${hub.webSocketPort}`);
  terminal.print("type help for commands, quit to stop");
  hub.observe({
    onMessage: (message) => showMessage(message, detail, terminal),
    onConnection: ({ identity, via, tlsVersion }) =>
      terminal.print(
        `connected      ${identity.moduleId ?? identity.deviceId} by ${via}, ${tlsVersion}`,
      ),
    onDisconnection: (identity, why) =>
      terminal.print(`disconnected   ${identity.moduleId ?? identity.deviceId}: ${why}`),
    onReported: (_identity, _patch, version) => terminal.print(`reported       version ${version}`),
    onViolation: ({ what }) => terminal.print(terminal.paint("yellow", `refused        ${what}`)),
  });
  const lines = createInterface({
    input: process.stdin,
    prompt: "hub> ",
    ...(terminal.isInteractive ? { output: process.stdout } : {}),
  });
  let quit: (why: string) => void = () => undefined;
  const asked = new Promise<string>((resolve) => {
    quit = resolve;
  });
  let working: Promise<void> = Promise.resolve();
  lines.on("line", (line) => {
    working = working.then(async () => {
      const reply = await runTerminalLine(hub, line);
      for (const text of reply.lines) terminal.print(text);
      detail = reply.messages ?? detail;
      if (reply.isQuit === true) quit("quit");
      else if (terminal.isInteractive) lines.prompt();
    });
  });
  lines.on("SIGINT", () => quit("Ctrl-C"));
  if (terminal.isInteractive) lines.prompt();
  await untilStopped(asked);
  lines.close();
  process.stdin.destroy();
  await hub.stop();
}

function showMessage(message: ReceivedMessage, detail: MessageDetail, terminal: Terminal): void {
  if (detail === "off") return;
  const text = Buffer.from(message.body).toString("utf8");
  const names = eventNames(text);
  const units = `${message.meteredBytes} bytes, ${message.units} × 4 KB`;
  const duplicate = message.isDuplicate ? ", a duplicate" : "";
  terminal.print(terminal.paint("green", `message        ${units}: ${names}${duplicate}`));
  if (detail === "full") terminal.print(text);
}

function eventNames(text: string): string {
  const parsed = parseJsonObject(text, "message");
  const events = parsed.ok ? parsed.value["Events"] : undefined;
  if (!Array.isArray(events)) return "no events";
  const counts = new Map<string, number>();
  const items: readonly unknown[] = events;
  for (const event of items) {
    const isNamed = typeof event === "object" && event !== null && "Name" in event;
    const name = isNamed ? String(event.Name) : "?";
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, times]) => `${name} ${times}`).join(", ");
}
