import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  parseGroups,
  parseLoginDefs,
  parsePasswd,
  parseShadow,
  personalUserIds,
} from "./accounts.ts";

describe("passwd", () => {
  it("reads a full line", () => {
    assert.deepEqual(parsePasswd("ops:x:1000:100:Operator,,,:/home/ops:/bin/bash\n"), {
      entries: [
        {
          name: "ops",
          password: "shadow",
          userId: 1000,
          groupId: 100,
          home: "/home/ops",
          shell: "/bin/bash",
        },
      ],
      faults: [],
    });
  });

  it("shows an account with missing trailing fields, because the C library accepts it", () => {
    const { entries, faults } = parsePasswd("toor::0:0\n");
    assert.equal(entries[0]?.userId, 0);
    assert.equal(entries[0]?.password, "empty");
    assert.deepEqual(faults, []);
  });

  it("loses only the malformed line and names its number", () => {
    const { entries, faults } = parsePasswd(
      "a:x:1:1::/:/bin/sh\nbroken\n\nb:x:two:2::/:\nc:x:3:3::/:",
    );
    assert.deepEqual(
      entries.map((entry) => entry.name),
      ["a", "c"],
    );
    assert.deepEqual(faults, [
      { line: 2, reason: "1 of 7 fields" },
      { line: 4, reason: "the user id is no number" },
    ]);
  });

  it("skips comments and compatibility entries of the name service switch", () => {
    assert.deepEqual(parsePasswd("# note\n+@admins::::::\n-guest\n"), { entries: [], faults: [] });
  });

  it("refuses ids beyond 32 bits", () => {
    assert.equal(parsePasswd("a:x:4294967296:0::/:").faults.length, 1);
    assert.equal(parsePasswd("a:x:4294967295:0::/:").faults.length, 0);
  });
});

describe("group", () => {
  it("reads members and tolerates blanks between them", () => {
    assert.deepEqual(parseGroups("adm:x:4:ops, dev,\n").entries, [
      { name: "adm", groupId: 4, members: ["ops", "dev"] },
    ]);
  });

  it("reports a line without an id", () => {
    assert.deepEqual(parseGroups("adm:x::\n").faults, [
      { line: 1, reason: "the group id is no number" },
    ]);
  });
});

describe("shadow", () => {
  const states: readonly (readonly [string, string, string | undefined])[] = [
    ["", "empty", undefined],
    ["*", "locked", undefined],
    ["!", "locked", undefined],
    ["!!", "locked", undefined],
    ["!$6$salt$hash", "locked", undefined],
    ["x", "locked", undefined],
    ["*LK*", "locked", undefined],
    ["$y$j9T$salt$hash", "set", "yescrypt"],
    ["$6$salt$hash", "set", "sha512"],
    ["$1$salt$hash", "set", "md5"],
    ["ab.CDefGhIjkl", "set", "des"],
    ["$unheard$x", "set", "other"],
  ];
  for (const [field, state, scheme] of states) {
    it(`takes a password field of the form ${JSON.stringify(field)} as ${state}`, () => {
      const entry = parseShadow(`u:${field}:19000:0:99999:7:::`).entries[0];
      assert.equal(entry?.password, state);
      assert.equal(entry?.scheme, scheme);
    });
  }

  it("reads the day of expiry", () => {
    assert.equal(parseShadow("u:*:19000:0:99999:7::20000:").entries[0]?.expiresOnDay, 20_000);
  });

  it("never carries a hash or the text of a faulty line", () => {
    const text = "u:$6$SALTY$SECRET:1::::::\nSECRETLINE\n:SECRET:\n";
    assert.ok(!JSON.stringify(parseShadow(text)).includes("SECRET"));
    assert.equal(parseShadow(text).faults.length, 2);
  });
});

describe("login.defs", () => {
  it("gives the range of personal user ids", () => {
    const defs = parseLoginDefs("# UID_MIN 5\nUID_MIN\t\t 500\nUID_MAX 60000\nUMASK 022\n");
    assert.deepEqual(personalUserIds(defs), { min: 500, max: 60_000 });
  });

  it("falls back to the documented range", () => {
    assert.deepEqual(personalUserIds(parseLoginDefs("UID_MIN ten")), { min: 1000, max: 60_000 });
  });
});

describe("account files of any content", () => {
  const line = fc
    .array(fc.oneof(fc.string({ maxLength: 8 }), fc.nat().map(String)), { maxLength: 9 })
    .map((fields) => fields.join(":"));
  const garbage = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(line, { maxLength: 12 }).map((lines) => lines.join("\n")),
  );

  it("never throw, and each line becomes at most one entry or one fault", () => {
    fc.assert(
      fc.property(garbage, (text) => {
        const lines = text.split("\n").length;
        for (const parse of [parsePasswd, parseGroups, parseShadow]) {
          const { entries, faults } = parse(text);
          assert.ok(entries.length + faults.length <= lines);
          assert.ok(faults.every((fault) => fault.line >= 1 && fault.line <= lines));
        }
        personalUserIds(parseLoginDefs(text));
      }),
    );
  });

  it("give back the accounts that were written", () => {
    const name = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,15}$/);
    const id = fc.integer({ min: 0, max: 0xffff_fffe });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, id, id), { maxLength: 20 }), (accounts) => {
        const text = accounts
          .map(([n, u, g]) => `${n}:x:${u}:${g}:,,,:/home/${n}:/bin/sh\n`)
          .join("");
        const read = parsePasswd(text);
        assert.deepEqual(
          read.entries.map((entry) => [entry.name, entry.userId, entry.groupId]),
          accounts,
        );
      }),
    );
  });
});
