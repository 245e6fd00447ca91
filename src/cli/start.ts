/**
 * Entry of `dist/gatewarden.js`. What runs for months is a file of its own, so that the memory of the agent
 * never holds the text of the other commands; and how V8 is to spend memory is settled before that file is
 * compiled. See docs/benchmarks/log.md.
 */
import { holdMemoryLow } from "../system/v8-settings.ts";

const [command, ...rest] = process.argv.slice(2);
if (command === "run" && !rest.includes("--help") && !rest.includes("-h")) {
  holdMemoryLow();
  import("./agent-main.ts");
} else {
  import("./main.ts");
}
