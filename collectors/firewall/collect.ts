import {
  abandonedSnapshot,
  type CollectorContext,
  type Snapshot,
  type Watch,
} from "../../src/contract/collector.ts";
import { knownDetails, type PayloadItem } from "../../src/contract/event.ts";
import type { Firewall } from "../../src/contract/firewall.ts";
import type { FirewallReading, UnknownBackend } from "../../src/contract/firewall-source.ts";
import type { Problem } from "../../src/contract/result.ts";
import type { Infer } from "../../src/contract/schema.ts";
import { firewallOf } from "../../src/parse/firewall/firewall-of.ts";
import { plainText } from "../../src/parse/plain-text.ts";
import { ruleItems } from "./rule-items.ts";
import type { firewallSettings } from "./schema.ts";

type Context = CollectorContext<Infer<typeof firewallSettings>>;

/** Every rule of every backend in force, and a word for each backend that could not be asked. */
export async function collectFirewall(context: Context): Promise<Snapshot> {
  if (context.signal.aborted) return abandonedSnapshot("firewall");
  const reading = await context.probe.firewall().read(context.signal);
  if (context.signal.aborted) return abandonedSnapshot("firewall");
  if (!context.probe.isLive && isNothingCaptured(reading)) {
    return { events: [], problems: reading.unknown.map(({ problem }) => problem) };
  }
  const { firewall, problems } = firewallOf(reading);
  const items = ruleItems(firewall, context.settings.includeCounters);
  const { maxRules } = context.settings;
  const payload = [...reading.unknown.map(unknownItem), ...items.slice(0, maxRules)];
  return {
    events: [{ name: "FirewallConfiguration", payload }],
    problems: [
      ...reading.unknown.map(({ problem }) => problem),
      ...problems,
      ...tooMany(items.length, maxRules),
      ...twoBackends(firewall),
    ],
  };
}

/** An offline image says nothing of a firewall: rules live in the kernel. */
function isNothingCaptured({ texts, unknown }: FirewallReading): boolean {
  return texts.length === 0 && unknown.some(({ problem }) => problem.code === "unsupported");
}

/** Calls back when the kernel tells of a change. */
export async function watchFirewallChanges(context: Context, onChange: () => void): Promise<Watch> {
  const stop = context.probe.firewall().watch(onChange);
  return { stop: async () => stop() };
}

/** Stands for the rules of a backend that could not be asked: never an empty "no firewall". */
function unknownItem({ backend, family, problem }: UnknownBackend): PayloadItem {
  return {
    Enabled: true,
    Action: "Other",
    ...knownDetails({
      Backend: backend,
      Family: family,
      State: "unknown",
      Reason: plainText(`${problem.subject}: ${problem.detail} (${problem.code})`, 256),
    }),
  };
}

function tooMany(count: number, most: number): readonly Problem[] {
  if (count <= most) return [];
  const detail = `${count} rules; the first ${most} are reported, see the setting maxRules`;
  return [{ code: "too-large", subject: "firewall", detail }];
}

/** Each tool shows its own rules only, so an operator may not know of the other half. */
function twoBackends(firewall: Firewall): readonly Problem[] {
  const withRules = firewall.tables.filter((table) =>
    table.chains.some((chain) => chain.rules.length > 0 || chain.base?.policy === "drop"),
  );
  const isLegacy = withRules.some((table) => table.backend === "iptables-legacy");
  const others = new Set(withRules.map((table) => table.backend));
  others.delete("iptables-legacy");
  if (!isLegacy || others.size === 0) return [];
  const detail = `iptables-legacy and ${[...others].sort().join(", ")} both have rules in force; the kernel asks both, and each tool shows only its own`;
  return [{ code: "conflict", subject: "firewall backends", detail }];
}
