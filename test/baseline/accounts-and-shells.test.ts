/** Primitives of sections 5 and 6: whatever the files hold, there is a verdict, and a reason for an error. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Check, judgeCheck } from "../../src/baseline/check.ts";
import { createDevice } from "../../src/baseline/device.ts";
import {
  defaultAlgorithms,
  effectiveAlgorithms,
} from "../../src/baseline/facts/sshd-algorithms.ts";
import { isAtLeast, parseSshdVersion } from "../../src/baseline/facts/sshd-version.ts";
import { umaskOf } from "../../src/baseline/primitives/shell-defaults.ts";
import { secondsText } from "../../src/baseline/primitives/sshd.ts";
import { RULES } from "../../src/baseline/rules/index.ts";
import { memoryRoot, type RootFiles } from "./memory-root.ts";

const USERS = "root:x:0:0::/root:/bin/sh\nop:x:1000:1000::/home/op:/bin/sh\n";

function judge(check: Check, files: RootFiles) {
  return judgeCheck(check, createDevice(memoryRoot(files), 1_767_225_600_000));
}

const QUESTIONS = [
  "empty-passwords",
  "further-roots",
  "root-group",
  "system-logins",
  "changed-in-future",
  "unknown-groups",
  "same-user-ids",
  "same-group-ids",
  "same-user-names",
  "same-group-names",
  "shadow-group",
] as const;

/** Each primitive with the files that it reads. */
const READERS: readonly (readonly [Check, readonly string[]])[] = [
  ...QUESTIONS.map(
    (question) =>
      [
        { test: "accounts", question },
        ["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/login.defs"],
      ] as const,
  ),
  [{ test: "password-age", field: "maxDays", expected: { atMost: 365 } }, ["/etc/shadow"]],
  [{ test: "login-defs", key: "UMASK", expected: { oneOf: ["027"] } }, ["/etc/login.defs"]],
  [{ test: "homes", question: "owner" }, ["/etc/passwd"]],
  [{ test: "homes", question: "file-mode", name: ".*", maxMode: 0o755 }, ["/etc/passwd"]],
  [
    { test: "umask", atLeast: 0o027 },
    ["/etc/profile", "/etc/login.defs", "/etc/pam.d/common-session"],
  ],
  [{ test: "shell-timeout", atMostSeconds: 900 }, ["/etc/profile", "/etc/bash.bashrc"]],
  [{ test: "root-path" }, ["/etc/profile", "/etc/environment", "/etc/login.defs"]],
  [{ test: "root-console" }, ["/etc/shadow", "/etc/securetty", "/etc/pam.d/login"]],
  [{ test: "sshd-key-mode", part: "private" }, ["/etc/ssh/sshd_config"]],
  [
    { test: "sshd", key: "MACs", expected: { withoutAny: ["hmac-md5"] } },
    ["/etc/ssh/sshd_config", "/var/lib/dpkg/status"],
  ],
  [
    { test: "pam", services: ["su"], type: "auth", modules: ["pam_wheel"], mustRefuse: true },
    ["/etc/pam.d/su"],
  ],
];

const ACCOUNT_TABLES = {
  "/etc/shadow": ["empty-passwords", "system-logins", "changed-in-future"],
  "/etc/group": ["unknown-groups", "same-group-ids", "same-group-names", "shadow-group"],
  "/etc/login.defs": ["system-logins"],
  "/etc/passwd": QUESTIONS,
} as const;

/** Each primitive with a file that decides. */
const DECIDERS: readonly (readonly [Check, string])[] = [
  ...Object.entries(ACCOUNT_TABLES).flatMap(([path, questions]) =>
    questions.map((question) => [{ test: "accounts", question }, path] as const),
  ),
  ...READERS.filter(([check]) => "test" in check && check.test !== "accounts").flatMap(
    ([check, paths]) =>
      paths
        .filter((path) => path !== "/var/lib/dpkg/status")
        .map((path): readonly [Check, string] => [check, path]),
  ),
];

/** Text with the marks that these files are made of, so that it gets past the first look. */
const TEXT = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc
    .array(
      fc.constantFrom(
        ...["root", ":", "\n", "0", "x", "/", "-1", "=", " ", "PATH", "umask", "TMOUT", "$", '"'],
        ...["auth", "required", "pam_wheel.so", "@include su", "Match", "MACs", "+", "^", "-", "*"],
        ...["HostKey", "[", "]", "\0", "\u2028", "999999999999", "Include", "UMASK", "else", "fi"],
      ),
      { maxLength: 60 },
    )
    .map((words) => words.join("")),
);

describe("primitives of accounts, shells and the SSH server", () => {
  for (const [check, paths] of READERS) {
    const name = JSON.stringify(check);
    it(`has a verdict for any text: ${name}`, () => {
      fc.assert(
        fc.property(
          fc.array(TEXT, { minLength: paths.length, maxLength: paths.length }),
          (texts) => {
            const files = Object.fromEntries(paths.map((path, at) => [path, texts[at] ?? ""]));
            const outcome = judge(check, { "/etc/passwd": USERS, ...files });
            assert.notEqual(outcome.verdict, "manual");
            if (outcome.verdict === "error") assert.ok((outcome.reason ?? "") !== "");
            for (const { found, source } of outcome.evidence) {
              assert.ok(found.length <= 200 && source.length <= 200);
            }
          },
        ),
        { numRuns: 60 },
      );
    });
  }

  for (const [check, path] of DECIDERS) {
    it(`is an error, not a verdict, without ${path}: ${JSON.stringify(check)}`, () => {
      const files: RootFiles = {
        "/etc/passwd": USERS,
        "/etc/group": "root:x:0:\nshadow:x:42:\n",
        "/etc/shadow": "root:$y$j9T$c29tZQ$aGFzaA:20000:7:90:7:30::\n",
        "/etc/securetty": "console\n",
        "/etc/profile": "umask 077\nTMOUT=60\n",
        "/root": { kind: "folder" },
        "/home/op": { kind: "folder", userId: 1000 },
      };
      assert.notEqual(judge(check, files).verdict, "error");
      const { verdict, reason = "" } = judge(check, { ...files, [path]: { isRefused: true } });
      assert.equal(verdict, "error");
      assert.match(reason, /permission denied/);
    });
  }

  it("shows no password hash as evidence", () => {
    const files: RootFiles = {
      "/etc/passwd": `${USERS}old:$1$abc$SECRETSECRETSECRETSECR:5:5::/:/bin/sh\n`,
      "/etc/shadow": "root:$6$salt$SECRETSECRET:99999:0:99999:7:::\nop::20000:0:99999:7:::\n",
      "/etc/group": "root:x:0:\n",
    };
    for (const rule of RULES) {
      assert.doesNotMatch(JSON.stringify(judge(rule.check, files)), /SECRET/, rule.id);
    }
  });
});

describe("umaskOf", () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ["027", 0o027],
    ["0077", 0o077],
    ["77", 0o077],
    ["u=rwx,g=rx,o=", 0o027],
    ["a=rx", 0o222],
    ["ug=rwx,o=", 0o007],
    ["u=rwx", undefined],
    ["u+w", undefined],
    ["089", undefined],
    ["00027", undefined],
    ["", undefined],
  ];
  for (const [text, mask] of cases) {
    it(`reads ${text === "" ? "nothing" : text}`, () => assert.equal(umaskOf(text), mask));
  }
});

describe("secondsText", () => {
  const cases = [
    ["1h30m", "5400"],
    ["2m", "120"],
    ["90", "90"],
    ["1w", "604800"],
    ["1M5", "65"],
    ["none", "none"],
    ["5x", "5x"],
    ["", ""],
  ] as const;
  for (const [text, seconds] of cases) {
    it(`reads "${text}"`, () => assert.equal(secondsText(text), seconds));
  }

  it("does not hang on long digits", () => {
    const long = `${"1".repeat(4000)}x`;
    assert.equal(secondsText(long), long);
    const short = `${"1".repeat(31)}x`;
    assert.equal(secondsText(short), short);
  });
});

describe("effectiveAlgorithms", () => {
  const defaults = ["a", "b-cbc", "c-cbc"];
  const cases: readonly (readonly [string | undefined, readonly string[]])[] = [
    [undefined, defaults],
    ["x,y", ["x", "y"]],
    ["+x,a", ["a", "b-cbc", "c-cbc", "x"]],
    ["-*-cbc", ["a"]],
    ["-?", ["b-cbc", "c-cbc"]],
    ["^c-cbc,x", ["c-cbc", "x", "a", "b-cbc"]],
    ["-*", []],
  ];
  for (const [value, list] of cases) {
    it(`makes the list of ${value ?? "nothing"}`, () => {
      assert.deepEqual(effectiveAlgorithms(value, defaults), list);
    });
  }

  it("knows what the server stopped to offer", () => {
    const exchanges = (text: string): readonly string[] => {
      const version = parseSshdVersion(text);
      assert.ok(version !== undefined);
      return defaultAlgorithms("kexalgorithms", version);
    };
    assert.ok(exchanges("1:7.9p1-10+deb10u2").includes("diffie-hellman-group14-sha1"));
    assert.ok(!exchanges("8.2p1").includes("diffie-hellman-group14-sha1"));
    assert.ok(!exchanges("1:8.4p1-5").includes("sntrup761x25519-sha512@openssh.com"));
    assert.equal(exchanges("1:9.2p1-2")[0], "sntrup761x25519-sha512@openssh.com");
    assert.ok(!exchanges("9.8_p1-r1").includes("mlkem768x25519-sha256"));
    assert.ok(exchanges("9.9p2").includes("diffie-hellman-group16-sha512"));
    assert.ok(!exchanges("1:10.0p1-7").some((name) => name.startsWith("diffie-hellman")));
  });
});

describe("parseSshdVersion", () => {
  it("reads versions of packages and refuses other texts", () => {
    assert.deepEqual(parseSshdVersion("1:9.2p1-2+deb12u3"), { major: 9, minor: 2 });
    assert.deepEqual(parseSshdVersion("10.0_p1-r7"), { major: 10, minor: 0 });
    for (const text of ["", "p1", "9", ":9.2", "next"]) {
      assert.equal(parseSshdVersion(text), undefined, text);
    }
  });

  it("compares by number", () => {
    assert.ok(isAtLeast({ major: 10, minor: 0 }, 9, 9));
    assert.ok(!isAtLeast({ major: 9, minor: 2 }, 9, 10));
    assert.ok(isAtLeast({ major: 8, minor: 2 }, 8, 2));
  });
});

describe("rules of sections 5 and 6", () => {
  it("are plain data with words of their own for each", () => {
    const ids = new Set<string>();
    for (const rule of RULES.filter(({ id }) => /^[56]\./.test(id))) {
      assert.ok(!ids.has(rule.id), rule.id);
      ids.add(rule.id);
      assert.deepEqual(JSON.parse(JSON.stringify(rule)), rule, rule.id);
      for (const text of [rule.title, rule.rationale, rule.remediation]) {
        assert.ok(text.length > 15 && text.length < 600, rule.id);
      }
    }
    assert.equal(ids.size, 80);
  });
});
