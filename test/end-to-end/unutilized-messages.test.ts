/** IoT_AgentSendsUnutilizedMessages over the local hub: a day of small messages, and a day of full ones. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { EventDraft } from "../../src/contract/event.ts";
import { isJsonObject, type JsonObject } from "../../src/contract/json.ts";
import { until } from "../support/bundle.ts";
import { type ClockRig, clockRig } from "./clock-rig.ts";

const TYPE = "IoT_AgentSendsUnutilizedMessages";
const HOUR_MINUTES = 60;

function processes(count: number, filler: string): readonly EventDraft[] {
  return Array.from({ length: count }, (_, at) => {
    const Executable = `/opt/job-${at}`;
    const ids = { UserId: "0", ProcessId: at, ParentProcessId: 1 };
    return { name: "ProcessCreate", payload: [{ Executable, CommandLine: filler, ...ids }] };
  });
}

const SMALL = processes(1, "");
/** More than the 4096 bytes that the hub bills a message by. */
const FULL = processes(40, "x".repeat(200));

describe("an agent that sends many small messages", () => {
  let rig: ClockRig;
  before(async () => {
    rig = await clockRig({
      highPriorityMessageFrequency: "PT5H",
      lowPriorityMessageFrequency: "PT5H",
      aggregationEnabledProcessCreate: false,
    });
    await until(() => "unhealthy" in rig.reportedPosture(), "the first report");
  });
  after(() => rig?.close());

  /** Changes alone: after a day everything is told once more. */
  const told = (): readonly JsonObject[] =>
    rig.extensions
      .flatMap(({ Payload }) => Payload)
      .filter((item) => item["Type"] === TYPE && item["Reason"] === "change");
  const reported = (): JsonObject => {
    const entry = rig.reportedPosture()[TYPE];
    return isJsonObject(entry) ? entry : {};
  };

  async function send(times: number, drafts: readonly EventDraft[]): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      rig.emit(drafts);
      await rig.flush();
    }
    // The verdict is judged at a tick, and travels by the flush after it.
    await rig.pass(6);
    await rig.flush();
  }

  async function becomes(state: string): Promise<JsonObject> {
    await until(() => told().at(-1)?.["State"] === state, `${TYPE} ${state} in a message`, 10_000);
    await until(() => reported()["state"] === state, `${TYPE} ${state} in the twin`, 10_000);
    return told().at(-1) ?? {};
  }

  it("is healthy while they are full", async () => {
    await send(11, FULL);
    const item = await becomes("healthy");
    assert.match(JSON.stringify(item["Evidence"]), /"smallMessages":"0"/);
  });

  it("is unhealthy from 10 % of small ones on, and not before", async () => {
    await send(1, SMALL);
    assert.equal(told().at(-1)?.["State"], "healthy");
    await send(1, SMALL);
    const item = await becomes("unhealthy");
    assert.equal(item["PreviousState"], "healthy");
    assert.equal(item["Severity"], "Low");
    assert.match(JSON.stringify(item["Evidence"]), /"share":"\d\d\.\d %"/);
    assert.equal(reported()["count"], item["Count"]);
  });

  it("still is after a restart", async () => {
    const before = told().length;
    await rig.restart();
    await rig.pass(6);
    await rig.flush();
    assert.equal(reported()["state"], "unhealthy");
    assert.equal(told().length, before);
  });

  it("is healthy again a day later, when the small ones are longer ago", async () => {
    await rig.pass(13 * HOUR_MINUTES);
    await send(1, FULL);
    assert.equal(reported()["state"], "unhealthy");
    await rig.pass(12 * HOUR_MINUTES);
    await rig.flush();
    const item = await becomes("healthy");
    assert.equal(item["PreviousState"], "unhealthy");
    assert.equal("count" in reported(), false);
    assert.equal(rig.reportedPosture()["unhealthy"], 0);
  });
});
