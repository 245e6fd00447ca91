import type { Clock } from "../../contract/clock.ts";
import { AgentError } from "../../contract/errors.ts";
import type { Environment } from "../../system/environment.ts";
import { createLog } from "../../system/log.ts";
import { fileOfCredential } from "../../system/secrets.ts";
import type { TransportDeps } from "../../transport/transport-options.ts";
import { transportDeps } from "../assemble.ts";
import { transportOptionsOf } from "../transport-options.ts";
import type { ConfigurationDraft } from "./configuration-draft.ts";
import { setupRemedy, tryLogin } from "./hub-login.ts";

/** What came of connecting with a draft. */
export type DraftCheck =
  | { readonly isIn: true; readonly address: string; readonly who: string }
  | {
      readonly isIn: false;
      /** The hub answered and refused the identity: trying again does not help. */
      readonly isRefused: boolean;
      readonly detail: string;
      readonly remedy: string;
    };

/**
 * Connects with what would be written: the texts of the draft stand in for the files that are not there
 * yet; what an existing configuration names is read from where it is.
 */
export async function checkDraft(
  draft: ConfigurationDraft,
  credentialsSource: string,
  world: { readonly environment: Environment; readonly clock: Clock },
): Promise<DraftCheck> {
  const options = transportOptionsOf(draft.transport, { hostName: "device", agentId: "setup" });
  if (options.kind !== "iothub" && options.kind !== "iothub-sdk") {
    return { isIn: false, isRefused: false, detail: "not a hub", remedy: "" };
  }
  const log = createLog({ level: "silent" });
  const { environment, clock } = world;
  const deps = transportDeps(environment, log, { credentialsSource });
  try {
    const login = await tryLogin(options, { ...withTexts(deps, draft.credentials), clock });
    if (login.isIn) return login;
    const { fault, detail, remedy } = login;
    const isRefused =
      fault === "credentials" || fault === "token-expired" || fault === "provisioning";
    return { isIn: false, isRefused, detail, remedy: setupRemedy(fault, remedy) };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return { isIn: false, isRefused: true, detail: error.message, remedy: error.remedy };
  } finally {
    log.close();
  }
}

function withTexts(deps: TransportDeps, texts: ReadonlyMap<string, string>): TransportDeps {
  const textOf = (reference: string): string | undefined => {
    const file = fileOfCredential(reference);
    return file === undefined ? undefined : texts.get(file);
  };
  return {
    ...deps,
    readSecret: (reference, subject) =>
      textOf(reference)?.trimEnd() ?? deps.readSecret(reference, subject),
    readFile: (reference) => textOf(reference) ?? deps.readFile(reference),
  };
}
