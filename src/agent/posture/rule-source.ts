import type { ConfigurationFinding } from "../../contract/agent-facts.ts";
import type { EventName } from "../../contract/event.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import type { Probe } from "../../contract/probe.ts";
import type { Fault } from "../../contract/schema.ts";
import { describeFault } from "../../contract/schema.ts";
import type { Settings } from "../../contract/settings.ts";
import { parseJson } from "../../parse/json.ts";
import { plainText } from "../../parse/plain-text.ts";
import { readSecurityGroups, selectGroup } from "../../posture/alerts/read-security-group.ts";
import { prepareRules, type Ruleset } from "../../posture/alerts/ruleset.ts";
import type { SecurityGroup } from "../../posture/alerts/security-group.ts";

/** Where device security groups came from: the twin goes before the configuration, that before the file. */
type Origin = "twin" | "configuration" | "file";

/** Where rules may come from. */
export interface RuleSourceOptions {
  readonly probe: Pick<Probe, "facts" | "readText">;
  /** Path of the owner's file; undefined: none. */
  readonly file: string | undefined;
  /** Device security groups that stand in the local configuration itself. */
  readonly inConfiguration: JsonValue | undefined;
  /** What `toJson` gave before, of any content: the rules that were in force. */
  readonly stored: JsonValue | undefined;
  readonly onFinding: (finding: ConfigurationFinding) => void;
}

/** Device security groups on their way to rules: from twin, configuration or file, and the last good ones. */
export interface RuleSource {
  /** Looks again; true when other rules may be in force now. */
  refresh(inTwin: JsonValue | undefined): boolean;
  rules(settings: Settings): Ruleset | undefined;
  /** Said in reported properties and by methods. */
  describe(settings: Settings): JsonObject | undefined;
  toJson(): JsonObject;
}

const NAME = "deviceSecurityGroups";
/** A group with all its rules full takes less. */
const MOST_FILE_BYTES = 262_144;
const MOST_FINDINGS = 16;

interface Offer {
  readonly origin: Origin;
  readonly json: JsonValue;
}

interface InForce {
  readonly offer: Offer;
  readonly groups: readonly SecurityGroup[];
}

/** The rules that were in force before are in force until `refresh` finds others. */
export function createRuleSource(options: RuleSourceOptions): RuleSource {
  const { probe, file, inConfiguration, onFinding } = options;
  let inForce = restored(options.stored);
  let judged: string | undefined;
  let rejected: string | undefined;
  /** Identity and content of the file when it was last read. */
  let seen = "";
  let fileOffer: Offer | "unreadable" | undefined;
  let missingGroup: string | undefined;

  /** The file as it is now; read again only when it changed. */
  function offerOfFile(): Offer | "unreadable" | undefined {
    if (file === undefined) return undefined;
    const facts = probe.facts(file);
    const identity = facts.ok
      ? `${facts.value.inode} ${facts.value.sizeBytes} ${facts.value.modifiedMs}`
      : facts.problem.code;
    if (identity === seen) return fileOffer;
    seen = identity;
    const text = facts.ok ? probe.readText(file, MOST_FILE_BYTES) : facts;
    const parsed = text.ok ? parseJson(text.value, file, { maxLength: MOST_FILE_BYTES }) : text;
    if (parsed.ok) fileOffer = { origin: "file", json: parsed.value };
    else {
      fileOffer = "unreadable";
      reject(`the file: ${parsed.problem.detail}`);
    }
    return fileOffer;
  }

  function reject(reason: string, path = ""): void {
    onFinding({
      configurationName: path === "" ? NAME : plainText(`${NAME}: ${path}`, 200),
      errorType: "TypeMismatch",
      usedConfiguration: inForce === undefined ? "no rules" : "the rules in force before",
      message: plainText(reason, 300),
    });
    rejected = plainText(reason, 110);
  }

  function rejectAll(faults: readonly Fault[]): void {
    for (const fault of faults.slice(0, MOST_FINDINGS)) reject(describeFault(fault), fault.path);
    const [first] = faults;
    const rest = faults.length > 1 ? ` (and ${faults.length - 1} more)` : "";
    if (first !== undefined) rejected = `${plainText(describeFault(first), 90)}${rest}`;
  }

  return {
    refresh(inTwin) {
      const ofTwin = inTwin === undefined ? undefined : ({ origin: "twin", json: inTwin } as const);
      const ofConfiguration =
        inConfiguration === undefined
          ? undefined
          : ({ origin: "configuration", json: inConfiguration } as const);
      const offer = ofTwin ?? ofConfiguration ?? offerOfFile();
      // An owner's file that cannot be read now is no wish to have no rules.
      if (offer === "unreadable") return false;
      const text = offer === undefined ? "" : JSON.stringify(offer);
      if (text === judged) return false;
      judged = text;
      rejected = undefined;
      missingGroup = undefined;
      if (offer === undefined) {
        inForce = undefined;
        return true;
      }
      const reading = readSecurityGroups(offer.json);
      if (reading.ok) inForce = { offer, groups: reading.groups };
      else rejectAll(reading.faults);
      return reading.ok;
    },
    rules(settings) {
      const { securityGroup } = settings.posture;
      const group = groupOf(inForce, settings);
      if (group === undefined) {
        if (inForce !== undefined && missingGroup !== securityGroup) {
          missingGroup = securityGroup;
          onFinding(noSuchGroup(securityGroup, inForce.groups));
        }
        return undefined;
      }
      return prepareRules(group, { unwatched: unwatchedNames(settings) });
    },
    describe(settings) {
      if (inForce === undefined && rejected === undefined) return undefined;
      const group = groupOf(inForce, settings);
      return {
        ...(inForce === undefined ? {} : { source: inForce.offer.origin }),
        ...(group === undefined
          ? {}
          : {
              group: plainText(group.name, 64),
              rules: prepareRules(group).rules.length,
              hubOnly: group.hubOnly.length,
              unknown: group.unknown.length,
            }),
        ...(rejected === undefined ? {} : { rejected }),
      };
    },
    toJson: () => (inForce === undefined ? {} : { ...inForce.offer }),
  };
}

function restored(stored: JsonValue | undefined): InForce | undefined {
  if (!isJsonObject(stored)) return undefined;
  const { origin, json } = stored;
  if (origin !== "twin" && origin !== "configuration" && origin !== "file") return undefined;
  const reading = json === undefined ? undefined : readSecurityGroups(json);
  if (reading?.ok !== true || json === undefined) return undefined;
  return { offer: { origin, json }, groups: reading.groups };
}

function groupOf(inForce: InForce | undefined, settings: Settings): SecurityGroup | undefined {
  const { securityGroup } = settings.posture;
  if (inForce === undefined) return undefined;
  return selectGroup(inForce.groups, securityGroup === "" ? undefined : securityGroup);
}

function noSuchGroup(wanted: string, groups: readonly SecurityGroup[]): ConfigurationFinding {
  const names = groups.slice(0, 8).map(({ name }) => plainText(name, 40));
  const asked = wanted === "" ? "none of them is called default" : `none is called ${wanted}`;
  return {
    configurationName: NAME,
    errorType: "Conflict",
    usedConfiguration: "no rules",
    message: `found the groups ${names.join(", ")}; ${asked}, see postureSecurityGroup`,
  };
}

/** Their silence means nothing. */
function unwatchedNames({ eventPriority }: Settings): readonly EventName[] {
  return (["Login", "ProcessCreate", "ConnectionCreate"] as const).filter(
    (name) => eventPriority[name] === "Off",
  );
}
