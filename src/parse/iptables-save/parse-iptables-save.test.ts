import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { IptablesRule } from "./model.ts";
import { parseIptablesSave } from "./parse-iptables-save.ts";

function filter(...rules: readonly string[]): string {
  return ["*filter", ":INPUT DROP [7:8]", ":docker - [0:0]", ...rules, "COMMIT", ""].join("\n");
}

function ruleOf(line: string): IptablesRule {
  const { tables, problems } = parseIptablesSave(filter(line));
  assert.deepEqual(problems, []);
  const rules = tables.flatMap((table) => table.chains.flatMap((chain) => chain.rules));
  assert.equal(rules.length, 1);
  return rules[0] ?? assert.fail("no rule");
}

function kindsOf(text: string, limits = {}): readonly string[] {
  return parseIptablesSave(text, limits).problems.map(({ kind, line }) => `${line} ${kind}`);
}

function optionsOf(line: string): readonly string[] {
  return ruleOf(line).matches.flatMap((match) =>
    match.options.map((option) =>
      [
        match.module ?? "none",
        option.isNegated ? "!" : "",
        option.name,
        ...option.values.map((value) => `<${value}>`),
      ].join(" "),
    ),
  );
}

describe("the tables of a save", () => {
  it("have chains with policy and counters, user chains without policy", () => {
    const { tables, isComplete } = parseIptablesSave(filter());
    assert.equal(isComplete, true);
    assert.deepEqual(tables, [
      {
        name: "filter",
        chains: [
          { name: "INPUT", policy: "DROP", counters: { packets: 7n, bytes: 8n }, rules: [] },
          { name: "docker", policy: null, counters: { packets: 0n, bytes: 0n }, rules: [] },
        ],
      },
    ]);
  });

  it("keep counters beyond 2^53", () => {
    const rule = ruleOf("[18446744073709551615:9007199254740993] -A INPUT -j DROP");
    assert.deepEqual(rule.counters, { packets: 18446744073709551615n, bytes: 9007199254740993n });
  });

  it("are none, and complete, for an empty text", () => {
    assert.deepEqual(parseIptablesSave(""), {
      tables: [],
      problems: [],
      problemCount: 0,
      isComplete: true,
    });
  });

  it("are read with CRLF line ends", () => {
    const text = filter("-A INPUT -s 10.0.0.1/32 -j ACCEPT").replaceAll("\n", "\r\n");
    const { tables, problems } = parseIptablesSave(text);
    assert.deepEqual(problems, []);
    assert.deepEqual(tables[0]?.chains[0]?.rules[0]?.target, {
      kind: "jump",
      name: "ACCEPT",
      options: [],
    });
  });
});

describe("the head of a rule", () => {
  it("has typed fields, each with its negation", () => {
    const rule = ruleOf(
      "-A INPUT ! -s 10.0.0.0/255.0.255.0 -d ::1/128 ! -i eth+ -o lo ! -p 99 ! -f -g docker",
    );
    assert.deepEqual(rule, {
      source: { value: "10.0.0.0/255.0.255.0", isNegated: true },
      destination: { value: "::1/128", isNegated: false },
      inInterface: { value: "eth+", isNegated: true },
      outInterface: { value: "lo", isNegated: false },
      protocol: { value: "99", isNegated: true },
      fragment: { isNegated: true },
      matches: [],
      target: { kind: "goto", name: "docker", options: [] },
    });
  });

  it("may have the negation behind the option, as old versions wrote it", () => {
    assert.deepEqual(ruleOf("-A INPUT -s ! 1.2.3.4 -p tcp -m tcp --dport ! 22"), {
      source: { value: "1.2.3.4", isNegated: true },
      protocol: { value: "tcp", isNegated: false },
      matches: [{ module: "tcp", options: [{ name: "--dport", isNegated: true, values: ["22"] }] }],
      target: { kind: "none" },
    });
  });

  it("may be written with long names and without -m", () => {
    const rule = ruleOf("--append INPUT --protocol tcp --dport 22 --jump ACCEPT");
    assert.equal(rule.protocol?.value, "tcp");
    assert.deepEqual(rule.matches, [
      { module: null, options: [{ name: "--dport", isNegated: false, values: ["22"] }] },
    ]);
  });
});

describe("the matches of a rule", () => {
  it("keep flags, several values and the negation of the next option apart", () => {
    assert.deepEqual(
      optionsOf(
        "-A INPUT -m tcp --tcp-flags SYN,RST SYN --syn ! --dport 1:2 -m conntrack --ctdir ORIGINAL",
      ),
      [
        "tcp  --tcp-flags <SYN,RST> <SYN>",
        "tcp  --syn",
        "tcp ! --dport <1:2>",
        "conntrack  --ctdir <ORIGINAL>",
      ],
    );
  });

  it("keep one module twice", () => {
    const { matches } = ruleOf("-A INPUT -m multiport --sports 1 -m multiport --dports 2,3:4");
    assert.deepEqual(
      matches.map((match) => match.module),
      ["multiport", "multiport"],
    );
  });

  it("take quoted text as it was before escaping", () => {
    assert.deepEqual(optionsOf(String.raw`-A INPUT -m comment --comment "a \"b\" it\'s \\ c"`), [
      String.raw`comment  --comment <a "b" it's \ c>`,
    ]);
  });

  it("take the word behind a text option as its value, whatever it looks like", () => {
    for (const [written, value] of [
      ['"-j DROP"', "-j DROP"],
      ["-j", "-j"],
      ["--dport", "--dport"],
      ['"!"', "!"],
      ['""', ""],
    ]) {
      const rule = ruleOf(`-A INPUT -m comment --comment ${written} -j ACCEPT`);
      assert.deepEqual(rule.matches[0]?.options[0]?.values, [value]);
      assert.deepEqual(rule.target, { kind: "jump", name: "ACCEPT", options: [] });
    }
  });

  it("may stand behind the target", () => {
    const rule = ruleOf('-A INPUT -j LOG --log-level 7 -m comment --comment "c d"');
    assert.deepEqual(rule.target, {
      kind: "jump",
      name: "LOG",
      options: [{ name: "--log-level", isNegated: false, values: ["7"] }],
    });
    assert.deepEqual(rule.matches[0]?.options[0]?.values, ["c d"]);
  });

  it("are kept where module and options are unknown", () => {
    assert.deepEqual(optionsOf("-A INPUT -m novel --thing a b ! --other -m geoip"), [
      "novel  --thing <a> <b>",
      "novel ! --other",
    ]);
  });

  it("keep words that belong to no option", () => {
    const { tables, problems } = parseIptablesSave(
      filter("-A INPUT -m mystery [unsupported revision] -j ACCEPT"),
    );
    const rule = tables[0]?.chains[0]?.rules[0];
    assert.deepEqual(rule?.matches[0]?.options[0]?.values, ["[unsupported", "revision]"]);
    assert.equal(rule?.target.kind, "jump");
    assert.deepEqual(
      problems.map(({ kind }) => kind),
      ["undecoded-extension"],
    );
  });
});

describe("a comment with a line break", () => {
  const text = filter(
    '-A INPUT -m comment --comment "a',
    "-A INPUT -j ACCEPT",
    'COMMIT" -j DROP',
    "-A INPUT -j docker",
  );

  it("does not become rules", () => {
    const { tables, isComplete } = parseIptablesSave(text);
    const rules = tables[0]?.chains[0]?.rules ?? [];
    assert.equal(isComplete, true);
    assert.deepEqual(rules[0]?.matches[0]?.options[0]?.values, ["a\n-A INPUT -j ACCEPT\nCOMMIT"]);
    assert.deepEqual(
      rules.map((rule) => (rule.target.kind === "none" ? "" : rule.target.name)),
      ["DROP", "docker"],
    );
  });

  it("is reported, and later lines keep their numbers", () => {
    assert.deepEqual(kindsOf(`${text}nonsense\n`), ["4 line-break-in-quotes", "9 foreign-line"]);
  });
});

describe("a save that is not whole", () => {
  it("is incomplete without COMMIT, at the end and before the next table", () => {
    const { tables, isComplete } = parseIptablesSave(
      "*nat\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT",
    );
    assert.equal(isComplete, false);
    assert.equal(tables[1]?.chains[0]?.rules.length, 1);
    assert.deepEqual(kindsOf("*nat\n*filter\n:INPUT ACCEPT [0:0]\n"), [
      "2 not-committed",
      "3 not-committed",
    ]);
  });

  it("is incomplete where a quote stays open, and the next rule is read", () => {
    const { tables, isComplete, problems } = parseIptablesSave(
      filter('-A INPUT -m comment --comment "cut -j ACCEPT', "-A INPUT -j DROP"),
    );
    assert.equal(isComplete, false);
    assert.deepEqual(problems[0]?.kind, "malformed-rule");
    assert.deepEqual(
      tables[0]?.chains[0]?.rules.map((rule) => rule.target.kind === "jump" && rule.target.name),
      ["DROP"],
    );
  });

  it("does not take the quotes of later rules for the end of an open one", () => {
    const near = '-A INPUT -m comment --comment "x y" -j DROP';
    const far = [...new Array<string>(40).fill("-A INPUT -p tcp -m tcp --dport 22 -j DROP"), '"'];
    for (const [later, read] of [[[near], 1] as const, [far, 40] as const]) {
      const { tables, isComplete } = parseIptablesSave(
        filter('-A INPUT -m comment --comment "cut', ...later),
      );
      assert.equal(isComplete, false);
      assert.equal(tables[0]?.chains[0]?.rules.length, read);
    }
  });

  for (const [line, kind] of [
    ["hello world", "foreign-line"],
    ["*", "foreign-line"],
    [":INPUT", "malformed-chain"],
    [":A B C [1:2]", "malformed-chain"],
    ["-A", "malformed-rule"],
    ["-I INPUT -j ACCEPT", "malformed-rule"],
    ["[x:1] -A INPUT", "malformed-rule"],
    ["-A INPUT -j", "malformed-rule"],
    ["-A INPUT -j ACCEPT -j DROP", "malformed-rule"],
    ["-A INPUT -s 1.1.1.1 -s 2.2.2.2", "malformed-rule"],
    ["-A INPUT -p", "malformed-rule"],
    ["-A INPUT ! -m tcp", "malformed-rule"],
    ["-A INPUT ! -j DROP", "malformed-rule"],
    ["-A INPUT ! -s ! 1.1.1.1", "malformed-rule"],
    ["-A INPUT -j ACCEPT !", "malformed-rule"],
    ["-A INPUT\0 -j ACCEPT", "nul-byte"],
    ["# Table `foo' is incompatible, use 'nft' tool.", "incompatible-table"],
    [
      "# Warning: iptables-legacy tables present, use iptables-legacy-save to see them",
      "legacy-tables-present",
    ],
  ] as const) {
    it(`reports ${JSON.stringify(line)} as ${kind}`, () => {
      const save = parseIptablesSave(filter("-A docker", line));
      assert.deepEqual(
        save.problems.map((problem) => `${problem.line} ${problem.kind}`),
        [`5 ${kind}`],
      );
      assert.equal(save.isComplete, false);
    });
  }

  it("reports what stands in no table", () => {
    assert.deepEqual(kindsOf(":INPUT ACCEPT [0:0]\n-A INPUT\nCOMMIT\n"), [
      "1 outside-table",
      "2 outside-table",
      "3 outside-table",
    ]);
  });

  it("keeps rules of chains that were not declared, and says so", () => {
    const { tables, problems } = parseIptablesSave(filter("-A ghost -j DROP"));
    assert.deepEqual(problems[0]?.kind, "undeclared-chain");
    assert.equal(tables[0]?.chains[2]?.name, "ghost");
    assert.equal(tables[0]?.chains[2]?.rules.length, 1);
  });

  it("reports tables and chains that come twice", () => {
    assert.deepEqual(kindsOf(`${filter(":INPUT ACCEPT [0:0]")}${filter()}`), [
      "4 repeated-chain",
      "6 repeated-table",
    ]);
  });
});

describe("the bounds of a reading", () => {
  const text = filter("-A INPUT -j ACCEPT", "-A INPUT -j DROP");

  it("cut at the last whole line", () => {
    const { tables, problems, isComplete } = parseIptablesSave(text, {
      maxBytes: text.indexOf("DROP\nCOMMIT"),
    });
    assert.equal(isComplete, false);
    assert.deepEqual(
      problems.map(({ kind }) => kind),
      ["too-large", "not-committed"],
    );
    assert.equal(tables[0]?.chains[0]?.rules.length, 1);
  });

  it("do not cut a text that just fits, in bytes of UTF-8", () => {
    const wide = filter('-A INPUT -m comment --comment "grün €"');
    const maxBytes = Buffer.byteLength(wide);
    assert.equal(parseIptablesSave(wide, { maxBytes }).isComplete, true);
    assert.equal(parseIptablesSave(wide, { maxBytes: maxBytes - 8 }).isComplete, false);
  });

  it("stop at the most rules", () => {
    const { tables, isComplete } = parseIptablesSave(text, { maxRules: 1 });
    assert.equal(isComplete, false);
    assert.equal(tables[0]?.chains[0]?.rules.length, 1);
    assert.deepEqual(kindsOf(text, { maxRules: 1 }), ["5 too-many-rules"]);
  });

  it("list 100 problems and count all", () => {
    const { problems, problemCount } = parseIptablesSave("nonsense\n".repeat(1000));
    assert.equal(problems.length, 100);
    assert.equal(problemCount, 1000);
  });
});
