import { AgentError } from "../contract/errors.ts";
import type { Log } from "../contract/log.ts";
import { describeFault } from "../contract/schema.ts";
import { parseJson } from "../parse/json.ts";
import { plainText } from "../parse/plain-text.ts";
import { readSecurityGroups } from "../posture/alerts/read-security-group.ts";
import type { SecurityGroup } from "../posture/alerts/security-group.ts";
import { type DeviceFacts, readDeviceFacts } from "../posture/fleet/device-facts.ts";
import { readSmallText } from "../system/files.ts";
import type { Terminal } from "./terminal.ts";

const MAX_BYTES = 8 * 1_048_576;
/** A million devices, each with its names. */
const MAX_DEVICES_BYTES = 256 * 1_048_576;
const MAX_SHOWN = 20;

export interface GroupsReading {
  readonly groups: readonly SecurityGroup[];
  /** In words; with one of them, the groups are empty and none may be used. */
  readonly faults: readonly string[];
}

/** The device security groups of a file: one fault refuses all of it. */
export function readGroupsFile(path: string): GroupsReading {
  const text = readSmallText(path, MAX_BYTES);
  if (!text.ok) return { groups: [], faults: [`${path}: ${text.problem.detail}`] };
  const json = parseJson(text.value, path, { maxLength: MAX_BYTES });
  if (!json.ok) return { groups: [], faults: [`${path}: ${json.problem.detail}`] };
  const reading = readSecurityGroups(json.value);
  if (reading.ok) return { groups: reading.groups, faults: [] };
  return {
    groups: [],
    faults: reading.faults.slice(0, MAX_SHOWN).map((fault) => plainText(describeFault(fault), 300)),
  };
}

/** The groups to begin with. Throws AGENT_CONFIG_INVALID when it has told every fault. */
export function firstGroups(path: string, log: Log, terminal: Terminal): readonly SecurityGroup[] {
  const { groups, faults } = readGroupsFile(path);
  for (const fault of faults) terminal.warn(`security groups: ${fault}`);
  if (faults.length > 0) {
    throw new AgentError("AGENT_CONFIG_INVALID", `${path} holds no usable security groups`, {
      remedy:
        "Give an exported Microsoft.Security/deviceSecurityGroups resource, or a list of them.",
    });
  }
  log.info({ groups: groups.length, rules: ruleCount(groups) }, "security groups read");
  return groups;
}

/** The groups after a change; undefined, with each fault in the log, when those in force must stay. */
export function changedGroups(path: string, log: Log): readonly SecurityGroup[] | undefined {
  const { groups, faults } = readGroupsFile(path);
  if (faults.length === 0) {
    log.info({ groups: groups.length, rules: ruleCount(groups) }, "security groups read anew");
    return groups;
  }
  for (const fault of faults) log.error({ fault }, "security groups refused, those in force stay");
  return undefined;
}

/** The devices of a list; undefined, with the reason in the log, when those in force must stay. */
export function changedDevices(
  path: string | undefined,
  log: Log,
): ReadonlyMap<string, DeviceFacts> | undefined {
  if (path === undefined) return new Map();
  const text = readSmallText(path, MAX_DEVICES_BYTES);
  const json = text.ok ? parseJson(text.value, path, { maxLength: MAX_DEVICES_BYTES }) : text;
  const reading = json.ok ? readDeviceFacts(json.value) : undefined;
  if (reading === undefined) {
    const reason = json.ok ? "is no list" : json.problem.detail;
    log.error({ path, reason }, "list of devices refused");
    return undefined;
  }
  const { devices, skipped } = reading;
  log.info({ devices: devices.size, skipped }, "list of devices read");
  return devices;
}

function ruleCount(groups: readonly SecurityGroup[]): number {
  return groups.reduce(
    (sum, group) => sum + group.timeWindowRules.length + group.allowlistRules.length,
    0,
  );
}
