import assert from "node:assert/strict";
import { test } from "node:test";
import { createDevice } from "../../src/baseline/device.ts";
import type { Verdict } from "../../src/baseline/outcome.ts";
import { judgeScaCheck, judgeScaRequirements } from "../../src/baseline/sca/judge.ts";
import type { ScaCheck, ScaDialect } from "../../src/baseline/sca/policy.ts";
import { parseScaRule } from "../../src/baseline/sca/rule-text.ts";
import { type MemoryRootOptions, memoryRoot, type RootFiles } from "./memory-root.ts";

const FILES: RootFiles = {
  "/etc/a": "# PermitRootLogin yes\nPermitRootLogin no\nMax 4\n",
  "/etc/b": "x\n",
  "/etc/empty": "",
  "/etc/secret": { text: "x", isRefused: true },
  "/etc/d/1.conf": "on\n",
  "/etc/d/deep/2.conf": "off\n",
  "/etc/d/link.conf": { link: "/etc/a" },
  "/etc/only/inner/x": "",
  "/proc/7/status": "Name:\tauditd\nPPid:\t1\nUid:\t0\t0\t0\t0\n",
  "/proc/sys/kernel/ostype": "Linux\n",
  "/usr/bin/cat": { mode: 0o755 },
  "/usr/bin/odd": { mode: 0o755 },
};

function check(
  condition: ScaCheck["condition"],
  rules: readonly string[],
  dialect: ScaDialect = "v5",
): ScaCheck {
  return {
    id: "1",
    title: "t",
    condition,
    dialect,
    regexType: dialect === "v5" ? "pcre2" : "os_regex",
    rules: rules.map((rule) => parseScaRule(rule, dialect)),
  };
}

function verdict(one: ScaCheck, options: MemoryRootOptions = {}): Verdict {
  return judgeScaCheck(one, createDevice(memoryRoot(FILES, options), 0)).verdict;
}

/** `+` found, `-` not found, `?` cannot be told. */
const RULES: Readonly<Record<string, string>> = {
  "+": "f:/etc/a",
  "-": "f:/etc/none",
  "?": "f:/etc/none -> r:x",
};

test("a condition is settled by one rule, and left open by one that cannot tell", () => {
  const table: Readonly<Record<ScaCheck["condition"], Readonly<Record<string, Verdict>>>> = {
    all: { "++": "pass", "+-": "fail", "?-": "fail", "+?": "not-applicable", "": "not-applicable" },
    any: { "-+": "pass", "--": "fail", "?+": "pass", "-?": "not-applicable" },
    none: { "--": "pass", "-+": "fail", "?+": "fail", "-?": "not-applicable" },
  };
  for (const condition of ["all", "any", "none"] as const) {
    for (const [signs, expected] of Object.entries(table[condition])) {
      const rules = [...signs].map((sign) => RULES[sign] ?? "");
      assert.equal(verdict(check(condition, rules)), expected, `${condition} ${signs}`);
    }
  }
});

test("each rule type finds what is there", () => {
  const found: readonly (readonly [rule: string, isFound: boolean])[] = [
    ["f:/etc/a -> r:^permitrootlogin\\s+no", true],
    ["f:/etc/a -> !r:^# && r:yes", false],
    ["not f:/etc/a -> !r:^# && r:yes", true],
    ["f:/etc/a -> n:^Max (\\d+) compare <= 4", true],
    ["f:/etc/a -> n:^Max (\\d+) compare > 4", false],
    ["f:/etc/b -> x", true],
    ["f:/etc/empty -> r:.*", false],
    ["f:/proc/sys/kernel/ostype -> Linux", true],
    ["d:/etc/d", true],
    ["d:/etc/a", false],
    ["d:/etc/d -> r:\\.conf$", true],
    ["d:/etc/d -> r:\\.conf$ -> r:^off$", true],
    ["d:/etc/d -> r:\\.conf$ -> r:Max", false],
    ["d:/etc/d -> 2.conf", true],
    ["not d:/etc/d -> r:\\.conf$ -> r:Max", true],
    ["p:auditd", true],
    ["p:crond", false],
    ["c:cat /etc/b -> r:^x$", true],
    ["c:cat /etc/none -> r:No such file", true],
    ["not c:cat /etc/b -> r:y", true],
  ];
  for (const [rule, isFound] of found)
    assert.equal(verdict(check("all", [rule])), isFound ? "pass" : "fail", rule);
});

test("a single negated term means no line at all to version 5, and some line to version 4", () => {
  const rule = "f:/etc/a -> !r:PermitRootLogin";
  assert.equal(verdict(check("all", [rule])), "fail");
  assert.equal(verdict(check("all", [rule], "v4")), "pass");
});

test("version 4 takes several paths and follows links in folders", () => {
  assert.equal(verdict(check("all", ["f:/etc/b,/etc/a -> r:Max"], "v4")), "pass");
  assert.equal(verdict(check("all", ["d:/etc/d -> r:link -> r:Max"], "v4")), "pass");
  assert.equal(verdict(check("all", ["d:/etc/d -> r:link -> r:Max"])), "fail");
});

test("what is not there does not apply, and what cannot be read is an error", () => {
  const rules: Readonly<Record<string, Verdict>> = {
    "f:/etc/none -> r:x": "not-applicable",
    "d:/etc/none -> r:x": "not-applicable",
    "d:/etc/only -> r:x": "pass",
    "c:nosuch -> r:x": "not-applicable",
    "c:odd -> r:x": "not-applicable",
    "f:/etc/secret -> r:x": "error",
    "f:/etc/b -> r:(?=x)": "error",
    "f:/etc/b -> n:(x) compare > 1": "error",
    "w:/etc/b": "error",
  };
  for (const [rule, expected] of Object.entries(rules))
    assert.equal(verdict(check("all", [rule])), expected, rule);
});

test("the reason names the command that is not known", () => {
  const outcome = judgeScaCheck(
    check("all", ["c:odd --x -> r:x"]),
    createDevice(memoryRoot(FILES), 0),
  );
  assert.match(outcome.reason ?? "", /command odd is not known/);
  assert.equal(outcome.evidence[0]?.source, "odd --x");
});

test("an offline root is not asked for its kernel and processes", () => {
  for (const rule of ["f:/proc/sys/kernel/hostname -> gateway", "p:auditd"]) {
    assert.equal(verdict(check("all", [rule]), { isLive: false }), "not-applicable", rule);
  }
  const type = "f:/proc/sys/kernel/ostype -> Linux";
  assert.equal(verdict(check("all", [type]), { isLive: false }), "pass", "which all of them are");
});

test("a policy without requirements is about every device", () => {
  const device = createDevice(memoryRoot(FILES), 0);
  assert.equal(judgeScaRequirements({ id: "x", name: "x", checks: [] }, device).verdict, "pass");
  const requirements = check("all", ["f:/etc/none"]);
  assert.equal(
    judgeScaRequirements({ id: "x", name: "x", checks: [], requirements }, device).verdict,
    "fail",
  );
});
