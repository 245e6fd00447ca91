/** `gatewarden baseline import`: a policy of Wazuh SCA, compiled and judged. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { baselineCommand } from "../../src/cli/baseline.ts";
import { EXIT, exitCodeOf } from "../../src/cli/exit-code.ts";
import { environment } from "../../src/system/environment.ts";
import { recordingTerminal } from "./setup-rig.ts";

const folder = mkdtempSync(join(tmpdir(), "gatewarden-import-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const POLICY = `
policy:
  id: site
  name: Our own policy
requirements:
  title: A Debian
  condition: all
  rules:
    - 'f:/etc/debian_version'
    - 'f:/proc/sys/kernel/ostype -> Linux'
checks:
  - id: 1
    title: Root does not log in by SSH
    remediation: Set PermitRootLogin no.
    condition: all
    rules:
      - 'f:/etc/ssh/sshd_config -> r:^PermitRootLogin no'
  - id: 2
    title: The mode of passwd
    condition: all
    rules:
      - 'c:stat -Lc "%n %a %u" /etc/passwd -> r:passwd 644 0'
  - id: 3
    title: A command that is not known
    condition: all
    rules:
      - 'c:launch-missiles --now -> r:done'
`;

async function run(...args: readonly string[]): Promise<{ code: number; text: string }> {
  const terminal = recordingTerminal();
  try {
    const code = await baselineCommand.run(args, { terminal, environment: environment() });
    return { code, text: terminal.text() };
  } catch (error) {
    return { code: exitCodeOf(error), text: String(error) };
  }
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe("an imported policy", () => {
  const root = join(folder, "root");
  mkdirSync(join(root, "etc/ssh"), { recursive: true });
  mkdirSync(join(root, "usr/bin"), { recursive: true });
  for (const [path, text] of [
    ["etc/debian_version", "12.9\n"],
    ["etc/passwd", "root:x:0:0::/root:/bin/sh\n"],
    ["etc/group", "root:x:0:\n"],
    ["etc/ssh/sshd_config", "PermitRootLogin yes\n"],
  ] as const) {
    writeFileSync(join(root, path), text, { mode: 0o644 });
  }
  // What a command would print is worked out only where there is such a command.
  writeFileSync(join(root, "usr/bin/stat"), "", { mode: 0o755 });
  const policy = write("policy.yml", POLICY);
  const compiled = join(folder, "compiled.json");

  it("becomes a file of custom checks, with the hash that the twin wants", async () => {
    const { code, text } = await run("import", policy, "--output", compiled);
    assert.equal(code, EXIT.ok, text);
    const hash = createHash("sha256").update(readFileSync(compiled)).digest("hex");
    assert.ok(text.includes(hash));
    assert.match(text, /3 checks of Our own policy/);
  });

  it("is judged like every other check, without running a command", async () => {
    const args = ["--root", root, "--custom", compiled, "--rule", "sca-1,sca-2,sca-3"];
    const { code, text } = await run(...args, "--format", "json");
    assert.equal(code, EXIT.findings, text);
    const { results } = JSON.parse(text) as {
      results: { id: string; verdict: string; reason?: string }[];
    };
    assert.deepEqual(
      results.map(({ id, verdict }) => [id, verdict]),
      [
        ["sca-1", "fail"],
        ["sca-2", "pass"],
        ["sca-3", "not-applicable"],
      ],
    );
    assert.match(String(results[2]?.reason), /launch-missiles/);
  });

  it("does not apply to another system", async () => {
    const other = join(folder, "other");
    mkdirSync(join(other, "etc"), { recursive: true });
    const args = ["--root", other, "--custom", compiled, "--rule", "sca-1"];
    const { text } = await run(...args, "--format", "json");
    assert.match(text, /the policy is about another system/);
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ["no YAML", "policy: [", /SCA policy/],
    ["no policy", "checks: []", /no policy with an id/],
    ["no list of checks", "policy: {id: x}\nchecks: 5", /no list/],
    ["no checks", "policy: {id: x}\nchecks: []", /1 to 400 rules/],
  ];
  for (const [what, text, message] of wrong) {
    it(`is refused with ${what}`, async () => {
      const result = await run("import", write("wrong.yml", text));
      assert.equal(result.code, EXIT.configuration, result.text);
      assert.match(result.text, message);
    });
  }

  it("is refused with a file that is not there, or a place that cannot be written", async () => {
    assert.equal((await run("import", join(folder, "none.yml"))).code, EXIT.configuration);
    const nowhere = join(folder, "no/such/folder.json");
    assert.equal((await run("import", policy, "--output", nowhere)).code, EXIT.configuration);
  });
});
