// Real policies and a real root are not part of the repository; see test/baseline/sca-agreement.ts.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import {
  compareScaPolicy,
  SCA_POLICIES,
  SCA_ROOT,
  scaAgreementObstacle,
} from "../baseline/sca-agreement.ts";

const obstacle = scaAgreementObstacle();
const names =
  obstacle === undefined ? readdirSync(SCA_POLICIES).filter((name) => name.endsWith(".yml")) : [];

test("emulated commands lead to the verdicts of real ones", {
  skip: obstacle ?? false,
}, async (context) => {
  assert.ok(names.length > 0, "no policy in test/baseline/sca-policies");
  for (const name of names) {
    await context.test(name, async () => {
      const agreement = await compareScaPolicy(`${SCA_POLICIES}/${name}`, SCA_ROOT);
      assert.deepEqual(
        agreement.differences.filter((one) => !one.isLost),
        [],
      );
      assert.equal(agreement.contrary, 0);
      assert.ok(agreement.decidedByReal > 0);
      const share = agreement.alike / agreement.decidedByReal;
      assert.ok(share >= 0.95, `${agreement.alike} of ${agreement.decidedByReal}`);
    });
  }
});
