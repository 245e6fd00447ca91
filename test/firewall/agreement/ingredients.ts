/** Addresses and ports for generated rules: near to what is probed, so that rules have something to decide. */
import type { Dice } from "./random.ts";
import { CONTAINER_ADDRESSES, DESTINATIONS, type Family, PORTS, SOURCES } from "./topology.ts";

export function sourceAddress(dice: Dice, family: Family): string {
  return dice.pick(SOURCES.filter((source) => source.family === family)).address;
}

/** A network that holds a source; its host bits may be set, as people write them. */
export function sourceNetwork(dice: Dice, family: Family): string {
  const address = sourceAddress(dice, family);
  const lengths =
    family === "ipv4"
      ? [0, 8, 15, 16, 23, 24, 25, 26, 28, 31, 32]
      : [0, 7, 16, 32, 48, 64, 127, 128];
  return `${address}/${dice.pick(lengths)}`;
}

/** Several that do not overlap each other: sets without auto-merge refuse overlapping intervals. */
export function separateSources(dice: Dice, family: Family, count: number): readonly string[] {
  const addresses = SOURCES.filter((source) => source.family === family).map(
    ({ address }) => address,
  );
  const networks =
    family === "ipv4"
      ? [
          "10.77.0.0/25",
          "10.78.0.0/16",
          "192.168.0.0/16",
          "10.79.0.0/24",
          "198.51.100.0-203.0.113.255",
        ]
      : ["fd77::/64", "fd78:1::/32", "fd79::10-fd79::ffff", "2001:db8:5::/48"];
  const isApart = dice.chance(0.5);
  return dice.some(isApart ? addresses : networks, count);
}

/** Inclusive, written with a hyphen. */
export function sourceRange(dice: Dice, family: Family): string {
  return dice.pick(
    family === "ipv4"
      ? [
          "10.77.0.0-10.77.0.63",
          "10.77.0.11-10.77.0.64",
          "10.77.0.10-10.78.5.9",
          "10.0.0.0-10.79.0.49",
          "192.168.50.7-192.168.50.7",
          "198.51.100.0-203.0.113.255",
        ]
      : ["fd77::10-fd77::1ff", "fd77::11-fd78:1::9", "2001:db8::-2001:db8:ffff::", "::-fd77::10"],
  );
}

/** An address that a packet may be sent to; sometimes a network around it. */
export function destination(dice: Dice, family: Family): string {
  const addresses = [...DESTINATIONS[family], CONTAINER_ADDRESSES[family]];
  const lengths = family === "ipv4" ? [8, 16, 24, 32, 32] : [16, 64, 128, 128];
  const address = dice.pick(addresses);
  return dice.chance(0.5) ? address : `${address}/${dice.pick(lengths)}`;
}

export function port(dice: Dice): number {
  return dice.pick(PORTS);
}

export function portPair(dice: Dice): readonly [number, number] {
  const [low, high] = [port(dice), port(dice)].sort((a, b) => a - b);
  return [low ?? 0, high ?? 0];
}

/** Source ports of probes are between 20000 and 60999. */
export function sourcePortPair(dice: Dice): readonly [number, number] {
  const [low, high] = [dice.whole(1024, 65_535), dice.whole(1024, 65_535)].sort((a, b) => a - b);
  return [low ?? 0, high ?? 0];
}

/** Ports and ranges of ports that do not overlap, joined by `rangeMark` within a range. */
export function separatePorts(dice: Dice, count: number, rangeMark: string): readonly string[] {
  const cuts = [...dice.some(PORTS, count * 2)].sort((a, b) => a - b);
  const entries: string[] = [];
  for (let at = 0; at + 1 < cuts.length; at += 2)
    entries.push(dice.chance(0.4) ? `${cuts[at]}${rangeMark}${cuts[at + 1]}` : `${cuts[at]}`);
  return entries;
}
