/**
 * Rule sets that the kernel has taken, saved, read, printed and restored must save to the same text. Runs in
 * network namespaces of its own, so the rules of the machine are not touched.
 */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { promisify } from "node:util";
import {
  firewallFromIptables,
  type IptablesSource,
} from "../../../src/parse/firewall/from-iptables.ts";
import type { IptablesSave } from "../../../src/parse/iptables-save/model.ts";
import { parseIptablesSave } from "../../../src/parse/iptables-save/parse-iptables-save.ts";
import { printIptablesSave } from "../../../src/parse/iptables-save/print-iptables-save.ts";
import { MACHINE_RULE_SETS } from "./corpus-machines.ts";
import { MATCH_RULE_SETS } from "./corpus-matches.ts";
import { TARGET_RULE_SETS } from "./corpus-targets.ts";
import { EMPTY_TEXT, type RuleSet } from "./rule-set.ts";

const CORPUS = [...MATCH_RULE_SETS, ...TARGET_RULE_SETS, ...MACHINE_RULE_SETS];
/** So many rule sets the kernel must take for a backend and family, or the comparison says little. */
const FEWEST_TAKEN = 45;

/**
 * In a namespace of its own: restores each N.in into empty tables and saves to N.out; what the program says
 * on failure goes to N.err. $1 program, $2 folder, $3 number of texts, $4 the empty tables.
 */
const DRIVER = `
ipset create trusted4 hash:net family inet timeout 60 counters 2>/dev/null
ipset create trusted6 hash:net family inet6 timeout 60 counters 2>/dev/null
at=0
while [ $at -lt $3 ]; do
  "$1-restore" < "$4" && "$1-restore" -c < "$2/$at.in" 2> "$2/$at.err" && "$1-save" -c > "$2/$at.out"
  echo $? > "$2/$at.code"
  at=$((at + 1))
done
ipset destroy 2>/dev/null
exit 0
`;

interface Taken {
  readonly code: number;
  readonly saved: string;
  readonly said: string;
}

const folder = mkdtempSync(join(tmpdir(), "iptables-round-trip-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What a fresh namespace makes of the texts. */
async function restoreAndSave(
  program: string,
  texts: readonly string[],
): Promise<readonly Taken[]> {
  const own = mkdtempSync(join(folder, "run-"));
  const empty = join(own, "empty");
  writeFileSync(empty, EMPTY_TEXT);
  for (const [at, text] of texts.entries()) writeFileSync(join(own, `${at}.in`), text);
  const args = ["-n", "sh", "-c", DRIVER, "sh", program, own, String(texts.length), empty];
  await promisify(execFile)("unshare", args, { timeout: 60_000 });
  return texts.map((_, at) => {
    const code = Number(readFileSync(join(own, `${at}.code`), "utf8"));
    const said = readFileSync(join(own, `${at}.err`), "utf8")
      .trim()
      .replace(/\s+/g, " ");
    return { code, said, saved: code === 0 ? readFileSync(join(own, `${at}.out`), "utf8") : "" };
  });
}

function whyNot(program: string): string | false {
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const script = `${program}-restore && ${program}-save`;
  const { status, stderr, error } = spawnSync("unshare", ["-n", "sh", "-c", script], {
    input: EMPTY_TEXT,
    encoding: "utf8",
  });
  if (status === 0) return false;
  return `${program} cannot be used here: ${error?.message ?? stderr.trim().slice(0, 200)}`;
}

function withoutRemarks(saved: string): string {
  return saved.replace(/^#.*\n/gm, "");
}

/** A program, and what it made of the corpus before and after our reading. */
interface Comparison {
  readonly program: string;
  readonly source: IptablesSource;
  readonly skip: string | false;
  readonly sets: readonly RuleSet[];
  readonly first: readonly Taken[];
  readonly saves: readonly IptablesSave[];
  readonly printed: readonly string[];
  readonly second: readonly Taken[];
}

async function compare(program: string, source: IptablesSource): Promise<Comparison> {
  const skip = whyNot(program);
  const sets = skip === false ? CORPUS.filter((set) => set.family === source.family) : [];
  const texts = sets.map((set) => set.text);
  const first = skip === false ? await restoreAndSave(program, texts) : [];
  const saves = first.map(({ saved }) => parseIptablesSave(saved));
  const printed = saves.map((save) => printIptablesSave(save.tables));
  const second = skip === false ? await restoreAndSave(program, printed) : [];
  return { program, source, skip, sets, first, saves, printed, second };
}

function assertSame(compared: Comparison, at: number): void {
  const save = compared.saves[at] ?? assert.fail("not read");
  const saved = withoutRemarks(compared.first[at]?.saved ?? "");
  const again = compared.second[at] ?? assert.fail("not restored");
  assert.deepEqual(save.problems, []);
  assert.equal(save.isComplete, true);
  assert.equal(compared.printed[at], saved);
  assert.equal(again.code, 0, again.said);
  assert.equal(withoutRemarks(again.saved), saved);
  const lowered = firewallFromIptables(save, compared.source);
  assert.equal(lowered.isComplete, true);
  assert.equal(countRules(lowered.tables), countRuleLines(compared.sets[at]?.text ?? ""));
}

// Side by side: a restore mostly waits for the kernel.
const comparisons = await Promise.all([
  compare("iptables-legacy", { backend: "iptables-legacy", family: "ipv4" }),
  compare("iptables-nft", { backend: "iptables-nft", family: "ipv4" }),
  compare("ip6tables-legacy", { backend: "iptables-legacy", family: "ipv6" }),
  compare("ip6tables-nft", { backend: "iptables-nft", family: "ipv6" }),
]);

for (const compared of comparisons) {
  const { skip, sets, first } = compared;
  describe(`a rule set saved by ${compared.program}`, { skip }, () => {
    for (const [at, set] of sets.entries()) {
      const refused = first[at]?.code === 0 ? false : `not taken: ${first[at]?.said.slice(0, 150)}`;
      it(`comes back: ${set.name}`, { skip: refused }, () => {
        assertSame(compared, at);
      });
    }

    it("is one of enough that were taken", () => {
      const taken = first.filter(({ code }) => code === 0).length;
      assert.ok(taken >= FEWEST_TAKEN, `only ${taken} of ${sets.length}`);
    });
  });
}

function countRules(
  tables: readonly { readonly chains: readonly { readonly rules: readonly unknown[] }[] }[],
): number {
  return tables.flatMap((table) => table.chains.flatMap((chain) => chain.rules)).length;
}

function countRuleLines(text: string): number {
  return text.split("\n").filter((line) => /^(?:\[[0-9:]+\] )?-A /.test(line)).length;
}
