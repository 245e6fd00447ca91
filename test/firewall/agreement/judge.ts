/** The functions under test: rules as the programs print them, read and judged. */
import type { Firewall, RuleAction } from "../../../src/contract/firewall.ts";
import { addressNumber } from "../../../src/parse/address-number.ts";
import { firewallOf } from "../../../src/parse/firewall/firewall-of.ts";
import { letsIn } from "../../../src/posture/exposure/lets-in.ts";
import type {
  ExposurePiece,
  ExposureQuery,
  ExposureVerdict,
  RuleReference,
} from "../../../src/posture/exposure/query.ts";
import type { Probe } from "./driver-protocol.ts";
import type { LoadedRules } from "./rule-set.ts";
import { GATEWAY_ADDRESSES, GATEWAY_ROUTES, SOURCES } from "./topology.ts";

export interface Prediction {
  readonly verdict: ExposureVerdict;
  readonly arrivesAt: ExposurePiece["arrivesAt"];
  /** The way through the rules, and the rules in doubt. */
  readonly explanation: string;
  /** Names of what could not be decided: `other` conditions and actions of the rules in doubt. */
  readonly doubts: readonly string[];
}

export interface Reading {
  readonly firewall: Firewall;
  /** What a parser had to say against the text. */
  readonly problems: readonly string[];
}

const WHOLE = { ipv4: (1n << 32n) - 1n, ipv6: (1n << 128n) - 1n } as const;
const HOST = { addresses: GATEWAY_ADDRESSES, routes: GATEWAY_ROUTES };

/** As the agent does, and so that whatever was not understood shows. */
export function readRules(loaded: LoadedRules): Reading {
  const texts = (["legacy", "iptablesNft"] as const).flatMap((variant) =>
    (["ipv4", "ipv6"] as const).map((family) => ({
      backend: variant === "legacy" ? ("iptables-legacy" as const) : ("iptables-nft" as const),
      family: family === "ipv4" ? ("ip" as const) : ("ip6" as const),
      text: loaded[variant][family],
      isCut: false,
    })),
  );
  const nft = { backend: "nftables", family: "all", text: loaded.nftJson, isCut: false } as const;
  const { firewall, problems } = firewallOf({ texts: [...texts, nft], unknown: [], problems: [] });
  const faults = problems.map(({ subject, detail }) => `${subject}: ${detail}`);
  return { firewall, problems: firewall.isComplete ? faults : [...faults, "not complete"] };
}

function queryOf(probe: Probe): ExposureQuery {
  const family = probe.source.includes(":") ? "ipv6" : "ipv4";
  return {
    protocol: probe.protocol,
    port: probe.port,
    destinations: [probe.destination],
    interface: SOURCES.find(({ address }) => address === probe.source)?.gatewayInterface,
    sources: { family, ranges: [{ from: 0n, to: WHOLE[family] }] },
    sourcePorts: { from: probe.sourcePort, to: probe.sourcePort },
    host: HOST,
  };
}

/** Asks for all sources at once and takes the piece that holds the probe's. */
export function predict(firewall: Firewall, probe: Probe): Prediction {
  const source = addressNumber(probe.source) ?? -1n;
  const { pieces } = letsIn(firewall, queryOf(probe));
  const holding = pieces.filter((piece) =>
    piece.sources.some(({ from, to }) => source >= from && source <= to),
  );
  const [piece] = holding;
  if (piece === undefined || holding.length > 1)
    throw new Error(
      `${holding.length} pieces hold ${probe.source}: pieces must divide the sources`,
    );
  return {
    verdict: piece.verdict,
    arrivesAt: piece.arrivesAt,
    explanation: explain(piece),
    doubts: [...new Set(piece.doubts.flatMap((rule) => doubtNames(firewall, rule)))],
  };
}

/**
 * What must hold for the same packet when less is told: an answer for the source alone is the same, and a
 * sure answer without interface or destination is right too. Each is a verdict and the name of the question.
 */
export function furtherVerdicts(
  firewall: Firewall,
  probe: Probe,
): readonly (readonly [question: string, verdict: ExposureVerdict])[] {
  const query = queryOf(probe);
  const source = addressNumber(probe.source) ?? -1n;
  const alone = { ...query.sources, ranges: [{ from: source, to: source }] };
  const variants: readonly (readonly [string, ExposureQuery])[] = [
    ["its source alone", { ...query, sources: alone }],
    ["its source, any interface", { ...query, sources: alone, interface: undefined }],
    ["its source, some address", { ...query, sources: alone, destinations: undefined }],
    [
      "its source, no host facts",
      { ...query, sources: alone, host: { addresses: [], routes: [] } },
    ],
  ];
  return variants.map(([name, variant]) => [name, letsIn(firewall, variant).verdict]);
}

/** The sender may choose address, port and source port: what arrived must not be denied then. */
export function broadVerdict(firewall: Firewall, probe: Probe): ExposureVerdict {
  const { sourcePorts: _, ...query } = queryOf(probe);
  const family = query.sources.family;
  const destinations = GATEWAY_ADDRESSES.map(({ address }) => address).filter(
    (address) => address.includes(":") === (family === "ipv6"),
  );
  return letsIn(firewall, { ...query, destinations, interface: undefined }).verdict;
}

function explain(piece: ExposurePiece): string {
  const lines = (rules: readonly RuleReference[]): string =>
    rules
      .map((rule) => `    ${rule.backend} ${rule.family} ${rule.table}/${rule.chain}: ${rule.text}`)
      .join("\n");
  const doubts = piece.doubts.length > 0 ? `\n  in doubt:\n${lines(piece.doubts)}` : "";
  return `  rules on the way:\n${lines(piece.rules)}${doubts}`;
}

function doubtNames(firewall: Firewall, reference: RuleReference): readonly string[] {
  const rule = firewall.tables
    .find(
      (table) =>
        table.backend === reference.backend &&
        table.family === reference.family &&
        table.name === reference.table,
    )
    ?.chains.find((chain) => chain.name === reference.chain)?.rules[reference.position - 1];
  const inConditions = (rule?.conditions ?? []).flatMap((condition) =>
    condition.kind === "other" ? [condition.name] : [],
  );
  const names = [...inConditions, ...actionNames(rule?.action)];
  return names.length > 0 ? names : [`without a name: ${reference.text}`];
}

function actionNames(action: RuleAction | undefined): readonly string[] {
  return action?.kind === "other" ? [action.name] : [];
}
