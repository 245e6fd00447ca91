import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mosquittoMissing } from "../support/mosquitto.ts";
import { mosquittoBench } from "./mosquitto-bench.ts";
import { HUB_KINDS, until } from "./transport-bench.ts";
import { transportSuite, withSubject } from "./transport-suite.ts";

transportSuite("mosquitto", mosquittoMissing, () => mosquittoBench());

const EXPECTED = {
  "other-host": /another host name/,
  untrusted: /not trusted/,
  expired: /expired/,
} as const;

describe("certificates of a broker", { concurrency: 6, skip: mosquittoMissing ?? false }, () => {
  for (const kind of HUB_KINDS) {
    for (const which of ["other-host", "untrusted", "expired"] as const) {
      it(`${kind} refuses one that is ${which} and says so`, async () => {
        const bench = await mosquittoBench(which);
        try {
          await withSubject(bench, kind, async (subject) => {
            await until("refused", () => subject.faults().length > 1);
            assert.deepEqual([...new Set(subject.faults())], ["tls"]);
            assert.match(subject.lastDisconnection()?.detail ?? "", EXPECTED[which]);
            assert.equal(subject.connections, 0);
          });
        } finally {
          await bench.stop();
        }
      });
    }
  }
});
