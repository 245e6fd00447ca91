/** `gatewarden baseline` on small root file systems, from its arguments to its exit code. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { baselineCommand } from "../../src/cli/baseline.ts";
import { EXIT, exitCodeOf } from "../../src/cli/exit-code.ts";
import { createTerminal } from "../../src/cli/terminal.ts";
import { environment } from "../../src/system/environment.ts";
import { recordingTerminal } from "./setup-rig.ts";

const folder = mkdtempSync(join(tmpdir(), "gatewarden-baseline-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function makeRoot(name: string, files: Readonly<Record<string, string>>): string {
  const root = join(folder, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const RULE = { remediation: "Make it so.\nline = 1", severity: "Important", group: "Site" };
const CHECKS = join(folder, "checks.json");
writeFileSync(
  CHECKS,
  JSON.stringify({
    rules: [
      {
        ...RULE,
        id: "S-1",
        title: "one is there",
        check: { test: "file-exists", path: "/etc/one" },
      },
      {
        ...RULE,
        id: "S-2",
        title: "two is there",
        check: { test: "file-exists", path: "/etc/two" },
      },
      {
        ...RULE,
        id: "S-3",
        title: "three says yes",
        check: {
          test: "lines",
          files: ["/etc/three"],
          pattern: "^yes$",
          want: "some",
          what: "a line yes",
        },
      },
      { ...RULE, id: "S-4", title: "a person looks", check: { manual: "nobody else can" } },
    ],
  }),
);
const good = makeRoot("good", {
  "/etc/os-release": "ID=debian\nVERSION_ID=13\n",
  "/etc/one": "",
  "/etc/two": "",
  "/etc/three": "yes\n",
});
const bad = makeRoot("bad", { "/etc/one": "", "/etc/three": "a\u001b[31m\0b" });

async function run(...args: readonly string[]) {
  const terminal = recordingTerminal();
  const context = { terminal, environment: environment() };
  try {
    const code = await baselineCommand.run(["--custom", CHECKS, ...args], context);
    return { code, text: terminal.text() };
  } catch (error) {
    return { code: exitCodeOf(error), text: String(error) };
  }
}

const ALL = "S-1,S-2,S-3,S-4";

describe("gatewarden baseline", () => {
  it("ends with 0 when nothing failed, and counts what it judged", async () => {
    const { code, text } = await run("--root", good, "--rule", ALL);
    assert.equal(code, EXIT.ok, text);
    assert.match(text, /3 passed, 0 failed, 0 errors, 0 not applicable, 1 for a person/);
    assert.match(text, /^Site$/m);
    assert.match(text, /manual {2}S-4 {2}a person looks\n +nobody else can/);
  });

  it("ends with 5 when something failed, and says what was found and what to do", async () => {
    const { code, text } = await run("--root", bad, "--rule", ALL);
    assert.equal(code, EXIT.findings);
    assert.match(
      text,
      /FAIL {4}S-2 {2}two is there {2}Important\n +\/etc\/two: expected exists, found not there\n +→ Make it so\.\n +line = 1/,
    );
    assert.match(text, /ERROR {3}S-3 .*\n +\/etc\/three: contains NUL bytes/);
    assert.equal(text.includes("\u001b"), false);
  });

  it("gives the same as JSON", async () => {
    const { text } = await run("--root", bad, "--rule", "S-2", "--format", "json");
    const report = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual(report["results"], [
      {
        id: "S-2",
        cceId: "S-2",
        title: "two is there",
        group: "Site",
        level: 1,
        severity: "Important",
        standing: "failed",
        verdict: "fail",
        evidence: [{ source: "/etc/two", expected: "exists", found: "not there" }],
        remediation: "Make it so.\nline = 1",
      },
    ]);
    assert.deepEqual([report["system"], report["root"]], ["linux-0", bad]);
  });

  it("gives the same as Markdown", async () => {
    const { text } = await run("--root", bad, "--rule", ALL, "--format", "markdown");
    assert.match(text, /^# OS baseline$/m);
    assert.match(text, /^\| S-2 +\| FAIL +\| two is there +\| Important +\|$/m);
    assert.match(text, /^Make it so\.\n\n {4}line = 1$/m);
    assert.match(text, /^### S-2 two is there: FAIL\n\n- `\/etc\/two: expected exists/m);
  });

  it("judges the root that it was given and nothing outside of it", async () => {
    const root = makeRoot("linked", { "/etc/one": "" });
    symlinkSync(join(good, "etc/two"), join(root, "etc/two"));
    const { code, text } = await run("--root", root, "--rule", "S-2");
    assert.equal(code, EXIT.findings, text);
  });

  it("walks over the files of a root when it is told to", async () => {
    const { text } = await run("--root", good, "--rule", "S-1", "--walk", "--format", "json");
    const { walk } = JSON.parse(text) as { walk: { entries: number; isCut: boolean } };
    assert.deepEqual([walk.entries, walk.isCut], [6, false]);
    const without = await run("--root", good, "--rule", "S-1", "--format", "json");
    assert.equal(Object.hasOwn(JSON.parse(without.text) as object, "walk"), false);
  });

  const wrong: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ["a form that does not exist", ["--format", "xml"], EXIT.usage, /--format is 'xml'/],
    ["a check that does not exist", ["--rule", "S-9"], EXIT.usage, /no check 'S-9'/],
    ["a root without a system", ["--root", join(folder, "none")], EXIT.usage, /has no \/etc/],
    ["an action that does not exist", ["S-1"], EXIT.usage, /'S-1' is no action/],
    [
      "custom checks that are none",
      ["--custom", join(good, "etc/three")],
      EXIT.configuration,
      /JSON/,
    ],
  ];
  for (const [what, args, code, message] of wrong) {
    it(`refuses ${what}`, async () => {
      const result = await run(...args);
      assert.equal(result.code, code, result.text);
      assert.match(result.text, message);
    });
  }
});

describe("the progress line", () => {
  /** What a terminal is written, when standard error is one and when it is not. */
  function written(isTerminal: boolean): string {
    let text = "";
    const stream = {
      isTTY: isTerminal,
      columns: 10,
      on: () => undefined,
      write(part: string) {
        text += part;
        return true;
      },
    } as unknown as NodeJS.WriteStream & { fd: 2 };
    createTerminal(stream, stream, {}).status("0123456789abc");
    return text;
  }

  it("is drawn over itself, never longer than the terminal, and only there", () => {
    assert.equal(written(true), "\r\u001b[K012345678");
    assert.equal(written(false), "");
  });
});
