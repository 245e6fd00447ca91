/** What the scan says of a Debian 12 as it is installed: what is true, all of it, and nothing else. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { debianRoots, whyNoRoots } from "../baseline/debian-root.ts";
import { PLAIN_FAILURES } from "../baseline/plain-debian.ts";
import { runBundle } from "../support/bundle.ts";

interface Report {
  readonly recommendations: readonly {
    readonly type: string;
    readonly state: string;
    readonly missing: readonly string[];
  }[];
  readonly baseline: {
    readonly checks: readonly { readonly id: string; readonly standing: string }[];
  };
}

describe("a plain Debian 12", { skip: whyNoRoots() }, () => {
  let root: string;
  let report: Report;
  before(async () => {
    root = debianRoots("bookworm").plain;
    const args = ["scan", "--root", root, "--format", "json", "--fail-on", "none"];
    const { code, output, errors } = await runBundle(args);
    assert.equal(code, 0, errors);
    report = JSON.parse(output);
  });

  it("fails these checks and no others", () => {
    const failed = report.baseline.checks.filter(({ standing }) => standing === "failed");
    const expected = PLAIN_FAILURES.flatMap(({ ids }) => ids);
    assert.equal(new Set(expected).size, expected.length);
    assert.deepEqual(failed.map(({ id }) => id).sort(), [...expected].sort());
    assert.equal(report.baseline.checks.filter(({ standing }) => standing === "error").length, 0);
  });

  for (const { why, isTrue } of PLAIN_FAILURES) {
    it(`is seen without the checks to be so: ${why}`, () => assert.ok(isTrue(root)));
  }

  it("has nothing said of sockets and rules, which live in a kernel that does not run", () => {
    assert.deepEqual(
      report.recommendations.map(({ type, state }) => [type, state]),
      [
        ["IoT_OpenPorts", "unknown"],
        ["IoT_PermissiveFirewallPolicy", "unknown"],
        ["IoT_PermissiveInputFirewallRules", "unknown"],
        ["IoT_PermissiveOutputFirewallRules", "unknown"],
        ["IoT_Baseline", "unhealthy"],
      ],
    );
    for (const { state, missing } of report.recommendations)
      assert.equal(missing.length > 0, state === "unknown");
  });
});
