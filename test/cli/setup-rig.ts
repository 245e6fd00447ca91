import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exitCodeOf } from "../../src/cli/exit-code.ts";
import { createProgress } from "../../src/cli/setup/progress.ts";
import type { Prompter } from "../../src/cli/setup/prompter.ts";
import { runSetup } from "../../src/cli/setup/run-setup.ts";
import { parseSetupOptions } from "../../src/cli/setup/setup-options.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { AgentError } from "../../src/contract/errors.ts";
import { ok } from "../../src/contract/result.ts";
import { systemClock } from "../../src/system/clock.ts";
import { environment } from "../../src/system/environment.ts";
import type { ServiceControl } from "../../src/system/service-control.ts";

/** A terminal without colours that keeps its lines. */
export function recordingTerminal(): Terminal & { readonly text: () => string } {
  const lines: string[] = [];
  const keep = (line: string): void => {
    lines.push(line);
  };
  return {
    isInteractive: false,
    columns: 100,
    print: keep,
    warn: keep,
    status: () => undefined,
    paint: (_colour, text) => text,
    text: () => lines.join("\n"),
  };
}

/** Answers in order; a question without an answer fails the test. */
export function scriptedPrompter(answers: readonly string[]): Prompter & { asked: string[] } {
  const left = [...answers];
  const asked: string[] = [];
  const next = (question: string): string => {
    asked.push(question);
    const answer = left.shift();
    if (answer === undefined) throw new Error(`no answer to: ${question}`);
    return answer;
  };
  return {
    asked,
    isInteractive: answers.length > 0,
    line: async (question, fallback) => {
      const answer = next(question);
      return answer === "" && fallback !== undefined ? fallback : answer;
    },
    secret: async (question) => next(question),
    choose: async (question, choices) => {
      const answer = next(question);
      const place = choices.indexOf(answer);
      if (place < 0) throw new Error(`${answer} is none of ${choices.join(", ")}`);
      return place;
    },
    confirm: async (question) => next(question) === "y",
  };
}

export const NO_SERVICE: ServiceControl = {
  status: async () =>
    ok({ isInstalled: true, activeState: "active", result: "success", exitCode: 0, restarts: 0 }),
  enable: async () => ok(undefined),
  stop: async () => ok(undefined),
  start: async () => ok(undefined),
  lastLines: async () => [],
};

export interface SetupRun {
  readonly code: number;
  readonly output: string;
  readonly questions: readonly string[];
}

/** Runs a setup to its end as the CLI does: what is thrown becomes output and exit code. */
export async function setUp(
  args: readonly string[],
  more: {
    readonly answers?: readonly string[];
    readonly isRoot?: boolean;
    /** Stands in for systemd: the service is started even with a folder of the test. */
    readonly control?: ServiceControl;
  } = {},
): Promise<SetupRun> {
  const terminal = recordingTerminal();
  const prompter = scriptedPrompter(more.answers ?? []);
  const facts = environment();
  let code: number;
  try {
    const options = parseSetupOptions(args);
    code = await runSetup(more.control === undefined ? options : { ...options, mayStart: true }, {
      progress: createProgress(terminal, 3),
      prompter,
      environment: { ...facts, isRoot: more.isRoot ?? facts.isRoot },
      clock: systemClock,
      control: more.control ?? NO_SERVICE,
    });
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    terminal.warn(error.message);
    terminal.warn(error.remedy);
    code = exitCodeOf(error);
  }
  return { code, output: terminal.text(), questions: prompter.asked };
}

export interface TestFolder {
  readonly path: string;
  file(name: string): string;
  read(name: string): string;
  /** `0600 config.json`, `0700 credentials/`, …, sorted, for everything below. */
  modes(name: string): readonly string[];
  remove(): void;
}

export function testFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), "gatewarden-setup-"));
  return {
    path,
    file: (name) => join(path, name),
    read: (name) => readFileSync(join(path, name), "utf8"),
    modes(name) {
      return readdirSync(join(path, name), { recursive: true, withFileTypes: true })
        .map((entry) => {
          const file = join(entry.parentPath, entry.name);
          const mode = (statSync(file).mode & 0o777).toString(8).padStart(4, "0");
          const shown = file.slice(join(path, name).length + 1);
          return `${mode} ${shown}${entry.isDirectory() ? "/" : ""}`;
        })
        .sort();
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
