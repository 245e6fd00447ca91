import type {
  FirewallReading,
  FirewallSource,
  FirewallText,
  KernelTable,
  UnknownBackend,
} from "../contract/firewall-source.ts";
import { ok, type Problem, type Result } from "../contract/result.ts";
import type { IptablesTable } from "../parse/nfnetlink-owner.ts";
import { foreignTables, isIptablesName } from "./firewall-owner.ts";
import type { FirewallParts } from "./firewall-parts.ts";
import { runFirewallTool, type ToolQuestion } from "./firewall-tool.ts";
import { watchFirewall } from "./firewall-watch.ts";
import { kernelTables } from "./kernel-tables.ts";
import { LEGACY_FAMILIES, type LegacyFamily } from "./legacy-tables.ts";

const MAX_NAMES_BYTES = 4_096;

/** The rule sets of the running kernel, in the agent's network namespace. */
export function createFirewallSource(parts: FirewallParts): FirewallSource {
  return {
    read: (signal) => new Reading(parts, signal).run(),
    watch: (onChange) => watchFirewall(parts, onChange),
  };
}

const RULESET: ToolQuestion = {
  backend: "nftables",
  family: "all",
  programs: ["nft"],
  args: ["-j", "list", "ruleset"],
};
/** What iptables-nft-save says of a table or of chains that it leaves out. */
const INCOMPATIBLE = /^# Table `.*(?:is incompatible|contains incompatible)/m;

/**
 * A kernel without nfnetlink has no such protocol, one without nf_tables no such message: then it has no
 * rules of either. A sandbox without AF_NETLINK says EAFNOSUPPORT, and leaves them unknown.
 * Source: nfnetlink_rcv_msg, __netlink_create.
 */
const IS_NO_NFTABLES = /^(?:socket: EPROTONOSUPPORT|dump: EINVAL)\b/;

function saveOfNftables(family: "ip" | "ip6", args: readonly string[]): ToolQuestion {
  const prefix = family === "ip" ? "iptables" : "ip6tables";
  const programs = [`${prefix}-nft-save`, `${prefix}-save`];
  return { backend: "iptables-nft", family, programs, args };
}

function withRemedy(problem: Problem, remedy: string): Problem {
  if (problem.code !== "not-permitted") return problem;
  return { ...problem, detail: `${problem.detail}; ${remedy}` };
}

/** Which tools have to be asked about nftables. */
interface NftablesPlan {
  /** Tables to be shown by iptables-nft-save. */
  readonly ofIptables: readonly IptablesTable[];
  /** Tables that bear a name of iptables, and that its tool would show wrong. */
  readonly foreign: readonly IptablesTable[];
  readonly isNative: boolean;
}

/** One look at all backends. */
class Reading {
  private readonly texts: FirewallText[] = [];
  private readonly unknown: UnknownBackend[] = [];
  private readonly problems: Problem[] = [];
  private dormant: readonly KernelTable[] = [];
  private readonly parts: FirewallParts;
  private readonly signal: AbortSignal;

  constructor(parts: FirewallParts, signal: AbortSignal) {
    this.parts = parts;
    this.signal = signal;
  }

  async run(): Promise<FirewallReading> {
    for (const legacy of LEGACY_FAMILIES) await this.readLegacy(legacy);
    await this.readNftables();
    const { texts, unknown, dormant, problems } = this;
    return { texts, unknown, ...(dormant.length === 0 ? {} : { dormant }), problems };
  }

  /** The kernel lists the tables in a file, which exists when the module is loaded. */
  private async readLegacy(legacy: LegacyFamily): Promise<void> {
    const backend = "iptables-legacy";
    const { family } = legacy;
    const names = this.parts.readText(legacy.namesFile, MAX_NAMES_BYTES);
    if (!names.ok) {
      if (names.problem.code === "not-found") return;
      const problem = withRemedy(names.problem, "CAP_DAC_READ_SEARCH allows it");
      this.unknown.push({ backend, family, problem });
      return;
    }
    if (names.value.trim() === "") return;
    const prefix = family === "ip" ? "iptables" : "ip6tables";
    const programs = [`${prefix}-legacy-save`, `${prefix}-save`];
    await this.ask({ backend, family, programs, args: ["-c"] });
  }

  private async readNftables(): Promise<void> {
    const netlink = this.parts.netlink();
    if (!netlink.ok) {
      // Without the native library nothing tells whether there are tables, and whose.
      this.problems.push(netlink.problem);
      await this.readWithoutPlan();
      return;
    }
    const tables = kernelTables(netlink.value, this.parts.clock);
    if (!tables.ok && IS_NO_NFTABLES.test(tables.problem.detail)) return;
    if (tables.ok) this.dormant = tables.value.filter((table) => table.isDormant);
    const plan = tables.ok ? this.plan(tables.value) : tables;
    if (plan.ok) {
      await this.readPlanned(plan.value);
      return;
    }
    const problem = withRemedy(plan.problem, "CAP_NET_ADMIN allows it");
    this.unknown.push({ backend: "nftables", family: "all", problem });
  }

  private plan(tables: readonly KernelTable[]): Result<NftablesPlan> {
    const { netlink, clock } = this.parts;
    const library = netlink();
    if (!library.ok) return library;
    const named = tables.filter(isIptablesName);
    const foreign = foreignTables(library.value, clock, named);
    if (!foreign.ok) return foreign;
    const ofIptables = named.filter((table) => !foreign.value.has(table));
    const isNative = ofIptables.length < tables.length;
    return ok({ ofIptables, foreign: [...foreign.value], isNative });
  }

  private async readPlanned({ ofIptables, foreign, isNative }: NftablesPlan): Promise<void> {
    let isLeft = isNative;
    for (const family of ["ip", "ip6"] as const) {
      const own = ofIptables.filter((table) => table.family === family);
      if (own.length === 0) continue;
      // One run shows them all; with a foreign table among them each needs a run of its own.
      const isMixed = foreign.some((table) => table.family === family);
      const runs = isMixed ? own.map(({ name }) => ["-c", "-t", name]) : [["-c"]];
      for (const args of runs) {
        const text = await this.ask(saveOfNftables(family, args));
        isLeft ||= text === undefined || INCOMPATIBLE.test(text);
      }
    }
    if (isLeft) await this.ask(RULESET);
  }

  /**
   * nft shows every table right, the extensions of iptables by name alone. The tools of iptables may show
   * tables of nft wrong, so without a plan they are asked only where nft cannot answer.
   */
  private async readWithoutPlan(): Promise<void> {
    if ((await this.ask(RULESET)) !== undefined) return;
    for (const family of ["ip", "ip6"] as const) await this.ask(saveOfNftables(family, ["-c"]));
  }

  private async ask(question: ToolQuestion): Promise<string | undefined> {
    const answer = await runFirewallTool(question, this.signal, this.parts.clock);
    const { backend, family } = question;
    if (answer.kind === "unknown") {
      this.unknown.push({ backend, family, problem: answer.problem });
      return undefined;
    }
    const isCut = answer.problem !== undefined;
    this.texts.push({ backend, family, text: answer.text, isCut });
    if (answer.problem !== undefined) this.problems.push(answer.problem);
    return answer.text;
  }
}
