import type { Device } from "../device.ts";
import { type ServiceState, serviceState, unitFile, unitTexts } from "../facts/units.ts";
import { allOf, anyOf, because, decide, evidence, type Outcome } from "../outcome.ts";

/** Whether services start at boot or on demand. */
export interface ServiceCheck {
  readonly test: "service";
  /** Units, of which distributions use one or another. */
  readonly units: readonly string[];
  /** `enabled`: one of them is; `off`: none of them is. */
  readonly want: "enabled" | "off";
}

/** Whether the program line of a unit matches. */
export interface UnitLineCheck {
  readonly test: "unit-line";
  readonly unit: string;
  /** Key of the unit file, such as `ExecStart`; the last value counts. */
  readonly key: string;
  readonly pattern: string;
  readonly what: string;
}

/** States from files and links alone. Units that are not there share one piece of evidence. */
export function judgeService(check: ServiceCheck, device: Device): Outcome {
  const outcomes: Outcome[] = [];
  const absent: string[] = [];
  for (const unit of check.units) {
    const state = serviceState(device, unit);
    if (state.state === "unreadable") {
      outcomes.push(because("error", state.reason));
      continue;
    }
    if (state.state === "missing") return because("not-applicable", "no init system is known here");
    const { isKnown, isEnabled } = state.value;
    if (!isKnown && !isEnabled) absent.push(unit);
    else {
      const look = evidence(unit, check.want, stateText(state.value), "persistent");
      outcomes.push(decide(isEnabled === (check.want === "enabled"), look));
    }
  }
  if (absent.length > 0) {
    const look = evidence(absent.join(", "), check.want, "not there", "persistent");
    outcomes.push(decide(check.want === "off", look));
  }
  return check.want === "enabled" ? anyOf(outcomes) : allOf(outcomes);
}

function stateText({ isEnabled, isMasked, origin }: ServiceState): string {
  if (isMasked) return "masked";
  return isEnabled ? `enabled by ${origin}` : "not enabled";
}

/** The last value of a key over the unit and its drop-ins; an empty assignment clears. */
export function judgeUnitLine(check: UnitLineCheck, device: Device): Outcome {
  const file = unitFile(device, check.unit);
  if (file.state === "unreadable") return because("error", file.reason);
  if (file.state === "value" && file.value.isMasked) {
    return because("not-applicable", `${check.unit} is masked`);
  }
  const texts = unitTexts(device, check.unit);
  if (texts.state === "unreadable") return because("error", texts.reason);
  if (texts.state === "missing") return because("not-applicable", `${check.unit} is not there`);
  let value = "";
  for (const text of texts.value) {
    for (const line of text.split("\n")) {
      const [, key, found] = /^\s*(\w+)\s*=\s*(.*)$/.exec(line.slice(0, 4096)) ?? [];
      if (key === check.key && found !== undefined) value = found.trim();
    }
  }
  const isGood = new RegExp(check.pattern).test(value);
  return decide(isGood, evidence(check.unit, `${check.key} ${check.what}`, value, "persistent"));
}
