/**
 * Entry of `dist/gatewarden-fleet.js`: the commands for owners of a fleet, with the Azure packages that
 * they need. A gateway has no use for them, so they are a file of their own that `gatewarden.js` loads
 * only when one of them is called.
 */
import type { Command } from "./command.ts";
import type { FleetCommandName } from "./fleet-commands.ts";
import { reportFailure } from "./report-failure.ts";

const LOADERS: Readonly<Record<FleetCommandName, () => Promise<Command>>> = {
  "hub-posture": async () => (await import("./hub-posture.ts")).hubPostureCommand,
};

/**
 * A command of this file by its name. It reports its failures itself: classes of errors are not the same
 * in two bundles, so the caller could not tell them apart.
 */
export async function loadFleetCommand(name: FleetCommandName): Promise<Command> {
  const command = await LOADERS[name]();
  return {
    help: command.help,
    run: async (args, context) => {
      try {
        return await command.run(args, context);
      } catch (error) {
        return reportFailure(error, context.terminal);
      }
    },
  };
}
