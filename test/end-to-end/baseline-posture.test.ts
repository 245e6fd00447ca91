/** IoT_Baseline by the built agent: a file of this machine that everybody may write, and that is put right. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isJsonObject, type JsonObject } from "../../src/contract/json.ts";
import { until } from "../support/bundle.ts";
import { type AgentRig, agentRig } from "./agent-rig.ts";

const TYPE = "IoT_Baseline";

const skip = process.getuid?.() === 0 ? false : "files of root are judged";

describe("a check of the baseline that fails", { skip }, () => {
  let folder: string;
  let judged: string;
  let rig: AgentRig;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "gatewarden-baseline-"));
    judged = join(folder, "device.conf");
    writeFileSync(judged, "");
    chmodSync(judged, 0o600);
    const rules = join(folder, "rules.json");
    const check = { test: "file-mode", path: judged, maxMode: 0o600 };
    const rule = {
      id: "SITE-1",
      title: "Nobody else reads the configuration of the device",
      remediation: "chmod 600",
      severity: "Important",
      check,
    };
    const text = JSON.stringify({ rules: [rule] });
    writeFileSync(rules, text);
    rig = await agentRig(
      "iothub",
      {
        highPriorityMessageFrequency: "PT1S",
        lowPriorityMessageFrequency: "PT1S",
        snapshotFrequency: "PT1H",
        baselineFileSystemWalkEnabled: false,
        baselineCustomChecksEnabled: true,
        baselineCustomChecksFilePath: rules,
        baselineCustomChecksFileHash: createHash("sha256").update(text).digest("hex"),
      },
      // What else this machine fails is not what is asked here.
      { collectors: { "os-baseline": { builtInChecks: false } } },
    );
    rig.start();
  });
  after(async () => {
    await rig?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const told = (): readonly JsonObject[] =>
    rig.extensions
      .flatMap(({ body }) => body.Events)
      .flatMap((event) => event.Payload)
      .filter((item) => item["Type"] === TYPE);

  function reported(): JsonObject {
    const own = rig.hub.twin().reported["gatewarden"];
    const posture = isJsonObject(own) ? own["posture"] : undefined;
    const entry = isJsonObject(posture) ? posture[TYPE] : undefined;
    return isJsonObject(entry) ? entry : {};
  }

  async function becomes(state: string): Promise<JsonObject> {
    await until(() => told().at(-1)?.["State"] === state, `${TYPE} ${state} in a message`);
    await until(() => reported()["state"] === state, `${TYPE} ${state} in the twin`);
    return told().at(-1) ?? {};
  }

  it("is no concern while the file is as it should be", async () => {
    await becomes("healthy");
  });

  it("is unhealthy when everybody may write the file, with the check as evidence", async () => {
    chmodSync(judged, 0o666);
    const { status } = await rig.hub.invokeMethod("collect", ["os-baseline"]);
    assert.equal(status, 200);
    const item = await becomes("unhealthy");
    assert.deepEqual(
      [item["PreviousState"], item["Count"], item["Severity"]],
      ["healthy", 1, "Medium"],
    );
    assert.match(JSON.stringify(item["Evidence"]), /"ruleId":"SITE-1"/);
    assert.equal(reported()["count"], 1);
  });

  it("is healthy again when the file is put right", async () => {
    chmodSync(judged, 0o600);
    await rig.hub.invokeMethod("scan", null);
    const item = await becomes("healthy");
    assert.equal(item["PreviousState"], "unhealthy");
  });
});
