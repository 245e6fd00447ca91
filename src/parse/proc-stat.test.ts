import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseBootTimeSeconds, parseProcessStat, parseUptimeSeconds } from "./proc-stat.ts";

const REST = "1 812 812 0 -1 4194560 100 0 0 0 5 6 0 0 20 0 1 0 4711 15000000 1500";

describe("process stat", () => {
  it("reads pid, name, state, parent and start", () => {
    assert.deepEqual(parseProcessStat(`812 (sshd) S ${REST} 18446744073709551615\n`), {
      processId: 812,
      name: "sshd",
      state: "S",
      parentProcessId: 1,
      startTicks: 4711,
    });
  });

  it("is not misled by a name with blanks and brackets", () => {
    const stat = parseProcessStat(`7 (a) S 9 (b) S ${REST}`);
    assert.equal(stat?.name, "a) S 9 (b");
    assert.equal(stat?.parentProcessId, 1);
  });

  it("refuses a cut-off line", () => {
    assert.equal(parseProcessStat("812 (sshd) S 1 812"), undefined);
    assert.equal(parseProcessStat("812 (sshd"), undefined);
    assert.equal(parseProcessStat(""), undefined);
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (name, rest) => {
        parseProcessStat(`1 (${name}) ${rest}`);
        parseBootTimeSeconds(name);
        parseUptimeSeconds(rest);
      }),
    );
  });
});

describe("system times", () => {
  it("reads the boot time among the counters", () => {
    assert.equal(
      parseBootTimeSeconds("cpu  1 2 3\nbtime 1769000000\nprocesses 4\n"),
      1_769_000_000,
    );
    assert.equal(parseBootTimeSeconds("cpu 1\n"), undefined);
  });

  it("reads whole seconds of uptime", () => {
    assert.equal(parseUptimeSeconds("35841.72 71000.10\n"), 35_841);
    assert.equal(parseUptimeSeconds("soon"), undefined);
  });
});
