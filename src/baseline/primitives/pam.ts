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
  /** Only lines whose failure refuses: required, requisite, or a control in brackets. */
  readonly mustRefuse?: true;
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
      line.type === check.type &&
      check.modules.some((name) => line.module === `${name}.so`) &&
      (check.mustRefuse !== true || refuses(line)),
  );
  const [first] = lines;
  if (first === undefined) return decide(false, evidence(path, what, "no such line"));
  const { argument } = check;
  if (argument === undefined) return decide(true, evidence(first.path, what, first.module));
  // Where several lines say it, each must be right.
  const said = lines.flatMap((line) => argumentOf(line, argument.name) ?? []);
  const fromLine = said.find((one) => !meets(one, argument.expected)) ?? said[0];
  const fromFile = fromLine ?? fileValue(device, argument.file, argument.name);
  if (fromFile instanceof Error) return because("error", fromFile.message);
  const value = fromFile ?? argument.fallback;
  const expected = `${first.module} ${argument.name} ${expectationText(argument.expected)}`;
  const isGood = value !== undefined && meets(value, argument.expected);
  return decide(isGood, evidence(first.path, expected, value ?? "not set"));
}

/** Whether the stack fails when the module does. Source: pam.conf(5), control. */
function refuses({ control }: PamLine): boolean {
  return (
    /^(?:required|requisite)$/i.test(control) ||
    /\b(?:default|auth_err)=(?:die|bad)\b/i.test(control)
  );
}

/** The file is read after its drop-in folder, so it wins. Source: pwquality.conf(5). */
function fileValue(
  device: Device,
  file: string | undefined,
  key: string,
): string | Error | undefined {
  if (file === undefined) return undefined;
  for (const place of [{ files: [file] }, { files: [], dropIns: [`${file}.d`] }]) {
    const found = findSetting(device, { test: "setting", key, expected: {}, ...place });
    if (found.state === "unreadable") return new Error(found.reason);
    const set = found.state === "value" ? found.value : undefined;
    if (set !== undefined) return set.value.replace(/\s+#.*$/, "");
  }
  return undefined;
}
