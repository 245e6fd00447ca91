import type { AddressRange, Condition, Firewall, RuleAction } from "../../contract/firewall.ts";
import { addressNumber } from "../../parse/address-number.ts";
import { addressFamily } from "../../parse/addresses.ts";

/** Interfaces and addresses of the device that no rule tells apart have the same class. */
export interface PlaceClasses {
  interfaceClass(name: string): string;
  addressClass(address: string): string;
}

interface Asked {
  readonly names: Set<string>;
  readonly ranges: Map<string, AddressRange>;
  /** The interface itself matters: REDIRECT takes its address. */
  isByName: boolean;
}

/** Cost: linear in the rules, then in what they ask for each interface and address. */
export function placeClasses(firewall: Firewall): PlaceClasses {
  const asked: Asked = { names: new Set(), ranges: new Map(), isByName: false };
  for (const { chains } of firewall.tables) {
    for (const { base, rules } of chains) {
      for (const device of base?.devices ?? []) asked.names.add(device);
      if (base?.hook === "ingress" && base.devices.length === 0) asked.isByName = true;
      for (const { conditions, action } of rules) {
        noteConditions(conditions, asked);
        noteAction(action, asked);
      }
    }
  }
  const names = [...asked.names];
  const ranges = [...asked.ranges.values()];
  return {
    interfaceClass: remembered((name) => {
      if (asked.isByName) return name;
      return placesOf(names, (pattern) => matches(name, pattern));
    }),
    addressClass: remembered((address) => {
      const number = addressNumber(address);
      if (number === undefined) return address;
      const holds = ({ from, to }: AddressRange): boolean => number >= from && number <= to;
      return `${addressFamily(address)} ${placesOf(ranges, holds)}`;
    }),
  };
}

function remembered(classOf: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const found = classOf(text);
    known.set(text, found);
    return found;
  };
}

function placesOf<T>(list: readonly T[], holds: (one: T) => boolean): string {
  return list.flatMap((one, place) => (holds(one) ? [place] : [])).join();
}

function matches(name: string, pattern: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function noteConditions(conditions: readonly Condition[], asked: Asked): void {
  for (const condition of conditions) {
    if (condition.kind === "interface") {
      for (const name of condition.names) asked.names.add(name);
    } else if (condition.kind === "address" && condition.side !== "source") {
      for (const range of condition.ranges) asked.ranges.set(`${range.from} ${range.to}`, range);
    } else if (condition.kind === "any-of") {
      for (const all of condition.alternatives) noteConditions(all, asked);
    }
  }
}

function noteAction(action: RuleAction, asked: Asked): void {
  if (action.kind === "destination-nat" && action.isRedirect) asked.isByName = true;
  if (action.kind !== "verdict-map") return;
  for (const { conditions, action: then } of action.entries) {
    noteConditions(conditions, asked);
    noteAction(then, asked);
  }
}
