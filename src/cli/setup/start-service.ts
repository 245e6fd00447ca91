import type { Clock } from "../../contract/clock.ts";
import type { Result } from "../../contract/result.ts";
import type { ServiceControl } from "../../system/service-control.ts";
import { EXIT } from "../exit-code.ts";
import {
  readableLines,
  readStateSigns,
  type StartOutcome,
  waitForFirstMessage,
} from "./first-message.ts";
import type { Progress } from "./progress.ts";
import { DEFAULT_CONFIG_FOLDER, type SetupOptions } from "./setup-options.ts";

const DOCTOR = `sudo gatewarden doctor --config ${DEFAULT_CONFIG_FOLDER}/config.json`;
const JOURNAL = "journalctl -u gatewarden -f";

interface ServiceWorld {
  readonly progress: Progress;
  readonly clock: Clock;
  readonly control: ServiceControl;
}

/** Steps 4 and 5: starts the service anew and waits for what it reaches. Returns the exit code. */
export async function startService(
  options: SetupOptions,
  stateDirectory: string,
  { progress, clock, control }: ServiceWorld,
): Promise<number> {
  progress.step("Service");
  const isStopped = tell(progress, await control.stop(), "stopped");
  if (!isStopped) return EXIT.failed;
  // Read while nothing runs: what is new afterwards is the new service's own.
  const before = readStateSigns(stateDirectory);
  if (!tell(progress, await control.enable(), "enabled at boot")) return EXIT.failed;
  const isStarted = tell(progress, await control.start(), "started");
  if (!isStarted) {
    await showLog(progress, control);
    return EXIT.failed;
  }
  progress.step("First message");
  const outcome = await waitForFirstMessage({
    control,
    clock,
    before,
    signs: () => readStateSigns(stateDirectory),
    limitMs: options.waitSeconds * 1_000,
    tell: (text) => progress.line(text),
  });
  if (outcome.reached === "ended" || outcome.reached === "running") {
    explainFailure(progress, outcome, options.waitSeconds);
    await showLog(progress, control);
    return EXIT.failed;
  }
  if (outcome.reached === "message") {
    progress.done("the hub acknowledged the first message; this gateway is set up");
    return EXIT.ok;
  }
  progress.done("the service runs and is connected; this gateway is set up");
  progress.note(
    `no message was due within ${options.waitSeconds} s: high priority events wait for at most ` +
      "highPriorityMessageFrequency (7 minutes unless the twin says otherwise)",
  );
  progress.line("To send at once, call the module's direct method flush.");
  progress.line(`To watch: ${JOURNAL}`);
  return EXIT.ok;
}

function tell(progress: Progress, result: Result<void>, done: string): boolean {
  if (result.ok) {
    progress.done(done);
    return true;
  }
  progress.failed(
    `not ${done}: ${result.problem.detail}`,
    "See: systemctl status gatewarden. The configuration is written.",
  );
  return false;
}

function explainFailure(progress: Progress, outcome: StartOutcome, seconds: number): void {
  if (outcome.reached === "ended") {
    const { exitCode, result } = outcome.status;
    const why = exitCode === 0 ? result : `exit code ${exitCode}${meaningOf(exitCode)}`;
    progress.failed(`the service ended: ${why}`, `Its last lines follow. Then: ${DOCTOR}`);
    return;
  }
  progress.failed(
    `the service runs, but did not connect within ${seconds} s`,
    `It goes on trying. Its last lines follow; watch it with ${JOURNAL}, check with ${DOCTOR}`,
  );
}

/** Source: docs/cli.md, exit codes; systemd.exec(5), process exit codes. */
function meaningOf(exitCode: number): string {
  if (exitCode === EXIT.configuration) return ", configuration, identity or a secret is unusable";
  if (exitCode === EXIT.state) return ", the state directory is unusable or in use";
  if (exitCode === 243) return ", systemd could not hand over the credentials";
  return "";
}

async function showLog(progress: Progress, control: ServiceControl): Promise<void> {
  for (const line of readableLines(await control.lastLines())) progress.line(line);
}
