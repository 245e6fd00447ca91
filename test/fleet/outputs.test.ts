import assert from "node:assert/strict";
import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { LogsIngestionClient } from "@azure/monitor-ingestion";
import type { JsonObject } from "../../src/contract/json.ts";
import { createDeliverer } from "../../src/fleet/analyze/deliverer.ts";
import type { AlertOutput, Delivery } from "../../src/fleet/analyze/output.ts";
import { createJsonLines } from "../../src/fleet/analyze/outputs/json-lines.ts";
import { createLogsIngestion } from "../../src/fleet/analyze/outputs/logs-ingestion.ts";
import { createWebhook } from "../../src/fleet/analyze/outputs/webhook.ts";
import { RunTotals } from "../../src/fleet/analyze/run-totals.ts";
import { systemClock } from "../../src/system/clock.ts";
import { openSharedFolder } from "../../src/system/shared-folder.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { type HttpsReceiver, startHttpsReceiver } from "./https-receiver.ts";
import { PLACE, sampleAlert } from "./sample-alert.ts";

const scratch = scratchFolder("outputs");
const NEVER = new AbortController().signal;

describe("alerts as JSON Lines", () => {
  const path = join(scratch.path, "alerts");
  const folder = openSharedFolder(path);
  const output = createJsonLines(folder, { maxBytes: 2_500, maxFiles: 2 });

  it("go to a file per partition, a line each", async () => {
    await output.deliver([sampleAlert("a"), sampleAlert("b")], PLACE, NEVER);
    const [name = ""] = readdirSync(path).filter((one) => one.endsWith(".jsonl"));
    assert.equal(name, "fleet.example,telemetry,gatewarden,alerts-3.jsonl");
    const lines = readFileSync(join(path, name), "utf8").trimEnd().split("\n");
    const first = JSON.parse(lines[0] ?? "") as JsonObject;
    assert.equal(lines.length, 2);
    assert.equal(first["id"], "a");
    assert.equal(first["startTimeUtc"], "2026-01-15T12:00:00.000Z");
    assert.equal(first["deviceId"], "fleet-hub/gateway-7");
  });

  it("say what was delivered, also behind a line that a crash has torn", async () => {
    const [name = ""] = readdirSync(path).filter((one) => one.endsWith(".jsonl"));
    appendFileSync(join(path, name), '{"id":"torn","seq');
    assert.deepEqual(await output.recall(PLACE), [
      ["a", 7],
      ["b", 7],
    ]);
    await output.deliver([sampleAlert("c", 8)], PLACE, NEVER);
    assert.deepEqual((await output.recall(PLACE)).at(-1), ["c", 8]);
  });

  it("are put aside when the file has grown, still tell what was delivered, and do not fill the disk", async () => {
    for (let at = 0; at < 20; at += 1) await output.deliver([sampleAlert(`n${at}`)], PLACE, NEVER);
    const files = readdirSync(path).filter((one) => one.includes(".jsonl"));
    assert.equal(files.length, 3);
    const known = (await output.recall(PLACE)).map(([id]) => id);
    assert.ok(known.includes("n19") && known.includes("n17"), known.join());
  });
});

describe("alerts to a webhook", () => {
  let receiver: HttpsReceiver;
  let output: AlertOutput;
  before(async () => {
    receiver = await startHttpsReceiver();
    output = createWebhook({
      url: `${receiver.url}/hook`,
      secret: { header: "X-Secret", value: "s3cret" },
      ca: receiver.caPem,
      timeoutMs: 300,
      maxAlerts: 10,
    });
  });
  after(async () => {
    await output.close();
    await receiver.close();
  });
  const send = (...ids: readonly string[]): Promise<Delivery> =>
    output.deliver(
      ids.map((id) => sampleAlert(id)),
      PLACE,
      NEVER,
    );

  it("are posted with the secret, and the same alerts with the same key", async () => {
    assert.deepEqual(await send("a", "b"), { status: "delivered" });
    await send("a", "b");
    await send("a");
    const [first, again, other] = receiver.received;
    assert.equal(first?.headers["x-secret"], "s3cret");
    assert.equal(first?.headers["content-type"], "application/json");
    const body = first?.body as { readonly alerts: readonly JsonObject[] };
    assert.deepEqual(
      body.alerts.map(({ id }) => id),
      ["a", "b"],
    );
    assert.equal(first?.headers["idempotency-key"], again?.headers["idempotency-key"]);
    assert.notEqual(first?.headers["idempotency-key"], other?.headers["idempotency-key"]);
  });

  const cases = [
    ["an overload", { status: 503 }, { status: "retry", reason: "the webhook answers 503" }],
    [
      "a limit with a time",
      { status: 429, headers: { "retry-after": "7" } },
      { status: "retry", reason: "the webhook answers 429", afterMs: 7_000 },
    ],
    [
      "a wrong secret",
      { status: 401 },
      { status: "retry", reason: "the webhook answers 401", needsPerson: true },
    ],
    [
      "a redirect, which would carry the secret elsewhere",
      { status: 302, headers: { location: "https://elsewhere.example/" } },
      { status: "retry", reason: "the webhook answers 302", needsPerson: true },
    ],
    ["a bad alert", { status: 422 }, { status: "refused", reason: "the webhook answers 422" }],
    ["silence", "silence", { status: "retry", reason: "no answer in 300 ms" }],
  ] as const;
  for (const [what, behaviour, expected] of cases) {
    it(`tell ${what} apart`, async () => {
      receiver.next(behaviour);
      assert.deepEqual(await send("a"), expected);
    });
  }

  it("wait when the receiver hangs up", async () => {
    receiver.next("hang up");
    assert.equal((await send("a")).status, "retry");
  });

  it("are not sent to a receiver whose certificate nobody vouches for", async () => {
    const stranger = createWebhook({
      url: `${receiver.url}/hook`,
      secret: undefined,
      ca: undefined,
      timeoutMs: 300,
      maxAlerts: 10,
    });
    const count = receiver.received.length;
    const outcome = await stranger.deliver([sampleAlert("a")], PLACE, NEVER);
    assert.equal(outcome.status, "retry");
    assert.equal(receiver.received.length, count);
    await stranger.close();
  });
});

describe("alerts to Logs Ingestion, the real client at a server on loopback", () => {
  let receiver: HttpsReceiver;
  let output: AlertOutput;
  before(async () => {
    receiver = await startHttpsReceiver();
    const credential = {
      getToken: async () => ({ token: "test-token", expiresOnTimestamp: Date.now() + 3_600_000 }),
    };
    const client = new LogsIngestionClient(receiver.url, credential, {
      tlsOptions: { ca: receiver.caPem },
      retryOptions: { maxRetries: 0 },
    });
    const form = { ruleId: "dcr-1", streamName: "Custom-SecurityAlert_CL" };
    output = createLogsIngestion(client, form, systemClock);
  });
  after(() => receiver.close());

  it("are rows of the stream", async () => {
    receiver.next({ status: 204 });
    const outcome = await output.deliver([sampleAlert("a"), sampleAlert("b")], PLACE, NEVER);
    assert.deepEqual(outcome, { status: "delivered" });
    const [request] = receiver.received;
    assert.match(
      request?.path ?? "",
      /^\/dataCollectionRules\/dcr-1\/streams\/Custom-SecurityAlert_CL\?/,
    );
    assert.equal(request?.headers.authorization, "Bearer test-token");
    const rows = request?.body as readonly JsonObject[];
    assert.deepEqual(
      rows.map((row) => row["SystemAlertId"]),
      ["a", "b"],
    );
    const extended = rows[0]?.["ExtendedProperties"] as JsonObject;
    assert.equal(extended["DeviceId"], "fleet-hub/gateway-7");
  });

  for (const [status, expected] of [
    [403, "retry"],
    [429, "retry"],
    [500, "retry"],
    [400, "refused"],
  ] as const) {
    it(`answered ${status}: ${expected}`, async () => {
      receiver.next({ status, body: '{"error":{"code":"X","message":"no"}}' });
      const outcome = await output.deliver([sampleAlert("a")], PLACE, NEVER);
      assert.equal(outcome.status, expected);
      assert.equal("needsPerson" in outcome, status === 403);
    });
  }
});

describe("the deliverer", () => {
  let log = new RecordingLog();
  let totals = new RunTotals();
  let aside: string[] = [];
  beforeEach(() => {
    log = new RecordingLog();
    totals = new RunTotals();
    aside = [];
  });
  const deliverer = () =>
    createDeliverer({
      clock: { ...systemClock, sleep: async () => undefined },
      random: { fraction: () => 0.5, uuid: () => "" },
      log,
      totals,
      setAside: (_output, { alert }, reason) => aside.push(`${alert.id}: ${reason}`),
    });
  function outputOf(answer: (ids: readonly string[], call: number) => Delivery): AlertOutput {
    let call = 0;
    return {
      name: "test",
      maxAlerts: 10,
      hasMemory: false,
      recall: async () => [],
      close: async () => undefined,
      async deliver(alerts) {
        call += 1;
        return answer(
          alerts.map(({ alert }) => alert.id),
          call,
        );
      },
    };
  }
  const alerts = ["a", "bad", "c"].map((id) => sampleAlert(id));

  it("tries until it is done", async () => {
    const output = outputOf((_ids, call) =>
      call < 5 ? { status: "retry", reason: "down" } : { status: "delivered" },
    );
    assert.ok(await deliverer().deliver(output, alerts, PLACE, NEVER));
    assert.equal(totals.snapshot().retries, 4);
    assert.equal(totals.snapshot().delivered, 3);
  });

  it("sets aside only the alert that is refused", async () => {
    const output = outputOf((ids) =>
      ids.includes("bad") ? { status: "refused", reason: "422" } : { status: "delivered" },
    );
    assert.ok(await deliverer().deliver(output, alerts, PLACE, NEVER));
    assert.deepEqual(aside, ["bad: 422"]);
    assert.equal(totals.snapshot().delivered, 2);
  });

  it("gives up, and says so, when it is told to stop", async () => {
    const aborter = new AbortController();
    const output = outputOf((_ids, call) => {
      if (call === 3) aborter.abort();
      return { status: "retry", reason: "down", needsPerson: true };
    });
    assert.equal(await deliverer().deliver(output, alerts, PLACE, aborter.signal), false);
    assert.ok(log.lines.some(({ level }) => level === "error"));
  });
});
