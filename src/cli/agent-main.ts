/** Entry of `dist/gatewarden-agent.js`: `gatewarden run` and nothing else. */
import { environment } from "../system/environment.ts";
import { tellFailure } from "./failure.ts";
import { runCommand } from "./run.ts";
import { createTerminal } from "./terminal.ts";

const facts = environment();
const terminal = createTerminal(process.stdout, process.stderr, facts.variables);
runCommand
  .run(process.argv.slice(3), { terminal, environment: facts })
  .catch((error: unknown) => tellFailure(error, terminal))
  .then((code) => {
    process.exitCode = code;
  });
