import { AgentError } from "../contract/errors.ts";
import type { Command } from "./command.ts";

declare const GATEWARDEN_FLEET: string | undefined;

/**
 * Commands for owners of a fleet: name and summary. A new one is added here, and with its file to
 * `LOADERS` in fleet-main.ts; nowhere else.
 */
export const FLEET_COMMANDS = [
  {
    name: "hub-posture",
    summary: "judge an IoT hub and its fleet, from saved files or live, in the forms of scan",
  },
] as const;

export type FleetCommandName = (typeof FLEET_COMMANDS)[number]["name"];

/** Beside the bundle the other bundle, written in by the bundler; beside this source its source. */
const FLEET_MODULE = typeof GATEWARDEN_FLEET === "string" ? GATEWARDEN_FLEET : "./fleet-main.ts";

/** What `fleet-main.ts` exports. */
interface FleetModule {
  loadFleetCommand(name: FleetCommandName): Promise<Command>;
}

/** Loads a command of the fleet. Throws AGENT_USAGE where its file is not installed. */
export async function fleetCommand(name: FleetCommandName): Promise<Command> {
  const file: string = FLEET_MODULE;
  const fleet: FleetModule = await import(file).catch((error: unknown) => {
    if (!isMissing(error, file)) throw error;
    throw new AgentError("AGENT_USAGE", `'${name}' is not part of this installation`, {
      remedy:
        "The package for gateways leaves the fleet commands out. Run it on another machine, from the " +
        "npm package (`npx gatewarden`) or a checkout (`npm run build`, `node dist/gatewarden.js`).",
    });
  });
  return fleet.loadFleetCommand(name);
}

/** Whether that very file is missing, and not one that it needs. Source: Node.js, errors. */
function isMissing(error: unknown, file: string): boolean {
  const name = file.replace(/^\.\//, "");
  return (
    error instanceof Error &&
    "code" in error &&
    (error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND") &&
    (error.message.split("\n")[0]?.split(" imported from")[0] ?? "").includes(name)
  );
}
