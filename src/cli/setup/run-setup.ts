import type { Clock } from "../../contract/clock.ts";
import { AgentError } from "../../contract/errors.ts";
import type { Environment } from "../../system/environment.ts";
import type { ServiceControl } from "../../system/service-control.ts";
import { EXIT } from "../exit-code.ts";
import { checkHub, type PreparedSetup } from "./check-hub.ts";
import { collectIdentity, kindOf } from "./collect-identity.ts";
import {
  type ConfigurationDraft,
  draftConfiguration,
  type GivenNetwork,
} from "./configuration-draft.ts";
import { draftIdentity, type IdentityDraft } from "./identity-draft.ts";
import type { Progress } from "./progress.ts";
import type { Prompter } from "./prompter.ts";
import { readGiven } from "./read-given.ts";
import { DEFAULT_CONFIG_FOLDER, type SetupOptions } from "./setup-options.ts";
import { startService } from "./start-service.ts";
import {
  configPath,
  credentialsFolder,
  type ExistingConfiguration,
  readExisting,
  writeConfiguration,
} from "./write-configuration.ts";

/** What a setup works with. */
export interface SetupWorld {
  readonly progress: Progress;
  readonly prompter: Prompter;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly control: ServiceControl;
}

/** Runs the steps in order; returns the exit code. Throws AgentError, and Interrupted from questions. */
export async function runSetup(options: SetupOptions, world: SetupWorld): Promise<number> {
  await refuseEarly(options, world);
  const existing = readExisting(options.configFolder);
  await agreeToReplace(options, existing, world);

  const agreed = await agreeOnDraft(options, existing, world);
  if (typeof agreed === "number") return agreed;

  const { progress } = world;
  progress.step("Configuration");
  write(options, existing, agreed, world);
  if (options.mayStart) return startService(options, agreed.config.stateDirectory, world);
  progress.line("");
  const isDefault = options.configFolder === DEFAULT_CONFIG_FOLDER;
  progress.line(
    isDefault
      ? "Start it with: systemctl enable --now gatewarden"
      : `Run it with: gatewarden run --config ${configPath(options.configFolder)}`,
  );
  return EXIT.ok;
}

/** What would fail at the end is said before the first question. */
async function refuseEarly(options: SetupOptions, world: SetupWorld): Promise<void> {
  const isSystem = options.mayStart || options.configFolder === DEFAULT_CONFIG_FOLDER;
  if (isSystem && !world.environment.isRoot) {
    throw usage(
      `setup needs root: it writes ${DEFAULT_CONFIG_FOLDER} and starts the service`,
      "Run it again with sudo: sudo gatewarden setup …",
    );
  }
  kindOf(options);
  if (!options.mayStart) return;
  const status = await world.control.status();
  if (!status.ok) {
    throw new AgentError("AGENT_USAGE", `the service cannot be steered: ${status.problem.detail}`, {
      remedy: "Add --no-start to write the configuration only.",
    });
  }
  if (!status.value.isInstalled) {
    throw usage(
      "systemd has no unit gatewarden.service",
      "Install the package, or the unit by hand and `systemctl daemon-reload`; --no-start writes the " +
        "configuration only.",
    );
  }
}

async function agreeToReplace(
  options: SetupOptions,
  existing: ExistingConfiguration | undefined,
  { prompter, progress }: SetupWorld,
): Promise<void> {
  if (existing === undefined || options.isYes) return;
  const path = configPath(options.configFolder);
  if (!prompter.isInteractive) {
    throw usage(`${path} exists`, "Add --yes to replace it; a copy is kept beside it.");
  }
  const kept =
    existing.tree === undefined
      ? "it is no JSON object, so nothing of it can be kept"
      : "identity and network are replaced, everything else in it stays";
  progress.note(`${path} exists: ${kept}; a copy is kept beside it`);
  if (await prompter.confirm("Go on?", true)) return;
  throw usage("stopped: the configuration stays as it is", "Nothing was changed.");
}

/** Identity and hub, until the hub lets it in or the person decides otherwise; or the exit code. */
async function agreeOnDraft(
  options: SetupOptions,
  existing: ExistingConfiguration | undefined,
  world: SetupWorld,
): Promise<ConfigurationDraft | number> {
  const { progress } = world;
  progress.step("Identity");
  let isFirst = true;
  let network = await readNetwork(options);
  for (;;) {
    const prepared = await prepare(options, existing, network, world);
    if (isFirst) progress.step("Hub");
    isFirst = false;
    const checked = await checkHub(options, existing?.tree, prepared, world);
    if (checked.next === "write") return checked.draft;
    if (checked.next === "end") return checked.code;
    network = checked.network;
  }
}

async function prepare(
  options: SetupOptions,
  existing: ExistingConfiguration | undefined,
  network: GivenNetwork,
  world: SetupWorld,
): Promise<PreparedSetup> {
  const { progress, prompter, clock } = world;
  for (;;) {
    try {
      const given = await collectIdentity(options, prompter, readGiven);
      const identity = draftIdentity(given, clock.nowMs());
      const draft = draftConfiguration(existing?.tree, identity, network);
      progress.done(identity.summary);
      for (const note of [...identity.notes, ...draft.notes]) progress.note(note);
      if (await acceptsDevice(identity, options, world)) return { identity, network, draft };
    } catch (error) {
      // What was typed can be typed again; what was given as an option cannot.
      const mayRetry = prompter.isInteractive && kindOf(options) === undefined;
      if (!(error instanceof AgentError) || !mayRetry) throw error;
      progress.failed(error.message, error.remedy);
    }
  }
}

/** A device identity works, but its twin and its messages are those of the device. */
async function acceptsDevice(
  identity: IdentityDraft,
  options: SetupOptions,
  { progress, prompter }: SetupWorld,
): Promise<boolean> {
  if (!identity.isDevice) return true;
  progress.note(
    "this identity is the device itself, not a module: the agent then uses the device's twin and " +
      "connection, and nothing else may connect as this device",
  );
  if (options.isYes || !prompter.isInteractive) return true;
  if (await prompter.confirm("Go on as the device?", kindOf(options) !== undefined)) return true;
  if (kindOf(options) === undefined) return false;
  throw usage("stopped: no module identity", "Create the module azureiotsecurity at the hub.");
}

async function readNetwork(options: SetupOptions): Promise<GivenNetwork> {
  const { given, port } = options;
  const passwordFile = given["proxy-password-file"];
  const password =
    passwordFile === undefined
      ? undefined
      : await readGiven("proxy-password-file", passwordFile, "proxy password");
  return {
    transport: given.transport,
    protocol: given.protocol,
    port,
    proxy: given.proxy,
    proxyPassword: password?.trim(),
    caPem: given.ca === undefined ? undefined : await readGiven("ca", given.ca, "CA file"),
  };
}

function write(
  options: SetupOptions,
  existing: ExistingConfiguration | undefined,
  draft: ConfigurationDraft,
  { progress, environment }: SetupWorld,
): void {
  const { configFolder, given } = options;
  const written = writeConfiguration(configFolder, draft, existing, environment.isRoot);
  progress.done(`${configPath(configFolder)} written`);
  progress.done(
    `${[...draft.credentials.keys()].sort().join(", ")} in ${credentialsFolder(configFolder)}, for root only`,
  );
  if (written.backup !== undefined) progress.note(`the former one is kept as ${written.backup}`);
  if (!written.hasGroup) {
    progress.note("there is no group gatewarden: only the owner can read config.json");
  }
  if (draft.unused.length > 0) {
    const folder = credentialsFolder(configFolder);
    progress.note(`not used any more, remove them: ${draft.unused.join(", ")} in ${folder}`);
  }
  const sources = [
    given["connection-string-file"],
    given.key,
    given["dps-key-file"],
    given["dps-group-key-file"],
    given["proxy-password-file"],
  ].filter((path) => path !== undefined && path !== "-");
  if (sources.length > 0) {
    progress.note(`not needed any more, and still a secret: ${sources.join(", ")}`);
  }
}

function usage(message: string, remedy: string): AgentError {
  return new AgentError("AGENT_USAGE", message, { remedy });
}
