/** Compares predictions with what the kernel does, rule set after rule set. */
import type { Probe } from "./driver-protocol.ts";
import { generateRuleSet } from "./generate.ts";
import { port } from "./ingredients.ts";
import { broadVerdict, furtherVerdicts, type Prediction, predict, readRules } from "./judge.ts";
import { type Dice, dice } from "./random.ts";
import { type LoadedRules, type RuleSet, ruleLoader, shownByNft } from "./rule-set.ts";
import { type Observation, openTestBed, type TestBed } from "./test-bed.ts";
import { CONTAINER_ADDRESSES, DESTINATIONS, GATEWAY_ADDRESSES, SOURCES } from "./topology.ts";

export interface Plan {
  /** Rule set n of a plan comes from `seed + n`, so that one can be repeated alone. */
  readonly seed: number;
  readonly ruleSets: number;
  readonly probesEach: number;
}

export interface Agreement {
  readonly ruleSets: number;
  readonly undecidableRuleSets: number;
  readonly probes: number;
  /** Predicted for sure, and so it was. */
  readonly allowed: number;
  readonly denied: number;
  /** Of those allowed, how many a rule sent elsewhere. */
  readonly translated: number;
  /** By what could not be decided. */
  readonly unknown: ReadonlyMap<string, number>;
  /** Each with rule set, probe, prediction and observation. */
  readonly failures: readonly string[];
}

/** What `src/posture/README.md` says can stay unknown, as the two readers name it. */
const DOCUMENTED = new Set([
  ...[
    "limit",
    "hashlimit",
    "recent",
    "connlimit",
    "statistic",
    "time",
    "set",
    "mac",
    "string",
    "u32",
  ],
  ...["ttl", "length", "pkttype", "numgen", "payload saddr", "payload ttl"],
  ...["meta length", "meta hour", "meta pkttype"],
]);

const MOST_FAILURES = 10;

interface Tally {
  allowed: number;
  denied: number;
  translated: number;
  probes: number;
  readonly unknown: Map<string, number>;
  readonly failures: string[];
}

/** Stops early after ten failures. Throws where a program refuses a generated rule set. */
export async function compareWithKernel(plan: Plan): Promise<Agreement> {
  const bed = await openTestBed();
  const tally: Tally = {
    allowed: 0,
    denied: 0,
    translated: 0,
    probes: 0,
    unknown: new Map(),
    failures: [],
  };
  let ruleSets = 0;
  let undecidableRuleSets = 0;
  try {
    const loader = ruleLoader(bed);
    const shown = await shownByNft(loader);
    for (; ruleSets < plan.ruleSets && tally.failures.length < MOST_FAILURES; ruleSets += 1) {
      const seed = plan.seed + ruleSets;
      const chance = dice(seed);
      const ruleSet = generateRuleSet(chance, shown);
      if (ruleSet.undecidable.length > 0) undecidableRuleSets += 1;
      const loaded = await loader.load(ruleSet);
      const probes = randomProbes(chance, bed, plan.probesEach);
      await compareOne({ seed, ruleSet, loaded, probes }, bed, tally);
    }
    for (const probe of bed.lateArrivals())
      tally.failures.push(`arrived after it was counted as dropped: ${JSON.stringify(probe)}`);
  } finally {
    await bed.close();
  }
  return { ...tally, ruleSets, undecidableRuleSets };
}

function randomProbes(chance: Dice, bed: TestBed, count: number): readonly Probe[] {
  return Array.from({ length: count }, () => {
    const source = chance.pick(SOURCES);
    return {
      protocol: chance.pick(["tcp", "udp"] as const),
      source: source.address,
      sourcePort: bed.freshSourcePort(),
      destination: chance.pick(DESTINATIONS[source.family]),
      port: port(chance),
    };
  });
}

interface Trial {
  readonly seed: number;
  readonly ruleSet: RuleSet;
  readonly loaded: LoadedRules;
  readonly probes: readonly Probe[];
}

async function compareOne(trial: Trial, bed: TestBed, tally: Tally): Promise<void> {
  const { firewall, problems } = readRules(trial.loaded);
  for (const problem of problems) tally.failures.push(`seed ${trial.seed}: not read: ${problem}`);
  const predictions = new Map(trial.probes.map((probe) => [probe, predict(firewall, probe)]));
  const seen = await bed.observe(
    trial.probes,
    (probe) => predictions.get(probe)?.verdict === "allow",
  );
  for (const [at, [probe, prediction]] of [...predictions].entries()) {
    const observation = seen[at] ?? { at: "nowhere" };
    tally.probes += 1;
    const objections = [
      ...objectionsTo(prediction, observation, trial),
      ...objectionsToFurther(prediction, observation, furtherVerdicts(firewall, probe)),
    ];
    if (observation.at !== "nowhere" && broadVerdict(firewall, probe) === "deny")
      objections.push("denied to any sender, and yet it arrived");
    if (objections.length > 0)
      tally.failures.push(report(trial, probe, prediction, observation, objections));
    else count(prediction, tally);
  }
}

function count(prediction: Prediction, tally: Tally): void {
  if (prediction.verdict === "allow") tally.allowed += 1;
  else if (prediction.verdict === "deny") tally.denied += 1;
  else {
    const reason = prediction.doubts.join("+");
    tally.unknown.set(reason, (tally.unknown.get(reason) ?? 0) + 1);
  }
  if (prediction.arrivesAt !== undefined) tally.translated += 1;
}

function objectionsTo(prediction: Prediction, observation: Observation, trial: Trial): string[] {
  if (prediction.verdict === "unknown") {
    const foreign = prediction.doubts.filter((name) => !DOCUMENTED.has(name));
    if (trial.ruleSet.undecidable.length === 0)
      return [
        `unknown because of ${prediction.doubts.join(", ")}, although every rule can be decided`,
      ];
    return foreign.map((name) => `unknown because of ${name}, which is not documented`);
  }
  const arrived = observation.at !== "nowhere";
  if (arrived !== (prediction.verdict === "allow"))
    return [`predicted ${prediction.verdict}, and it ${arrived ? "arrived" : "did not arrive"}`];
  return arrived ? objectionsToPlace(prediction, observation) : [];
}

function objectionsToPlace({ arrivesAt }: Prediction, observation: Observation): string[] {
  if (arrivesAt === undefined)
    return observation.at === "gateway" ? [] : ["not predicted to be sent elsewhere"];
  const containers: readonly string[] = Object.values(CONTAINER_ADDRESSES);
  const isLocal = GATEWAY_ADDRESSES.some(({ address }) => address === arrivesAt.address);
  const at = containers.includes(arrivesAt.address ?? "") ? "container" : isLocal ? "gateway" : "?";
  if (at === observation.at && arrivesAt.port === observation.port) return [];
  return [`predicted to end at ${arrivesAt.address} port ${arrivesAt.port}`];
}

function objectionsToFurther(
  prediction: Prediction,
  observation: Observation,
  verdicts: ReturnType<typeof furtherVerdicts>,
): string[] {
  const truth = observation.at === "nowhere" ? "deny" : "allow";
  return verdicts
    .filter(([question, verdict]) =>
      question === "its source alone"
        ? verdict !== prediction.verdict
        : verdict !== "unknown" && verdict !== truth,
    )
    .map(([question, verdict]) => `asked for ${question}: ${verdict}`);
}

function report(
  trial: Trial,
  probe: Probe,
  prediction: Prediction,
  observation: Observation,
  objections: readonly string[],
): string {
  const { legacy, iptablesNft, nftText } = { ...trial.loaded, nftText: trial.ruleSet.nft ?? "" };
  const rules = Object.entries({
    "iptables-legacy-save": legacy.ipv4,
    "ip6tables-legacy-save": legacy.ipv6,
    "iptables-nft-save": iptablesNft.ipv4,
    "ip6tables-nft-save": iptablesNft.ipv6,
    nft: nftText,
  })
    .filter(([name, text]) => (name === "nft" ? text !== "" : /^-A|^:\S+ DROP/m.test(text)))
    .map(([name, text]) => `# ${name}\n${text}`);
  return [
    `seed ${trial.seed} (${trial.ruleSet.kind}): ${objections.join("; ")}`,
    `  probe: ${JSON.stringify(probe)}`,
    `  predicted: ${prediction.verdict} ${JSON.stringify(prediction.arrivesAt) ?? ""}`,
    `  observed: ${JSON.stringify(observation)}`,
    prediction.explanation,
    ...rules,
  ].join("\n");
}

/** One line for the log of a test. */
export function summaryLine(plan: Plan, agreement: Agreement): string {
  const { allowed, denied, unknown } = agreement;
  const reasons = [...unknown].map(([reason, times]) => `${reason} ${times}`).join(", ");
  return (
    `seed ${plan.seed}: ${agreement.ruleSets} rule sets (${agreement.undecidableRuleSets} undecidable), ` +
    `${agreement.probes} probes, ${allowed + denied} agreed (${allowed} let in, ` +
    `${agreement.translated} sent elsewhere, ${denied} dropped), unknown: ${reasons || "none"}`
  );
}
