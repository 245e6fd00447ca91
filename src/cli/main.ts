import { AgentError } from "../contract/errors.ts";
import { environment } from "../system/environment.ts";
import type { Command, CommandContext } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { tellFailure } from "./failure.ts";
import { createTerminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

const COMMANDS: readonly CommandEntry[] = [
  {
    name: "setup",
    summary: "connect this gateway to its hub and start the service: asks what it needs",
    load: async () => (await import("./setup.ts")).setupCommand,
  },
  {
    name: "run",
    summary: "run the agent with a configuration file",
    load: async () => (await import("./run.ts")).runCommand,
  },
  {
    name: "demo",
    summary: "run the agent against a local hub: no account, no configuration",
    load: async () => (await import("./demo.ts")).demoCommand,
  },
  {
    name: "hub",
    summary: "run the local hub alone, with a terminal to steer it",
    load: async () => (await import("./hub.ts")).hubCommand,
  },
  {
    name: "twin",
    summary: "check a module twin offline: twin lint FILE",
    load: async () => (await import("./twin.ts")).twinCommand,
  },
  {
    name: "scan",
    summary: "look once at this device and report what is wrong, as text, JSON, SARIF or HTML",
    load: async () => (await import("./scan.ts")).scanCommand,
  },
  {
    name: "baseline",
    summary: "judge this device, or the root of another, by the OS baseline",
    load: async () => (await import("./baseline.ts")).baselineCommand,
  },
  {
    name: "doctor",
    summary: "check configuration, permissions, kernel and hub, with a remedy per finding",
    load: async () => (await import("./doctor.ts")).doctorCommand,
  },
];

function overview(): string {
  const width = Math.max(...COMMANDS.map((command) => command.name.length));
  return [
    `gatewarden ${VERSION}: security micro agent for Linux gateways on Azure IoT Hub`,
    "",
    "Usage: gatewarden COMMAND [OPTIONS]",
    "",
    ...COMMANDS.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    "",
    "  gatewarden COMMAND --help   what a command does and takes",
    "  gatewarden --version        the version",
    "",
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 configuration or identity cannot be used,",
    "4 state directory cannot be used, 5 findings, 130 interrupted.",
  ].join("\n");
}

async function dispatch(args: readonly string[], context: CommandContext): Promise<number> {
  const [name, ...rest] = args;
  const { terminal } = context;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    terminal.print(overview());
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  if (name === "--version" || name === "-v") {
    terminal.print(VERSION);
    return EXIT.ok;
  }
  const entry = COMMANDS.find((command) => command.name === name);
  if (entry === undefined) {
    throw new AgentError("AGENT_USAGE", `there is no command '${name}'`, {
      remedy: `Commands: ${COMMANDS.map((command) => command.name).join(", ")}.`,
    });
  }
  const command = await entry.load();
  if (rest.includes("--help") || rest.includes("-h")) {
    terminal.print(command.help);
    return EXIT.ok;
  }
  return command.run(rest, context);
}

async function main(): Promise<number> {
  const facts = environment();
  const terminal = createTerminal(process.stdout, process.stderr, facts.variables);
  try {
    return await dispatch(process.argv.slice(2), { terminal, environment: facts });
  } catch (error) {
    return tellFailure(error, terminal);
  }
}

main().then((code) => {
  process.exitCode = code;
});
