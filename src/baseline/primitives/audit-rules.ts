import type { Device } from "../device.ts";
import { firstPersonalId } from "../facts/accounts.ts";
import {
  type AuditField,
  type AuditRule,
  type AuditRules,
  auditRules,
} from "../facts/audit-rules.ts";
import { machineOf } from "../facts/machine.ts";
import { realPath } from "../facts/real-path.ts";
import { because, decide, type Evidence, evidence, type Outcome } from "../outcome.ts";

/** A path whose use is audited. */
export interface AuditWatch {
  readonly path: string;
  /** Of `r`, `w`, `x`, `a`. */
  readonly permissions: string;
  /** Only where the path is there; else only its folder must be, for a watch waits for the file. */
  readonly isOptional?: true;
}

/** System calls that are audited. */
export interface AuditCalls {
  readonly calls: readonly string[];
  /** Conditions that a rule may have: `auid>=UID_MIN`, `auid!=unset`, `exit=-EPERM`. */
  readonly fields?: readonly string[];
  /** Tables of calls; all that the machine has where absent. */
  readonly table?: "native" | "b32";
}

/** Rules for the kernel's audit that the next start loads. */
export interface AuditRulesCheck {
  readonly test: "audit-rules";
  readonly watches?: readonly AuditWatch[];
  readonly calls?: readonly AuditCalls[];
}

/** Whether the rules are locked until the next start. */
export interface AuditLockCheck {
  readonly test: "audit-lock";
}

const MOST_EVIDENCE = 12;

/** What the kernel must audit: one call of one table, or one path. */
export interface AuditDemand {
  readonly text: string;
  readonly isMet: (rule: AuditRule, arch: "b64" | "b32") => boolean;
  readonly arches: readonly ("b64" | "b32")[];
}

/** Whether the rules, in whatever order and grouping, cover all that is asked for. */
export function judgeAuditRules(check: AuditRulesCheck, device: Device): Outcome {
  const read = auditRules(device);
  if (read.state === "unreadable") return because("error", read.reason);
  const demands = [
    ...watchDemands(check.watches ?? [], device),
    ...callDemands(check.calls ?? [], device),
  ];
  if (demands.length === 0) return because("not-applicable", "nothing to audit is there");
  if (read.state === "missing") return decide(false, missing("/etc/audit", demands[0]));
  return judgeDemands(demands, read.value);
}

function missing(source: string, demand: AuditDemand | undefined): Evidence {
  return evidence(source, demand?.text ?? "a rule", "no such rule", "persistent");
}

function judgeDemands(demands: readonly AuditDemand[], { rules, source }: AuditRules): Outcome {
  // One such rule keeps tasks away from every rule for calls and paths.
  if (
    rules.some(
      (rule) => rule.action === "never" && rule.list === "task" && rule.fields.length === 0,
    )
  ) {
    const found = "-a never,task switches all of them off";
    return decide(false, evidence(source, demands[0]?.text ?? "", found, "persistent"));
  }
  const useful = rules.filter(({ action, list }) => action === "always" && list === "exit");
  const unmet = demands.filter(({ arches, isMet }) =>
    arches.some((arch) => !useful.some((rule) => isMet(rule, arch))),
  );
  if (unmet.length > 0)
    return decide(false, ...unmet.slice(0, MOST_EVIDENCE).map((one) => missing(source, one)));
  const [first] = demands;
  const more = demands.length > 1 ? ` and ${demands.length - 1} more` : "";
  return decide(
    true,
    evidence(source, `${first?.text ?? ""}${more}`, "all are audited", "persistent"),
  );
}

function archesOf(device: Device): readonly ("b64" | "b32")[] {
  const { native, runsB32 } = machineOf(device);
  return native === "b64" && runsB32 ? ["b64", "b32"] : [native];
}

function callDemands(groups: readonly AuditCalls[], device: Device): readonly AuditDemand[] {
  const { native, without } = machineOf(device);
  const all = archesOf(device);
  const minimum = firstPersonalId(device);
  return groups.flatMap(({ calls, fields = [], table }) => {
    const wanted =
      table === "native" ? [native] : all.filter((one) => table !== "b32" || one === table);
    const allowed = fields.map((field) => field.replace("UID_MIN", String(minimum)));
    return calls.flatMap((call) =>
      wanted
        .filter((arch) => arch === "b32" || !without.has(call))
        .map((arch): AuditDemand => {
          const conditions = allowed.map((field) => ` -F ${field}`).join("");
          return {
            text: `-a always,exit -F arch=${arch} -S ${call}${conditions}`,
            arches: [arch],
            isMet: (rule) =>
              isForArch(rule, arch, native) &&
              (rule.calls.size === 0 || rule.calls.has(call)) &&
              rule.fields.every((field) => isAllowed(field, allowed, minimum)),
          };
        }),
    );
  });
}

/** Without `arch` the number of a call is that of the kernel's own table. */
function isForArch(rule: AuditRule, arch: string, native: string): boolean {
  if (rule.arch !== undefined) return rule.arch === arch;
  return rule.calls.size === 0 || arch === native;
}

/** A condition that leaves nothing out of what is asked for. */
function isAllowed(field: AuditField, allowed: readonly string[], minimum: number): boolean {
  const { name, operator, value } = field;
  if (allowed.includes(`${name}${operator}${value}`)) return true;
  if (name === "auid" && operator === ">=") {
    return allowed.some((one) => one.startsWith("auid>=")) && Number(value) <= minimum;
  }
  const isFailure = name === "success" && operator === "=" && /^(?:0|no)$/.test(value);
  return isFailure && allowed.some((one) => one.startsWith("exit=-"));
}

function isThere(device: Device, path: string): boolean {
  return device.facts(path).state !== "missing";
}

function watchDemands(watches: readonly AuditWatch[], device: Device): readonly AuditDemand[] {
  return watches
    .filter(({ path, isOptional }) =>
      isOptional === true
        ? isThere(device, path)
        : isThere(device, path.slice(0, path.lastIndexOf("/")) || "/"),
    )
    .map(({ path, permissions }) => pathDemand(device, path, permissions, []));
}

/** What must be so for one path, which a rule for a folder above it covers too. */
export function pathDemand(
  device: Device,
  path: string,
  permissions: string,
  fields: readonly string[],
): AuditDemand {
  const real = realPath(device, path);
  const minimum = firstPersonalId(device);
  const allowed = fields.map((field) => field.replace("UID_MIN", String(minimum)));
  const isOfRule = (field: AuditField): boolean => {
    const { name, value } = field;
    if (name === "perm") return [...permissions].every((letter) => value.includes(letter));
    if (name === "path") return realPath(device, value) === real;
    if (name !== "watch" && name !== "dir") return isAllowed(field, allowed, minimum);
    const folder = realPath(device, value);
    return folder === real || real.startsWith(folder === "/" ? "/" : `${folder}/`);
  };
  return {
    text: `-w ${path} -p ${permissions}`,
    arches: archesOf(device),
    isMet: (rule, arch) =>
      rule.calls.size === 0 &&
      (rule.arch === undefined || rule.arch === arch) &&
      rule.fields.some(({ name }) => name === "watch" || name === "dir" || name === "path") &&
      rule.fields.every(isOfRule),
  };
}

/** Judges demands against the rules, for checks that find them elsewhere. */
export function judgePaths(demands: readonly AuditDemand[], device: Device): Outcome {
  const read = auditRules(device);
  if (read.state === "unreadable") return because("error", read.reason);
  if (read.state === "missing") return decide(false, missing("/etc/audit", demands[0]));
  return judgeDemands(demands, read.value);
}

/** `-e 2`, after which no rule follows. Source: auditctl(8). */
export function judgeAuditLock(_check: AuditLockCheck, device: Device): Outcome {
  const read = auditRules(device);
  if (read.state === "unreadable") return because("error", read.reason);
  if (read.state === "missing") {
    return decide(false, evidence("/etc/audit", "-e 2 at the end", "no rules", "persistent"));
  }
  const { enabled, hasRulesAfterLock, source } = read.value;
  const word = enabled === undefined ? "no -e" : `-e ${enabled}`;
  return decide(
    enabled === "2" && !hasRulesAfterLock,
    evidence(
      source,
      "-e 2 at the end",
      hasRulesAfterLock ? `${word}, and rules after it` : word,
      "persistent",
    ),
  );
}
