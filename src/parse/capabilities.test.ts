import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { effectiveCapabilities } from "./capabilities.ts";

function namesOf(hex: string): readonly string[] {
  const parsed = effectiveCapabilities(
    `Name:\tnode\nCapPrm:\tffffffffffffffff\nCapEff:\t${hex}\nCapBnd:\t0\n`,
  );
  assert.ok(parsed.ok);
  return parsed.value;
}

describe("effective capabilities", () => {
  it("are named in bit order", () => {
    assert.deepEqual(namesOf("0000002000081004"), [
      "CAP_DAC_READ_SEARCH",
      "CAP_NET_ADMIN",
      "CAP_SYS_PTRACE",
      "CAP_AUDIT_READ",
    ]);
  });

  it("of root without limits are all 41", () => {
    const names = namesOf("000001ffffffffff");
    assert.equal(names.length, 41);
    assert.equal(names[40], "CAP_CHECKPOINT_RESTORE");
  });

  it("of an unprivileged process are none", () => {
    assert.deepEqual(namesOf("0000000000000000"), []);
  });

  it("that a newer kernel adds are named by number", () => {
    assert.deepEqual(namesOf("0000020000000000"), ["CAP_41"]);
  });

  it("are malformed without a CapEff line, whatever the text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes("CapEff"));
        assert.equal(effectiveCapabilities(text).ok, false);
      }),
    );
    assert.equal(effectiveCapabilities("CapEff:\tnothing\n").ok, false);
  });
});
