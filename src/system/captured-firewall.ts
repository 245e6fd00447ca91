import type {
  FirewallReading,
  FirewallSource,
  FirewallText,
  UnknownBackend,
} from "../contract/firewall-source.ts";
import type { Result } from "../contract/result.ts";

/** Where a captured root keeps what the tools said when it was captured. */
const FOLDER = "/captured/firewall";
const MAX_BYTES = 33_554_432;
const FILES = [
  { file: "iptables-legacy-save", backend: "iptables-legacy", family: "ip" },
  { file: "ip6tables-legacy-save", backend: "iptables-legacy", family: "ip6" },
  { file: "iptables-nft-save", backend: "iptables-nft", family: "ip" },
  { file: "ip6tables-nft-save", backend: "iptables-nft", family: "ip6" },
  { file: "nft-list-ruleset.json", backend: "nftables", family: "all" },
] as const;

/**
 * The rule sets of a captured root: one file per tool, named like it; a file that is not there means that
 * the backend had no tables. Without the folder nothing is known, and nothing ever changes.
 */
export function capturedFirewall(
  readText: (path: string, maxBytes?: number) => Result<string>,
  listFolder: (path: string) => Result<readonly string[]>,
): FirewallSource {
  function read(): FirewallReading {
    const names = listFolder(FOLDER);
    if (!names.ok) return { texts: [], unknown: [unknownBackend(names.problem)], problems: [] };
    const texts: FirewallText[] = [];
    const unknown: UnknownBackend[] = [];
    for (const { file, backend, family } of FILES) {
      if (!names.value.includes(file)) continue;
      const text = readText(`${FOLDER}/${file}`, MAX_BYTES);
      if (text.ok) texts.push({ backend, family, text: text.value, isCut: false });
      else unknown.push({ backend, family, problem: text.problem });
    }
    return { texts, unknown, problems: [] };
  }
  return { read: () => Promise.resolve(read()), watch: () => () => undefined };
}

function unknownBackend(problem: UnknownBackend["problem"]): UnknownBackend {
  if (problem.code !== "not-found") return { backend: "nftables", family: "all", problem };
  const detail = "rules live in the kernel, and none were captured with this root";
  const missing = { code: "unsupported", subject: FOLDER, detail } as const;
  return { backend: "nftables", family: "all", problem: missing };
}
