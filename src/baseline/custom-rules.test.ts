import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { memoryRoot } from "../../test/baseline/memory-root.ts";
import { CHECK_FORMS } from "./check-forms.ts";
import { decodeCustomRules, readCustomRules } from "./custom-rules.ts";
import { createDevice } from "./device.ts";
import { judgeRule } from "./judge-rule.ts";
import { RULES } from "./rules/index.ts";

const MINIMAL = {
  id: "SITE-1",
  title: "Forwarding is off",
  remediation: "Set net.ipv4.ip_forward = 0.",
  severity: "Important",
  check: { test: "sysctl", key: "net.ipv4.ip_forward", expected: { oneOf: ["0"] } },
};

function decode(...rules: readonly unknown[]) {
  return decodeCustomRules(JSON.stringify({ rules }), "rules.json");
}

function faultOf(...rules: readonly unknown[]): string {
  const decoded = decode(...rules);
  assert.ok(!decoded.ok, "was taken");
  return decoded.problem.detail;
}

describe("custom rules", () => {
  it("need few fields; the others have the defaults of a light rule", () => {
    const decoded = decode(MINIMAL);
    assert.ok(decoded.ok);
    assert.deepEqual(decoded.value, [
      {
        ...MINIMAL,
        rationale: "",
        level: 1,
        isScored: true,
        group: "Custom",
        cost: "light",
      },
    ]);
  });

  it("are judged as the built-in ones are", () => {
    const decoded = decode({
      ...MINIMAL,
      appliesWhen: { test: "file-exists", path: "/proc/sys/net" },
      check: { any: [MINIMAL.check, { not: { test: "file-exists", path: "/etc/router" } }] },
    });
    assert.ok(decoded.ok);
    const [rule] = decoded.value;
    assert.ok(rule !== undefined);
    const verdict = (files: Record<string, string>) =>
      judgeRule(rule, createDevice(memoryRoot(files), 0)).verdict;
    const on = { "/proc/sys/net/ipv4/ip_forward": "1\n" };
    assert.equal(verdict(on), "pass");
    assert.equal(verdict({ ...on, "/etc/router": "" }), "fail");
    assert.equal(verdict({}), "not-applicable");
  });

  it("have the form of the built-in rules, which all go through the same decoder", () => {
    for (const rule of RULES) {
      // Numbers and the two costly kinds are kept for built-in rules.
      const cost = rule.cost === "full-walk" ? "walk" : rule.cost;
      const fault = decode({ ...rule, id: `x${rule.id}`, cost });
      // Our own expressions may be longer and dearer than those of a stranger.
      if (!fault.ok && /expected a regular expression/.test(fault.problem.detail)) continue;
      assert.ok(fault.ok, JSON.stringify(fault));
    }
  });

  it("may use every test that there is", () => {
    const text = readFileSync(new URL("./primitives/judge.ts", import.meta.url), "utf8");
    const names = [...text.matchAll(/case "([a-z-]+)":/g)].map((match) => match[1]);
    assert.ok(names.length >= 15);
    assert.deepEqual(
      names.filter((name) => name === undefined || !Object.hasOwn(CHECK_FORMS, name)),
      [],
    );
  });

  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ["no object", 5, /^rule 1: expected an object/],
    ["no id", { ...MINIMAL, id: undefined }, /^rule 1: id: missing/],
    ["the number of a control", { ...MINIMAL, id: "1.1.1.1" }, /^rule 1.1.1.1: id: found/],
    ["no title", { ...MINIMAL, title: undefined }, /^rule SITE-1: title: missing/],
    ["no check", { ...MINIMAL, check: undefined }, /^rule SITE-1: check: missing/],
    ["an unknown key", { ...MINIMAL, titel: "x" }, /^rule SITE-1: titel: unknown key/],
    [
      "another severity",
      { ...MINIMAL, severity: "High" },
      /severity: found "High"; expected one of/,
    ],
    ["the full walk", { ...MINIMAL, cost: "full-walk" }, /cost: found "full-walk"/],
    [
      "an unknown test",
      { ...MINIMAL, check: { test: "sysctls" } },
      /^rule SITE-1: check.test: found "sysctls"; expected a known test; did you mean sysctl\?/,
    ],
    ["a test of the prototype", { ...MINIMAL, check: { test: "constructor" } }, /check.test/],
    ["an empty list", { ...MINIMAL, check: { all: [] } }, /check.all/],
    ["two expressions", { ...MINIMAL, check: { all: [], any: [] } }, /^rule SITE-1: check: found/],
    [
      "a missing field deep inside",
      { ...MINIMAL, check: { all: [{ not: { test: "mount-option", path: "/tmp" } }] } },
      /^rule SITE-1: check.all\[0\].not.option: missing/,
    ],
    [
      "an unknown field of a test",
      { ...MINIMAL, check: { test: "mount", path: "/tmp", paht: 1 } },
      /check.paht: unknown key/,
    ],
    [
      "a path that climbs",
      { ...MINIMAL, check: { test: "mount", path: "/tmp/../etc" } },
      /an absolute path/,
    ],
    [
      "a runaway expression",
      {
        ...MINIMAL,
        check: { test: "lines", files: ["/etc/x"], pattern: "(a+)+$", want: "some", what: "x" },
      },
      /check.pattern: .*repeated group/,
    ],
    [
      "a runaway expression in what is expected",
      { ...MINIMAL, check: { test: "sshd", key: "Banner", expected: { pattern: "(a|b)*" } } },
      /check.expected.pattern: .*repeated group/,
    ],
    [
      "an appliesWhen that is none",
      { ...MINIMAL, appliesWhen: { test: "mount" } },
      /^rule SITE-1: appliesWhen.path: missing/,
    ],
  ];
  for (const [what, rule, message] of wrong) {
    it(`are refused with ${what}`, () => {
      assert.match(faultOf(rule), message);
    });
  }

  it("are refused together, for one that is wrong may have been the point of it", () => {
    assert.match(faultOf(MINIMAL, { ...MINIMAL, id: "SITE-2", check: {} }), /^rule SITE-2: check/);
    assert.match(faultOf(MINIMAL, MINIMAL), /there are two/);
    assert.match(faultOf(), /1 to 400 rules/);
    assert.match(faultOf(...Array.from({ length: 401 }, () => MINIMAL)), /1 to 400 rules/);
  });

  it("are refused when nested too deep, and when the file is no JSON", () => {
    let check: unknown = MINIMAL.check;
    for (let depth = 0; depth < 10; depth += 1) check = { not: check };
    assert.match(faultOf({ ...MINIMAL, check }), /at most 8 checks in each other/);
    const text = decodeCustomRules("{", "rules.json");
    assert.ok(!text.ok && text.problem.code === "malformed");
    const other = decodeCustomRules('{"rules":[],"rule":1}', "rules.json");
    assert.ok(!other.ok && /unknown key rule/.test(other.problem.detail));
  });

  it("never throw, whatever the JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 5 }), (rule, check) => {
        assert.equal(typeof decode(rule).ok, "boolean");
        assert.equal(typeof decode({ ...MINIMAL, check }).ok, "boolean");
      }),
    );
  });
});

describe("the file of custom rules", () => {
  const content = JSON.stringify({ $schema: "x", rules: [MINIMAL] });
  const hash = createHash("sha256").update(content).digest("hex");
  const probe = memoryRoot({ "/etc/rules.json": content });

  it("is used when its SHA-256 is the promised one, in either case", () => {
    assert.ok(readCustomRules(probe, "/etc/rules.json", hash).ok);
    assert.ok(readCustomRules(probe, "/etc/rules.json", hash.toUpperCase()).ok);
  });

  it("is not used with another, and the problem names the hash that it has", () => {
    const read = readCustomRules(probe, "/etc/rules.json", "0".repeat(64));
    assert.ok(!read.ok);
    assert.equal(read.problem.code, "conflict");
    assert.match(read.problem.detail, new RegExp(hash));
  });

  it("is a problem when it is not there", () => {
    const read = readCustomRules(probe, "/etc/gone.json", hash);
    assert.ok(!read.ok && read.problem.code === "not-found");
  });
});
