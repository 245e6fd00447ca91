import { MOST_EVIDENCE, type Verdict, verdictWith } from "../recommendations/verdict.ts";
import { FEWEST_IN_GROUP, HUB_CATALOGUE } from "./catalogue.ts";
import { namesOf, numbered } from "./device-groups.ts";
import { brokenOf, missingOfEdge, stateOf } from "./edge-coverage.ts";
import type { EdgeDeployment, EdgeFacts, EdgeModule } from "./hub-facts.ts";

type Evidence = Readonly<Record<string, string | number>>;

/** A module in a group: settings, and the gateways that have them. */
interface Variant {
  readonly module: EdgeModule;
  readonly ids: string[];
}

/** Paths that a record of evidence names. */
const MOST_PATHS = 6;

/** Modules that a minority of a group runs with other settings than most of it. */
export function judgeModuleSettings(edge: EdgeFacts): Verdict<"IoT_InconsistentModuleSettings"> {
  const groups = variantsOf(edge.deployments);
  const evidence: Evidence[] = [];
  let compared = 0;
  let count = 0;
  for (const [key, variants] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const all = [...variants.values()];
    const total = all.reduce((sum, { ids }) => sum + ids.length, 0);
    if (total < FEWEST_IN_GROUP) continue;
    compared += 1;
    const most = all.find(({ ids }) => ids.length * 2 > total);
    if (most === undefined) continue;
    const others = all.filter((one) => one !== most).sort((a, b) => b.ids.length - a.ids.length);
    const group = key.slice(0, key.indexOf("\n"));
    count += others.length;
    // Beyond what a verdict holds, the paths are not worth their time.
    for (const other of others.slice(0, MOST_EVIDENCE - evidence.length)) {
      evidence.push(recordOf(group, other, most, total));
    }
  }
  const missing = [...missingOfEdge(edge), ...brokenOf(edge, () => true), ...missingGroups(edge)];
  const isTooFew = compared === 0 && missing.length === 0 && edge.deployments.length > 0;
  const tooFew = isTooFew
    ? [`a group with a module on ${FEWEST_IN_GROUP} gateways: none is large enough to compare`]
    : [];
  return verdictWith(HUB_CATALOGUE.IoT_InconsistentModuleSettings, {
    state: stateOf(count, [...missing, ...tooFew]),
    count,
    evidence,
    missing: [...missing, ...tooFew],
  });
}

/** By group and module, the gateways by their settings. Modules that cannot be read are not compared. */
function variantsOf(
  deployments: readonly EdgeDeployment[],
): ReadonlyMap<string, ReadonlyMap<string, Variant>> {
  const groups = new Map<string, Map<string, Variant>>();
  for (const { deviceId, group, modules } of deployments) {
    if (group === undefined) continue;
    for (const module of modules) {
      if (!module.isReadable) continue;
      const key = `${group}\n${module.name}`;
      const variants = groups.get(key) ?? new Map<string, Variant>();
      groups.set(key, variants);
      const variant = variants.get(module.settingsHash);
      if (variant === undefined) variants.set(module.settingsHash, { module, ids: [deviceId] });
      else variant.ids.push(deviceId);
    }
  }
  return groups;
}

function recordOf(group: string, other: Variant, most: Variant, total: number): Evidence {
  const paths = differingPaths(other.module, most.module);
  const shown = paths.slice(0, MOST_PATHS).map(({ path, text }) => `${path}${text}`);
  const rest = paths.length - shown.length;
  return {
    group,
    module: other.module.name,
    devices: namesOf(other.ids),
    count: other.ids.length,
    differs: `${shown.join("; ")}${rest > 0 ? ` and ${rest} more` : ""}`,
    majority: `${most.ids.length} of ${total} gateways`,
  };
}

/** Paths with other values; the values only where they can be no secret. */
function differingPaths(
  one: EdgeModule,
  most: EdgeModule,
): readonly { readonly path: string; readonly text: string }[] {
  const own = new Map(one.settings.map((setting) => [setting.path, setting]));
  const usual = new Map(most.settings.map((setting) => [setting.path, setting]));
  return [...new Set([...own.keys(), ...usual.keys()])].sort().flatMap((path) => {
    const [mine, theirs] = [own.get(path), usual.get(path)];
    if (mine?.hash === theirs?.hash) return [];
    if (mine === undefined) return [{ path, text: " is missing" }];
    if (theirs === undefined) return [{ path, text: " is there" }];
    const isShown = mine.text !== undefined && theirs.text !== undefined;
    const text = isShown ? ` ${mine.text || "not set"}, most ${theirs.text || "not set"}` : "";
    return [{ path, text }];
  });
}

function missingGroups({ deployments }: EdgeFacts): readonly string[] {
  const unknown = deployments.filter(({ group }) => group === undefined);
  if (unknown.length === 0) return [];
  return [
    `tags of ${numbered(unknown.length, "gateway")}: az iot hub query -n HUB -q "SELECT * FROM devices WHERE capabilities.iotEdge = true" (--twins FILE)`,
  ];
}
