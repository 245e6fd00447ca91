import type {
  FirewallReading,
  FirewallSource,
  FirewallText,
  KernelTable,
  UnknownBackend,
} from "../contract/firewall-source.ts";
import { ok, type Problem, type Result } from "../contract/result.ts";
import type { FirewallParts } from "./firewall-parts.ts";
import { watchFirewall } from "./firewall-watch.ts";
import { kernelTables } from "./kernel-tables.ts";
import { LEGACY_FAMILIES, type LegacyFamily } from "./legacy-tables.ts";
import { type ProgramEnd, runProgram } from "./program.ts";

const TOOL_DEADLINE_MS = 10_000;
const MOST_OUTPUT_BYTES = 33_554_432;
const MAX_NAMES_BYTES = 4_096;
/** The tables that iptables-nft keeps, by name. Source: xtables_ipv4 of iptables/nft.c. */
const IPTABLES_NAMES: ReadonlySet<string> = new Set(["filter", "nat", "mangle", "raw", "security"]);

/** The rule sets of the running kernel, in the agent's network namespace. */
export function createFirewallSource(parts: FirewallParts): FirewallSource {
  return {
    read: (signal) => new Reading(parts, signal).run(),
    watch: (onChange) => watchFirewall(parts, onChange),
  };
}

/** One look at all backends. */
class Reading {
  private readonly texts: FirewallText[] = [];
  private readonly unknown: UnknownBackend[] = [];
  private readonly problems: Problem[] = [];
  private readonly parts: FirewallParts;
  private readonly signal: AbortSignal;

  constructor(parts: FirewallParts, signal: AbortSignal) {
    this.parts = parts;
    this.signal = signal;
  }

  async run(): Promise<FirewallReading> {
    for (const legacy of LEGACY_FAMILIES) await this.readLegacy(legacy);
    await this.readNftables();
    return { texts: this.texts, unknown: this.unknown, problems: this.problems };
  }

  /** The kernel lists the tables in a file, which exists when the module is loaded. */
  private async readLegacy(legacy: LegacyFamily): Promise<void> {
    const backend = "iptables-legacy";
    const { family } = legacy;
    const names = this.parts.readText(legacy.namesFile, MAX_NAMES_BYTES);
    if (!names.ok) {
      if (names.problem.code !== "not-found") {
        this.unknown.push({ backend, family, problem: names.problem });
      }
      return;
    }
    if (names.value.trim() === "") return;
    const prefix = family === "ip" ? "iptables" : "ip6tables";
    const saved = await this.ask(
      backend,
      family,
      [`${prefix}-legacy-save`, `${prefix}-save`],
      ["-c"],
    );
    if (!saved.ok) this.unknown.push({ backend, family, problem: saved.problem });
  }

  private async readNftables(): Promise<void> {
    const netlink = this.parts.netlink();
    const tables = netlink.ok ? kernelTables(netlink.value, this.parts.clock) : netlink;
    if (tables.ok) {
      await this.readTables(tables.value);
      return;
    }
    const { problem } = tables;
    if (problem.code === "not-permitted") {
      const detail = `${problem.detail}; CAP_NET_ADMIN allows it`;
      this.unknown.push({
        backend: "nftables",
        family: "all",
        problem: { ...problem, subject: "nftables", detail },
      });
      return;
    }
    // Without the native library the tools must say whether there is anything.
    this.problems.push(problem);
    await this.readTables(undefined);
  }

  /**
   * Undefined: it is not known which tables there are. nft shows every rule exactly but for matches of
   * the kernel's older extensions (`xt`), which it names alone: iptables-nft-save has their options. It is
   * no substitute: rules that nft made it shows shortened, without a word.
   */
  private async readTables(tables: readonly KernelTable[] | undefined): Promise<void> {
    if (tables?.length === 0) return;
    const asked = await this.ask("nftables", "all", ["nft"], ["-j", "list", "ruleset"]);
    if (asked.ok && !asked.value.includes('"xt"')) return;
    for (const family of ["ip", "ip6"] as const) {
      const isOwner = tables?.some((table) => table.family === family && mayBeIptables(table));
      if (isOwner === false) continue;
      const prefix = family === "ip" ? "iptables" : "ip6tables";
      const names = [`${prefix}-nft-save`, `${prefix}-save`];
      const saved = await this.ask("iptables-nft", family, names, ["-c"]);
      if (!saved.ok) this.unknown.push({ backend: "iptables-nft", family, problem: saved.problem });
    }
    const isNative = tables === undefined || !tables.every(mayBeIptables);
    if (!asked.ok && isNative) {
      this.unknown.push({ backend: "nftables", family: "all", problem: asked.problem });
    }
  }

  /** Runs a tool, keeps what it says, and returns it. A beginning counts, with a problem beside. */
  private async ask(
    backend: FirewallText["backend"],
    family: FirewallText["family"],
    names: readonly string[],
    args: readonly string[],
  ): Promise<Result<string>> {
    const { signal } = this;
    const maxOutputBytes = MOST_OUTPUT_BYTES;
    const call = { names, args, deadlineMs: TOOL_DEADLINE_MS, maxOutputBytes, signal };
    const end = await runProgram(call, this.parts.clock);
    if (!end.ok) return end;
    const problem = failureOf(end.value, backend);
    const isCut = end.value.cut !== undefined;
    if (problem !== undefined && !isCut) return { ok: false, problem };
    if (problem !== undefined) this.problems.push(problem);
    this.texts.push({ backend, family, text: end.value.output, isCut });
    return ok(end.value.output);
  }
}

function mayBeIptables({ family, name }: KernelTable): boolean {
  return (family === "ip" || family === "ip6") && IPTABLES_NAMES.has(name);
}

/** Why the output of a tool is not the whole answer. */
function failureOf(end: ProgramEnd, backend: FirewallText["backend"]): Problem | undefined {
  const subject = end.path;
  const said = end.errorOutput.trim().split("\n")[0]?.slice(0, 160) ?? "";
  if (end.cut === "too-large") {
    return { code: "too-large", subject, detail: `more than ${MOST_OUTPUT_BYTES} bytes` };
  }
  if (end.cut !== undefined) {
    return { code: "timed-out", subject, detail: `no end within ${TOOL_DEADLINE_MS} ms` };
  }
  if (end.exitCode !== 0) {
    const code = /permission|permitted|root/i.test(said) ? "not-permitted" : "unsupported";
    return { code, subject, detail: `exit code ${end.exitCode ?? "none"}: ${said}` };
  }
  if (isOtherVariant(end.output, backend)) {
    const detail = "this tool speaks to the other backend; install the package iptables";
    return { code: "unsupported", subject, detail };
  }
  return undefined;
}

/** `iptables-save` alone is of either variant; its first line says which. */
function isOtherVariant(output: string, backend: FirewallText["backend"]): boolean {
  const [first = ""] = output.split("\n", 1);
  if (backend === "nftables" || !first.startsWith("# Generated by")) return false;
  const isNft = /-nft-save|nf_tables/.test(first);
  return isNft !== (backend === "iptables-nft");
}
