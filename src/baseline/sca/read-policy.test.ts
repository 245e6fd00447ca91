import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { importScaPolicy, scaPolicyOf } from "./read-policy.ts";
import { parseScaRule } from "./rule-text.ts";

const POLICY = `
policy: {id: mine, name: "My policy"}
requirements:
  title: a
  condition: any
  rules: ["f:/etc/os-release"]
variables:
  $conf: /etc/ssh/sshd_config,/etc/ssh/other
checks:
  - id: 7
    title: no root login
    condition: all
    rules:
      - 'f:$conf -> r:^\\s*PermitRootLogin\\s+no'
      - not c:sshd -T -> !r:^# && n:maxauthtries (\\d+) compare <= 4
`;

test("a policy becomes compact JSON with its variables put in", async () => {
  const read = await importScaPolicy(POLICY);
  assert.ok(read.ok);
  assert.deepEqual(read.value.checks, [
    {
      id: "7",
      title: "no root login",
      condition: "all",
      dialect: "v4",
      regexType: "os_regex",
      rules: [
        {
          isNegated: false,
          kind: "file",
          paths: ["/etc/ssh/sshd_config", "/etc/ssh/other"],
          terms: [{ isNegated: false, kind: "regex", pattern: "^\\s*PermitRootLogin\\s+no" }],
        },
        {
          isNegated: true,
          kind: "command",
          command: "sshd -T",
          terms: [
            { isNegated: true, kind: "regex", pattern: "^#" },
            {
              isNegated: false,
              kind: "number",
              pattern: "maxauthtries (\\d+)",
              operator: "<=",
              value: 4,
            },
          ],
        },
      ],
    },
  ]);
  assert.equal(read.value.requirements?.rules.length, 1);
  assert.deepEqual(JSON.parse(JSON.stringify(read.value)), read.value);
});

test("checks with a name are of version 5 and its regular expressions of PCRE2", async () => {
  const text = "policy: {id: x}\nchecks: [{id: 1, name: n, condition: none, rules: ['d:/a,b']}]";
  const read = await importScaPolicy(text);
  assert.ok(read.ok);
  const [check] = read.value.checks;
  assert.equal(check?.regexType, "pcre2");
  assert.deepEqual(check?.rules, [{ isNegated: false, kind: "folder", paths: ["/a,b"] }]);
});

test("a policy says which language its regular expressions are of", async () => {
  const text =
    "policy: {id: x, regex_type: pcre2}\nchecks: [{id: 1, condition: all, rules: []}, {id: 2, condition: all, regex_type: osregex, rules: []}]";
  const read = await importScaPolicy(text);
  assert.ok(read.ok);
  assert.deepEqual(
    read.value.checks.map((check) => check.regexType),
    ["pcre2", "os_regex"],
  );
});

test("rules of every type are read", () => {
  assert.deepEqual(parseScaRule("d:/etc/x -> r:\\.conf$ -> r:a -> b", "v5"), {
    isNegated: false,
    kind: "folder",
    paths: ["/etc/x"],
    names: [{ isNegated: false, kind: "regex", pattern: "\\.conf$" }],
    terms: [{ isNegated: false, kind: "regex", pattern: "a -> b" }],
  });
  assert.deepEqual(parseScaRule("p:auditd", "v5"), {
    isNegated: false,
    kind: "process",
    name: "auditd",
  });
  assert.deepEqual(parseScaRule("f:/proc/x -> Linux && r:y", "v5").kind, "file");
  for (const bad of [
    "",
    "x:/etc",
    "r:HKLM -> a",
    "f:/x -> n:(\\d+) compare",
    "f:/x -> n:(\\d+)",
    "f:",
  ]) {
    assert.equal(parseScaRule(bad, "v5").kind, "unknown", bad);
  }
});

test("a document that is no policy is refused with what is wrong", async () => {
  for (const text of [
    "",
    "[",
    "a: 1",
    "policy: {id: x}",
    "policy: {id: x}\nchecks: [{id: 1, condition: most, rules: []}]",
    "policy: {id: x}\nchecks: [{id: 1, condition: all}]",
    "policy: &a [*a]",
  ]) {
    const read = await importScaPolicy(text);
    assert.equal(read.ok ? "read" : read.problem.code, "malformed", text);
  }
});

test("many aliases do not fill the memory", async () => {
  const names = "abcdefghij";
  const bomb = [...names]
    .map(
      (name, at) => `${name}: &${name} [${at === 0 ? "x" : `${`*${names[at - 1]},`.repeat(9)}`}]`,
    )
    .join("\n");
  assert.equal((await importScaPolicy(bomb)).ok, false);
});

test("documents of any form are read or refused, without an exception", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => typeof scaPolicyOf(value).ok === "boolean"));
  fc.assert(
    fc.property(
      fc.jsonValue(),
      (value) => typeof scaPolicyOf({ policy: { id: "x" }, checks: value }).ok === "boolean",
    ),
  );
});
