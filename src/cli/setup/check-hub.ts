import type { Clock } from "../../contract/clock.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { Environment } from "../../system/environment.ts";
import { EXIT } from "../exit-code.ts";
import { checkDraft } from "./check-draft.ts";
import { kindOf } from "./collect-identity.ts";
import {
  type ConfigurationDraft,
  draftConfiguration,
  type GivenNetwork,
} from "./configuration-draft.ts";
import type { IdentityDraft } from "./identity-draft.ts";
import type { Progress } from "./progress.ts";
import type { Prompter } from "./prompter.ts";
import { readGiven } from "./read-given.ts";
import type { SetupOptions } from "./setup-options.ts";
import { credentialsFolder } from "./write-configuration.ts";

/** What is known before the hub is asked. */
export interface PreparedSetup {
  readonly identity: IdentityDraft;
  readonly network: GivenNetwork;
  readonly draft: ConfigurationDraft;
}

/** What follows: write this, ask for another identity to use with this network, or end with a code. */
export type HubCheck =
  | { readonly next: "write"; readonly draft: ConfigurationDraft }
  | { readonly next: "other identity"; readonly network: GivenNetwork }
  | { readonly next: "end"; readonly code: number };

interface CheckWorld {
  readonly progress: Progress;
  readonly prompter: Prompter;
  readonly environment: Environment;
  readonly clock: Clock;
}

const CHOICES = {
  again: "try again",
  identity: "give the identity again",
  webSockets: "try WebSockets on port 443",
  ca: "name a CA file that the hub's certificate is signed by",
  write: "write the configuration all the same",
  stop: "stop",
} as const;

type Choice = keyof typeof CHOICES;

/**
 * Connects to the hub. When that fails, a person may change what can be changed and try again.
 */
export async function checkHub(
  options: SetupOptions,
  existing: JsonObject | undefined,
  prepared: PreparedSetup,
  world: CheckWorld,
): Promise<HubCheck> {
  const { progress, prompter } = world;
  let { draft, network } = prepared;
  if (!options.mayCheck) {
    progress.note("not checked: --no-check");
    return { next: "write", draft };
  }
  for (;;) {
    const login = await checkDraft(draft, credentialsFolder(options.configFolder), world);
    if (login.isIn) {
      progress.done(`${login.address} let in ${login.who}`);
      return { next: "write", draft };
    }
    progress.failed(login.detail, login.remedy);
    const code = login.because === "identity" ? EXIT.configuration : EXIT.failed;
    if (!prompter.isInteractive) {
      progress.line("Nothing was written. --no-check writes it all the same.");
      return { next: "end", code };
    }
    const choices = choicesFor(login.because, options, network);
    const place = await prompter.choose(
      "What now?",
      choices.map((choice) => CHOICES[choice]),
    );
    const choice = choices[place];
    if (choice === "write") return { next: "write", draft };
    if (choice === "identity") return { next: "other identity", network };
    if (choice === "stop") {
      progress.line("Nothing was written.");
      return { next: "end", code };
    }
    if (choice === "webSockets") network = { ...network, protocol: "mqtt-ws" };
    if (choice === "ca") network = { ...network, caPem: await askForCa(world) };
    draft = draftConfiguration(existing, prepared.identity, network);
  }
}

/** The most promising one first: it is the answer to Enter. */
function choicesFor(
  because: "identity" | "tls" | "network",
  options: SetupOptions,
  network: GivenNetwork,
): readonly Choice[] {
  const mayRetype = kindOf(options) === undefined;
  const identity: readonly Choice[] = mayRetype ? ["identity"] : [];
  if (because === "identity") return [...identity, "again", "write", "stop"];
  if (because === "tls") return ["ca", "again", ...identity, "write", "stop"];
  const isPlain = network.protocol !== "mqtt-ws" && network.port === undefined;
  return ["again", ...(isPlain ? (["webSockets"] as const) : []), ...identity, "write", "stop"];
}

async function askForCa({ prompter, progress }: CheckWorld): Promise<string> {
  for (;;) {
    const path = await prompter.line("PEM file of the CA");
    try {
      return await readGiven("ca", path, "CA file");
    } catch (error) {
      // A mistyped path is typed again; whatever is wrong with the content shows at the next try.
      progress.note(error instanceof Error ? error.message : "it cannot be read");
    }
  }
}
