import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { check } from "../../src/contract/schema.ts";
import { contextOf } from "../../test/collectors/case-run.ts";
import { emptyTree, treeProbe } from "../../test/collectors/tree-probe.ts";
import { countKeys, keysInHome } from "./authorized-keys.ts";
import { collectLocalUsers } from "./collect.ts";
import { judgeLogIn, type LogInFacts } from "./log-in.ts";
import { localUsersPayload } from "./schema.ts";

const KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIExample";

describe("the verdict on logging in", () => {
  const open: LogInFacts = {
    shell: "/bin/bash",
    password: "locked",
    hasExpired: false,
    authorizedKeys: 0,
  };
  const verdicts: readonly (readonly [string, Partial<LogInFacts>, string, string])[] = [
    ["a usable password lets in", { password: "set" }, "true", "password"],
    ["an empty password lets in", { password: "empty" }, "true", "empty password"],
    ["a key opens a locked account", { authorizedKeys: 1 }, "true", "authorized keys"],
    ["a locked account without keys is closed", {}, "false", "password locked"],
    [
      "a locked account with unknown keys is unknown",
      { authorizedKeys: undefined },
      "unknown",
      "authorized keys not known",
    ],
    [
      "an unknown password without keys is unknown",
      { password: "unknown" },
      "unknown",
      "password file not readable",
    ],
    [
      "a key decides although the password is unknown",
      { password: "unknown", authorizedKeys: 2 },
      "true",
      "authorized keys",
    ],
    [
      "a refusing shell closes even with an empty password",
      { password: "empty", shell: "/usr/sbin/nologin" },
      "false",
      "no login shell",
    ],
    [
      "an expired account is closed whatever its password",
      { password: "set", hasExpired: true },
      "false",
      "account expired",
    ],
  ];
  for (const [what, facts, canLogIn, reason] of verdicts) {
    it(`says that ${what}`, () => {
      assert.deepEqual(judgeLogIn({ ...open, ...facts }), { canLogIn, reason });
    });
  }
});

describe("authorized keys", () => {
  it("are counted with and without options, comments are not", () => {
    const text = [
      `ssh-ed25519 ${KEY} a`,
      `from="192.0.2.0/24",no-pty ssh-rsa ${KEY}`,
      `sk-ssh-ed25519@openssh.com ${KEY}`,
      `# ssh-ed25519 ${KEY}`,
      "",
      "ssh-ed25519",
    ].join("\n");
    assert.equal(countKeys(text), 3);
  });

  it("are not looked for in what is no regular file", () => {
    const tree = emptyTree();
    tree.files.set("/home/a/.ssh/authorized_keys", `ssh-ed25519 ${KEY}\n`);
    const plain = treeProbe(tree);
    assert.equal(keysInHome(plain, "/home/a"), 1);
    const piped = {
      ...plain,
      facts: (path: string) => {
        const facts = plain.facts(path);
        return facts.ok
          ? { ok: true as const, value: { ...facts.value, kind: "pipe" as const } }
          : facts;
      },
    };
    assert.equal(keysInHome(piped, "/home/a"), 0);
  });

  it("are counted in bounded time whatever the file holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 2000 }), (text) => {
        assert.ok(countKeys(text) <= text.split("\n").length);
      }),
    );
  });
});

describe("the collector of local users", () => {
  const settings = { countAuthorizedKeys: true };

  it("takes an account as expired on the day it expires", async () => {
    const tree = emptyTree();
    // The clock of the tests stands on day 20,468 since the epoch.
    tree.files.set("/etc/passwd", "a:x:1001:100::/:/bin/sh\nb:x:1002:100::/:/bin/sh\n");
    tree.files.set("/etc/shadow", "a:$6$s$h:1:::::20468:\nb:$6$s$h:1:::::20469:\n");
    const context = contextOf(treeProbe(tree), settings);
    const { events } = await collectLocalUsers({ ...context, settings });
    assert.deepEqual(
      events[0]?.payload.map((item) => (item["ExtraDetails"] as { CanLogIn: string }).CanLogIn),
      ["false", "true"],
    );
  });

  it("never lets a hash out, in events or in problems", async () => {
    const tree = emptyTree();
    tree.files.set("/etc/passwd", "a:x:0:0::/:/bin/sh\nb:$6$SALT$SECRETHASH:1:1::/:/bin/sh\n");
    tree.files.set("/etc/shadow", "a:$6$SALT$SECRETHASH:1::::::\nSECRETHASH\n");
    const context = contextOf(treeProbe(tree), settings);
    const text = JSON.stringify(await collectLocalUsers({ ...context, settings }));
    assert.ok(!text.includes("SECRETHASH") && !text.includes("SALT"));
  });

  it("hands over conforming items for any content of the files", async () => {
    const line = fc
      .array(fc.oneof(fc.string({ unit: "binary", maxLength: 12 }), fc.nat().map(String)), {
        minLength: 3,
        maxLength: 8,
      })
      .map((fields) => fields.join(":"));
    const file = fc.array(line, { maxLength: 6 }).map((lines) => lines.join("\n"));
    await fc.assert(
      fc.asyncProperty(file, file, file, async (passwd, group, shadow) => {
        const tree = emptyTree();
        tree.files.set("/etc/passwd", `${passwd}\nops:x:1:1::/:/bin/sh\n`);
        tree.files.set("/etc/group", group);
        tree.files.set("/etc/shadow", shadow);
        const context = contextOf(treeProbe(tree), settings);
        const { events } = await collectLocalUsers({ ...context, settings });
        const items = events[0]?.payload ?? [];
        assert.ok(items.length >= 1);
        for (const item of items) assert.deepEqual(check(localUsersPayload, item), []);
      }),
    );
  });
});
