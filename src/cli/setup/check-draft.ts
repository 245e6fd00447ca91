import type { Clock } from "../../contract/clock.ts";
import { AgentError } from "../../contract/errors.ts";
import type { ConnectionFault } from "../../contract/transport.ts";
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
      /** `identity`: it was refused or is unusable; `tls`: who answered is not trusted. */
      readonly because: "identity" | "tls" | "network";
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
    return { isIn: false, because: "network", detail: "not a hub", remedy: "" };
  }
  const log = createLog({ level: "silent" });
  const { environment, clock } = world;
  const deps = transportDeps(environment, log, { credentialsSource });
  try {
    const login = await tryLogin(options, { ...withTexts(deps, draft.credentials), clock });
    if (login.isIn) return login;
    const { fault, detail, remedy } = login;
    return {
      isIn: false,
      because: reasonOf(fault),
      detail,
      remedy: setupRemedy(fault, remedy),
    };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return { isIn: false, because: "identity", detail: error.message, remedy: error.remedy };
  } finally {
    log.close();
  }
}

function reasonOf(fault: ConnectionFault): "identity" | "tls" | "network" {
  if (fault === "tls") return "tls";
  const isRefused = fault === "credentials" || fault === "token-expired";
  return isRefused || fault === "provisioning" ? "identity" : "network";
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
