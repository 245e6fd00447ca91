/** Random rule sets of all backends from one seed. */
import { IPSET_NAME, iptablesText, type SaveText } from "./generate-iptables.ts";
import { nftText, type ShownByNft } from "./generate-nft.ts";
import { separateSources } from "./ingredients.ts";
import type { Dice } from "./random.ts";
import type { RuleSet, SaveTexts } from "./rule-set.ts";

type Backend = "legacy" | "iptablesNft" | "nft";

const MIXES: readonly (readonly [weight: number, backends: readonly Backend[]])[] = [
  [3, ["legacy"]],
  [3, ["iptablesNft"]],
  [4, ["nft"]],
  [1, ["legacy", "nft"]],
  [1, ["iptablesNft", "nft"]],
  [1, ["legacy", "iptablesNft"]],
];

const UNDECIDABLE_SHARE = 0.12;

export function generateRuleSet(dice: Dice, shown: ShownByNft): RuleSet {
  const backends = dice.weighted(
    MIXES.map(([weight, mix]) => [weight, (): readonly Backend[] => mix] as const),
  );
  const withUndecidable = dice.chance(UNDECIDABLE_SHARE);
  const withIpset = withUndecidable && dice.chance(0.3) && backends[0] !== "nft";
  // Of two that translate at the same place the kernel asks the one first that came last.
  const natOf = dice.chance(0.45) ? dice.pick(backends) : undefined;
  const parts: Partial<Record<Backend, SaveTexts | string>> = {};
  const undecidable: string[] = [];
  for (const backend of backends) {
    const wishes = { withNat: natOf === backend, withUndecidable, withIpset };
    if (backend === "nft") {
      const nft = nftText(dice, { ...wishes, shown });
      parts.nft = nft.text;
      undecidable.push(...nft.undecidable);
      continue;
    }
    const texts = saveTexts(dice, wishes);
    parts[backend] = texts.saved;
    undecidable.push(...texts.undecidable);
  }
  return {
    kind: `${backends.join(" + ")}${natOf === undefined ? "" : ", nat"}`,
    undecidable,
    ...parts,
    ...(withIpset ? { ipset: ipsetText(dice) } : {}),
  } as RuleSet;
}

interface SaveTextsWithNames {
  readonly saved: SaveTexts;
  readonly undecidable: readonly string[];
}

function saveTexts(
  dice: Dice,
  wishes: { withNat: boolean; withUndecidable: boolean; withIpset: boolean },
): SaveTextsWithNames {
  const ipv4: SaveText = iptablesText(dice, { ...wishes, family: "ipv4" });
  const ipv6: SaveText | undefined = dice.chance(0.6)
    ? iptablesText(dice, { ...wishes, family: "ipv6", withIpset: false })
    : undefined;
  return {
    saved: { ipv4: ipv4.text, ...(ipv6 === undefined ? {} : { ipv6: ipv6.text }) },
    undecidable: [...ipv4.undecidable, ...(ipv6?.undecidable ?? [])],
  };
}

function ipsetText(dice: Dice): string {
  const members = separateSources(dice, "ipv4", 3).map((member) => member.split("-")[0]);
  return [
    `create ${IPSET_NAME} hash:net`,
    ...members.map((one) => `add ${IPSET_NAME} ${one}`),
    "",
  ].join("\n");
}
