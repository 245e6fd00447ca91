import type { Device } from "../device.ts";
import { nameAndUser, processIds } from "../facts/running.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";

/** No process has a security label that matches. */
export interface ProcessLabelCheck {
  readonly test: "process-label";
  /** A regular expression for the type of the label, its third part. */
  readonly forbidden: string;
}

/** Processes of a name do not run as root. Does not apply when none runs. */
export interface ProcessUserCheck {
  readonly test: "process-user";
  /** As in /proc/[pid]/status, at most 15 characters. */
  readonly names: readonly string[];
}

/** Source: proc_pid_attr(5), selinux(8): user:role:type:level. */
export function judgeProcessLabel(check: ProcessLabelCheck, device: Device): Outcome {
  const ids = processIds(device);
  if (ids.state === "unreadable") return because("error", ids.reason);
  if (ids.state === "missing") return because("not-applicable", "nothing runs on this root");
  const pattern = new RegExp(`^(?:${check.forbidden})$`);
  const expected = `no type ${check.forbidden}`;
  let seen = 0;
  let refused: string | undefined;
  for (const id of ids.value) {
    const label = device.kernelValue(`/proc/${id}/attr/current`);
    if (label.state === "unreadable") refused ??= label.reason;
    if (label.state !== "value") continue;
    const type = label.value.split(":")[2] ?? "";
    if (type !== "") seen += 1;
    if (!pattern.test(type)) continue;
    const name = nameAndUser(device, id)?.name ?? "";
    return decide(false, evidence(`/proc/${id}/attr/current`, expected, `${label.value} ${name}`));
  }
  if (refused !== undefined) return because("error", refused);
  if (seen === 0) return because("error", "no process has a label of SELinux");
  return decide(true, evidence("/proc/*/attr/current", expected, `${seen} labels`, "live"));
}

/** Looks at the effective user. */
export function judgeProcessUser(check: ProcessUserCheck, device: Device): Outcome {
  const ids = processIds(device);
  if (ids.state === "unreadable") return because("error", ids.reason);
  const what = check.names.join(" or ");
  const running = (ids.state === "value" ? ids.value : []).flatMap((id) => {
    const found = nameAndUser(device, id);
    return found !== undefined && check.names.includes(found.name) ? [{ id, ...found }] : [];
  });
  const [first] = running;
  if (first === undefined) return because("not-applicable", `${what} does not run`);
  const worst = running.find(({ userId }) => userId === 0) ?? first;
  const found = `${worst.name} as user ${worst.userId}`;
  const look = evidence(`/proc/${worst.id}/status`, `${what} not as root`, found, "live");
  return decide(worst.userId !== 0, look);
}
