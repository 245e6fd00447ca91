import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import type { JsonObject } from "../contract/json.ts";
import type { ReportOutcome } from "../contract/transport.ts";
import { createTwinReporter } from "./twin-reporter.ts";

function reporterWith(outcomes: readonly ReportOutcome[]) {
  const clock = new FakeClock();
  const sent: JsonObject[] = [];
  let known = 0;
  let current = 1;
  const reporter = createTwinReporter({
    clock,
    random: { fraction: () => 1, uuid: () => "" },
    log: new RecordingLog(),
    pending: () => (known === current ? undefined : { value: current }),
    send: async (patch) => {
      sent.push(patch);
      return outcomes[sent.length - 1] ?? { status: "confirmed" };
    },
    onConfirmed: (patch) => {
      known = Number(patch["value"]);
    },
  });
  return { clock, sent, reporter, change: (value: number) => (current = value) };
}

describe("the twin reporter", () => {
  it("sends what the hub does not know once it is connected, and nothing more", async () => {
    const { sent, reporter } = reporterWith([]);
    reporter.changed();
    await settle();
    assert.deepEqual(sent, []);
    reporter.setConnected(true);
    await settle();
    reporter.changed();
    await settle();
    assert.deepEqual(sent, [{ value: 1 }]);
  });

  it("tries again after the wait the hub asks for", async () => {
    const { sent, reporter, clock } = reporterWith([
      { status: "retry", reason: "429", afterMs: 5_000 },
    ]);
    reporter.setConnected(true);
    await clock.advance(4_999);
    assert.equal(sent.length, 1);
    await clock.advance(1);
    assert.equal(sent.length, 2);
  });

  it("reports the newest value when it changed while waiting", async () => {
    const { sent, reporter, clock, change } = reporterWith([{ status: "retry", reason: "500" }]);
    reporter.setConnected(true);
    await settle();
    change(7);
    reporter.changed();
    await clock.advance(2_000);
    assert.deepEqual(sent, [{ value: 1 }, { value: 7 }]);
  });

  it("does not repeat a refused patch, but sends the next change", async () => {
    const { sent, reporter, clock, change } = reporterWith([{ status: "refused", reason: "400" }]);
    reporter.setConnected(true);
    await clock.advance(3_600_000);
    reporter.changed();
    await settle();
    assert.equal(sent.length, 1);
    change(2);
    reporter.changed();
    await settle();
    assert.equal(sent.length, 2);
  });

  it("stops at once and leaves no timer", async () => {
    const { reporter, clock } = reporterWith([{ status: "retry", reason: "429", afterMs: 60_000 }]);
    reporter.setConnected(true);
    await settle();
    reporter.stop();
    await settle();
    assert.equal(clock.armed, 0);
  });
});
