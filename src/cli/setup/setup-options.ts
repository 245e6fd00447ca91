import { AgentError } from "../../contract/errors.ts";
import { type OptionForm, parseArguments, wholeNumber } from "../command.ts";

/** Where the service looks; another folder is for images and tests. */
export const DEFAULT_CONFIG_FOLDER = "/etc/gatewarden";

const HIGHEST_PORT = 65_535;
const DEFAULT_WAIT_SECONDS = 45;
const LONGEST_WAIT_SECONDS = 3_600;

const TEXTS = [
  "connection-string-file",
  "host",
  "device",
  "module",
  "certificate",
  "key",
  "dps-scope",
  "registration-id",
  "dps-key-file",
  "dps-group-key-file",
  "dps-endpoint",
  "gateway-host",
  "ca",
  "transport",
  "protocol",
  "port",
  "proxy",
  "proxy-password-file",
  "config-dir",
  "wait",
] as const;

const FLAGS = ["yes", "no-start", "no-check"] as const;

/** Options that people expect and that would show a secret to every user of the machine. */
const SECRETS: Readonly<Record<string, string>> = {
  "connection-string": "connection-string-file",
  "shared-access-key": "connection-string-file",
  "dps-key": "dps-key-file",
  "dps-group-key": "dps-group-key-file",
  "proxy-password": "proxy-password-file",
};

/** The name of an option that takes a text. */
export type TextOption = (typeof TEXTS)[number];

/** The command line of `gatewarden setup`, checked for form. */
export interface SetupOptions {
  /** What was given, by option; absent when not. */
  readonly given: Readonly<Partial<Record<TextOption, string>>>;
  readonly configFolder: string;
  readonly port: number | undefined;
  readonly waitSeconds: number;
  /** Replace a configuration and go on with what is doubtful without asking. */
  readonly isYes: boolean;
  readonly mayStart: boolean;
  readonly mayCheck: boolean;
}

/** Parses the arguments after `setup`. Throws AGENT_USAGE; a secret among them is never quoted. */
export function parseSetupOptions(args: readonly string[]): SetupOptions {
  refuseSecrets(args);
  const forms: Record<string, OptionForm> = {};
  for (const name of TEXTS) forms[name] = { type: "string" };
  for (const name of FLAGS) forms[name] = { type: "boolean", default: false };
  const parsed = parseArguments(args, forms, { command: "setup", positionals: 0 });
  const given: Partial<Record<TextOption, string>> = {};
  for (const name of TEXTS) {
    const text = parsed.text(name);
    if (text === undefined) continue;
    if (text.trim() === "") throw usage(`--${name} is empty`, `Give it a value or leave it out.`);
    given[name] = text.trim();
  }
  const configFolder = given["config-dir"] ?? DEFAULT_CONFIG_FOLDER;
  if (!configFolder.startsWith("/")) {
    throw usage(`--config-dir is '${configFolder}'`, "Give an absolute path.");
  }
  const port = wholeNumber(given.port, "port", { min: 1, max: HIGHEST_PORT, fallback: 0 });
  oneOf("protocol", given.protocol, ["mqtt", "mqtt-ws"]);
  oneOf("transport", given.transport, ["iothub", "iothub-sdk"]);
  const options: SetupOptions = {
    given,
    configFolder: configFolder.replace(/(?<=.)\/+$/, ""),
    port: port === 0 ? undefined : port,
    waitSeconds: wholeNumber(given.wait, "wait", {
      min: 1,
      max: LONGEST_WAIT_SECONDS,
      fallback: DEFAULT_WAIT_SECONDS,
    }),
    isYes: parsed.flag("yes"),
    mayStart: !parsed.flag("no-start"),
    mayCheck: !parsed.flag("no-check"),
  };
  refuseCombinations(options);
  return options;
}

function refuseSecrets(args: readonly string[]): void {
  for (const arg of args) {
    const name = /^--([a-z-]+)/.exec(arg)?.[1] ?? "";
    const instead = Object.hasOwn(SECRETS, name) ? SECRETS[name] : undefined;
    const isSecret = /SharedAccess(?:Key|Signature)\s*=/i.test(arg);
    if (instead === undefined && !isSecret) continue;
    const option = instead ?? "connection-string-file";
    throw usage(
      "a secret on the command line is refused: every user of this machine can read it while the " +
        "command runs, and the shell keeps it in its history",
      `Use --${option} FILE, or --${option} - to give it on standard input, or run ` +
        "`gatewarden setup` without it to be asked. If this machine has other users, renew the secret.",
    );
  }
}

function oneOf(option: string, value: string | undefined, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value)) return;
  const remedy =
    option === "transport"
      ? `Give ${allowed.join(" or ")}; a broker or a file is set up by hand: docs/configuration.md.`
      : `Give ${allowed.join(" or ")}.`;
  throw usage(`--${option} is '${value}'`, remedy);
}

function refuseCombinations({ given, configFolder, mayStart }: SetupOptions): void {
  const stdin = TEXTS.filter((name) => given[name] === "-");
  const [first] = stdin;
  if (stdin.length > 1) {
    throw usage(
      `standard input is asked for twice: ${stdin.map((name) => `--${name}`).join(" and ")}`,
      "Give a file for one of them.",
    );
  }
  if (first !== undefined && !first.endsWith("-file") && first !== "key") {
    throw usage(`--${first} cannot be standard input`, "Give it a value.");
  }
  if (mayStart && configFolder !== DEFAULT_CONFIG_FOLDER) {
    throw usage(
      `the service reads ${DEFAULT_CONFIG_FOLDER}, not ${configFolder}`,
      "Add --no-start, or leave --config-dir out.",
    );
  }
}

function usage(message: string, remedy: string): AgentError {
  return new AgentError("AGENT_USAGE", message, { remedy });
}
