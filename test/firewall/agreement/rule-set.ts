/** Loads rule sets of every backend into the gateway of a test bed, and reads them back. */
import type { ProgramCall } from "./driver-protocol.ts";
import type { ShownByNft } from "./generate-nft.ts";
import type { TestBed } from "./test-bed.ts";

/** What the programs are fed with. Absent: that backend has no rules. */
export interface RuleSet {
  /** Says what sort of rule set it is, for reports. */
  readonly kind: string;
  /** Input of `iptables-legacy-restore` and its relatives. */
  readonly legacy?: SaveTexts;
  readonly iptablesNft?: SaveTexts;
  /** Input of `nft -f`. */
  readonly nft?: string;
  /** Input of `ipset restore`. */
  readonly ipset?: string;
  /** Names of the matches that nobody can foresee; where there are none, nothing may stay unknown. */
  readonly undecidable: readonly string[];
}

export interface SaveTexts {
  readonly ipv4?: string;
  readonly ipv6?: string;
}

/** What the programs say is loaded: output of the save programs and of `nft -j list ruleset`. */
export interface LoadedRules {
  readonly legacy: Required<SaveTexts>;
  readonly iptablesNft: Required<SaveTexts>;
  readonly nftJson: string;
}

const WAIT_FOR_LOCK = ["-w", "20"];
const BUILT_IN_CHAINS: Readonly<Record<string, readonly string[]>> = {
  raw: ["PREROUTING", "OUTPUT"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  filter: ["INPUT", "FORWARD", "OUTPUT"],
};

/** A table that is not named keeps its rules, and a chain that is not named keeps its policy. */
const EMPTY_LEGACY = Object.entries(BUILT_IN_CHAINS)
  .map(([table, chains]) =>
    [`*${table}`, ...chains.map((chain) => `:${chain} ACCEPT [0:0]`), "COMMIT\n"].join("\n"),
  )
  .join("");

export interface RuleLoader {
  /** Replaces everything. Throws with the program's words where a program refuses the text. */
  load(ruleSet: RuleSet): Promise<LoadedRules>;
}

function restoreCalls(backend: "legacy" | "nft", texts: SaveTexts | undefined): ProgramCall[] {
  const calls: ProgramCall[] = [];
  const args = backend === "legacy" ? WAIT_FOR_LOCK : [];
  if (texts?.ipv4 !== undefined)
    calls.push({ file: `iptables-${backend}-restore`, args, stdin: texts.ipv4 });
  if (texts?.ipv6 !== undefined)
    calls.push({ file: `ip6tables-${backend}-restore`, args, stdin: texts.ipv6 });
  return calls;
}

const READ_CALLS: readonly ProgramCall[] = [
  { file: "iptables-legacy-save", args: [] },
  { file: "ip6tables-legacy-save", args: [] },
  { file: "iptables-nft-save", args: [] },
  { file: "ip6tables-nft-save", args: [] },
  { file: "nft", args: ["-j", "list", "ruleset"] },
];

/** Remembers what a test bed holds, so that legacy tables are emptied only where there are some. */
export function ruleLoader(bed: TestBed): RuleLoader {
  let hasLegacy = false;
  let hasIpset = false;
  return {
    async load(ruleSet) {
      const calls: ProgramCall[] = [{ file: "nft", args: ["flush", "ruleset"] }];
      if (hasLegacy)
        calls.push(...restoreCalls("legacy", { ipv4: EMPTY_LEGACY, ipv6: EMPTY_LEGACY }));
      if (hasIpset) calls.push({ file: "ipset", args: ["destroy"] });
      hasLegacy = ruleSet.legacy !== undefined;
      hasIpset = ruleSet.ipset !== undefined;
      if (ruleSet.ipset !== undefined)
        calls.push({ file: "ipset", args: ["restore"], stdin: ruleSet.ipset });
      calls.push(...restoreCalls("legacy", ruleSet.legacy));
      calls.push(...restoreCalls("nft", ruleSet.iptablesNft));
      if (ruleSet.nft !== undefined)
        calls.push({ file: "nft", args: ["-f", "-"], stdin: ruleSet.nft });
      const ends = await bed.run([...calls, ...READ_CALLS]);
      for (const [index, end] of ends.entries()) {
        const call = calls[index];
        if (end.exitCode === 0) continue;
        throw new Error(
          `${call?.file ?? "a save program"} said: ${end.stderr}\n${call?.stdin ?? ""}`,
        );
      }
      const [legacy4, legacy6, nft4, nft6, nftJson] = ends
        .slice(calls.length)
        .map((end) => end.stdout);
      return {
        legacy: { ipv4: legacy4 ?? "", ipv6: legacy6 ?? "" },
        iptablesNft: { ipv4: nft4 ?? "", ipv6: nft6 ?? "" },
        nftJson: nftJson ?? "",
      };
    },
  };
}

const TRIAL = `table netdev trial { chain c { type filter hook ingress device "eth0" priority 0; }; }
`;

/** Asks the installed nft; leaves the gateway without rules. */
export async function shownByNft(loader: RuleLoader): Promise<ShownByNft> {
  const { nftJson } = await loader.load({ kind: "trial", nft: TRIAL, undecidable: [] });
  await loader.load({ kind: "none", undecidable: [] });
  // Until then it writes freed memory in their place. Source: nftables 1.1.0, table_flags_json().
  const tableFlags = !/"version": "(0|1\.0)\./.test(nftJson);
  return { tableFlags, devices: nftJson.includes('"eth0"') };
}
