import type { Device } from "../device.ts";
import { type Expectation, expectationText, meets } from "../expectation.ts";
import { type PamLine, pamStack } from "../facts/pam-stacks.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";
import { findSetting } from "./setting.ts";

/** A module in the stack of a service. */
export interface PamCheck {
  readonly test: "pam";
  /** Names of stacks; the first that is there counts (`common-auth`, `system-auth`). */
  readonly services: readonly string[];
  readonly type: PamLine["type"];
  /** Names of modules without `.so`, of which one must be there. */
  readonly modules: readonly string[];
  /** An argument of the module's line, such as `remember=5`, or `use_uid`. */
  readonly argument?: {
    readonly name: string;
    readonly expected: Expectation;
    /** A file of `name = value` lines that says it as well; the argument wins. */
    readonly file?: string;
    readonly fallback?: string;
  };
}

function argumentOf(line: PamLine, name: string): string | undefined {
  for (const word of line.arguments) {
    if (word === name) return "yes";
    if (word.startsWith(`${name}=`)) return word.slice(name.length + 1);
  }
  return undefined;
}

/** Looks for the module, then for its argument. */
export function judgePam(check: PamCheck, device: Device): Outcome {
  for (const service of check.services) {
    const stack = pamStack(device, service);
    if (stack.state === "unreadable") return because("error", stack.reason);
    if (stack.state === "missing") continue;
    return judgeStack(check, device, `/etc/pam.d/${service}`, stack.value);
  }
  return because("not-applicable", `no PAM stack ${check.services.join(" or ")} here`);
}

function judgeStack(
  check: PamCheck,
  device: Device,
  path: string,
  stack: readonly PamLine[],
): Outcome {
  const what = `${check.type} with ${check.modules.join(" or ")}`;
  const lines = stack.filter(
    (line) =>
      line.type === check.type && check.modules.some((name) => line.module === `${name}.so`),
  );
  const [first] = lines;
  if (first === undefined) return decide(false, evidence(path, what, "no such line"));
  const { argument } = check;
  if (argument === undefined) return decide(true, evidence(first.path, what, first.module));
  const fromLine = lines
    .map((line) => argumentOf(line, argument.name))
    .find((one) => one !== undefined);
  const fromFile = fromLine ?? fileValue(device, argument.file, argument.name);
  if (fromFile instanceof Error) return because("error", fromFile.message);
  const value = fromFile ?? argument.fallback;
  const expected = `${first.module} ${argument.name} ${expectationText(argument.expected)}`;
  const isGood = value !== undefined && meets(value, argument.expected);
  return decide(isGood, evidence(first.path, expected, value ?? "not set"));
}

function fileValue(
  device: Device,
  file: string | undefined,
  key: string,
): string | Error | undefined {
  if (file === undefined) return undefined;
  const found = findSetting(device, {
    test: "setting",
    files: [file],
    key,
    expected: {},
    dropIns: [`${file}.d`],
  });
  if (found.state === "unreadable") return new Error(found.reason);
  return found.state === "value" ? found.value?.value : undefined;
}
