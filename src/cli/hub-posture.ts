import { AgentError } from "../contract/errors.ts";
import type { Command } from "./command.ts";

/** `gatewarden hub-posture`. */
export const hubPostureCommand: Command = {
  help: "Usage: gatewarden hub-posture",
  async run() {
    throw new AgentError("AGENT_USAGE", "nothing to judge", { remedy: "Name a file." });
  },
};
