/** Extension messages: of their own kind, valid, on time, and never mixed with security events. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import {
  type ExtensionDraft,
  extensionMessageSchema,
  type RecommendationItem,
} from "../../src/contract/extension.ts";
import type { OutgoingMessage } from "../../src/contract/message.ts";
import { settle } from "../support/fake-clock.ts";
import { type Bench, bench, login, MINUTE_MS, settingsWith } from "./pipeline-bench.ts";

const ITEM: RecommendationItem = {
  Type: "IoT_OpenPorts",
  IsOfficialName: true,
  Title: "Open ports",
  Severity: "Medium",
  State: "unhealthy",
  Reason: "change",
  Since: "2026-01-01T00:00:00.000Z",
  Count: 1,
  Description: "d",
  Remediation: "r",
  Evidence: [{ port: "22" }],
  Missing: [],
};

function recommendation(changes: Partial<RecommendationItem> = {}): ExtensionDraft {
  return {
    name: "Recommendation",
    category: "Triggered",
    priority: "High",
    item: { ...ITEM, ...changes },
  };
}

const ALERT: ExtensionDraft = {
  name: "Alert",
  category: "Triggered",
  priority: "Low",
  isUrgent: true,
  id: "12345678-1234-8234-8234-123456789012",
  item: {
    AlertType: "IoT_CA_ProcessNotAllowed",
    RuleType: "ProcessNotAllowed",
    Severity: "Medium",
    Title: "t",
    Description: "d",
    Remediation: "r",
    Group: "default",
    WindowStart: "2026-01-01T00:00:00.000Z",
    WindowEnd: "2026-01-01T00:05:00.000Z",
    Count: 2,
    Reason: "not-allowed",
    Value: "/tmp/x",
    SpreadCount: 0,
    IsWatchComplete: true,
    Samples: [{ Time: "2026-01-01T00:01:00.000Z", Detail: "/tmp/x" }],
  },
};

const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
const isValid = ajv.compile(extensionMessageSchema());

interface Body {
  readonly Events: readonly {
    readonly Id: string;
    readonly Name: string;
    readonly Payload: readonly Record<string, unknown>[];
  }[];
}

function bodyOf(message: OutgoingMessage | undefined): Body {
  return JSON.parse(Buffer.from(message?.body ?? "{}").toString("utf8"));
}

/** The messages as kind and event names. */
function shapes({ attempts }: Bench): readonly string[] {
  return attempts.map((message) => {
    const names = bodyOf(message).Events.map(({ Name }) => Name);
    return `${message.kind}/${message.properties["kind"]}: ${names.join(" ")}`;
  });
}

test("a flush sends both kinds, each in messages of its own", async (t) => {
  const b = bench(t);
  b.pipeline.setConnected(true);
  b.pipeline.submitExtensions([recommendation()]);
  b.pipeline.submit([login("a")]);
  b.pipeline.submitExtensions([recommendation({ State: "healthy", Count: 0 })]);
  const { sent, waiting } = await b.pipeline.flush(1_000);
  assert.deepEqual(shapes(b), [
    "security/security: Login",
    "extension/extension: Recommendation Recommendation",
  ]);
  assert.deepEqual({ sent, waiting }, { sent: 2, waiting: 0 });
});

test("every extension message conforms to the published schema", async (t) => {
  const b = bench(t);
  b.pipeline.setConnected(true);
  b.pipeline.submitExtensions([recommendation(), ALERT]);
  await settle();
  const [message] = b.attempts;
  assert.equal(isValid(bodyOf(message)), true, JSON.stringify(isValid.errors));
  assert.equal(bodyOf(message).Events[1]?.Id, ALERT.id);
  assert.deepEqual(message?.properties, { kind: "extension", schema: "1.0" });
  assert.equal(message?.contentType, "application/json");
  const other = { ...bodyOf(message), Events: [{ ...bodyOf(message).Events[0], Name: "Alert" }] };
  assert.equal(isValid(other), false, "the schema tells the two kinds of payload apart");
});

test("what is urgent goes at once, and takes no security event along", async (t) => {
  const b = bench(t);
  b.pipeline.setConnected(true);
  b.pipeline.submit([login("a")]);
  b.pipeline.submitExtensions([recommendation()]);
  await settle();
  assert.deepEqual(shapes(b), []);
  b.pipeline.submitExtensions([ALERT]);
  await settle();
  assert.deepEqual(shapes(b), ["extension/extension: Recommendation Alert"]);
  assert.equal(b.sent[0]?.reason, "alert");
  b.pipeline.submitExtensions([recommendation()]);
  await settle();
  assert.equal(b.attempts.length, 1, "what follows is not urgent");
});

test("what is not urgent goes when its interval is over, by its priority", async (t) => {
  for (const priority of ["High", "Low"] as const) {
    const b = bench(
      t,
      settingsWith({ highPriorityIntervalMs: MINUTE_MS, lowPriorityIntervalMs: 5 * MINUTE_MS }),
    );
    b.pipeline.setConnected(true);
    b.pipeline.submitExtensions([{ ...recommendation(), priority }]);
    await settle();
    await b.clock.advance((priority === "High" ? 1 : 5) * MINUTE_MS - 1_000);
    assert.equal(b.attempts.length, 0);
    await b.clock.advance(2_000);
    assert.equal(b.attempts.length, 1);
  }
});

test("what is off is neither stored nor sent", async (t) => {
  const b = bench(t);
  b.pipeline.setConnected(true);
  b.pipeline.submitExtensions([{ ...recommendation(), priority: "Off" }]);
  assert.deepEqual(await b.pipeline.flush(1_000), { sent: 0, waiting: 0 });
});

test("an event too large for a message loses evidence, the least important first", async (t) => {
  const b = bench(t, settingsWith({ maxMessageBytes: 8_192 }));
  b.pipeline.setConnected(true);
  const evidence = Array.from({ length: 32 }, (_, at) => ({
    port: String(at),
    x: "ü".repeat(250),
  }));
  b.pipeline.submitExtensions([recommendation({ Evidence: evidence, Count: 32 })]);
  await b.pipeline.flush(1_000);
  const [message] = b.attempts;
  assert.ok((message?.meteredBytes ?? 0) <= 8_192);
  assert.equal(isValid(bodyOf(message)), true);
  const item = bodyOf(message).Events[0]?.Payload[0];
  const kept = Array.isArray(item?.["Evidence"]) ? item["Evidence"] : [];
  assert.deepEqual(kept[0], evidence[0]);
  assert.equal(item?.["EvidenceOmitted"], 32 - kept.length);
});

test("an event that a lowered limit stops is shortened, and what follows is sent too", async (t) => {
  const b = bench(t);
  const evidence = Array.from({ length: 32 }, (_, at) => ({
    port: String(at),
    x: "x".repeat(250),
  }));
  b.pipeline.submitExtensions([recommendation({ Evidence: evidence }), recommendation()]);
  await b.pipeline.applySettings(settingsWith({ maxMessageBytes: 8_192 }));
  b.pipeline.setConnected(true);
  assert.equal((await b.pipeline.flush(1_000)).waiting, 0);
  assert.equal(b.attempts.length, 2);
  for (const message of b.attempts) assert.ok(message.meteredBytes <= 8_192);
});

test("an extension event that is not as its schema says is counted and kept away", async (t) => {
  const b = bench(t);
  b.pipeline.setConnected(true);
  b.pipeline.submitExtensions([recommendation({ Count: -1 }), recommendation()]);
  await b.pipeline.flush(1_000);
  assert.deepEqual(shapes(b), ["extension/extension: Recommendation"]);
  assert.match(b.quarantined[0] ?? "", /^Recommendation: Count/);
});

test("a refused extension message is taken apart, and only what is at fault is lost", async (t) => {
  const b = bench(t);
  b.setHub((message) =>
    JSON.stringify(bodyOf(message)).includes("poison")
      ? { status: "refused", reason: "no" }
      : { status: "acknowledged" },
  );
  b.pipeline.setConnected(true);
  const drafts = ["a", "poison", "c"].map((Title) => recommendation({ Title }));
  b.pipeline.submitExtensions(drafts);
  await b.pipeline.flush(60_000);
  assert.deepEqual(b.refused, ["Recommendation: no"]);
  const titles = b.sent.flatMap(({ message }) =>
    bodyOf(message).Events.map(({ Payload }) => Payload[0]?.["Title"]),
  );
  assert.deepEqual(titles, ["a", "c"]);
});
