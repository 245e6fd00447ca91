import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createEnvelope } from "../../src/pipeline/envelope.ts";

const ID = "00000000-0000-4000-8000-000000000001";

test("the body is the security envelope of schema 1.0 around the given events", () => {
  const message = createEnvelope({ agentVersion: "1.2.3", agentId: "a-1" }).build(ID, [
    '{"Name":"Login"}',
    '{"Name":"ü"}',
  ]);
  assert.deepEqual(JSON.parse(Buffer.from(message.body).toString("utf8")), {
    AgentVersion: "1.2.3",
    AgentId: "a-1",
    MessageSchemaVersion: "1.0",
    Events: [{ Name: "Login" }, { Name: "ü" }],
  });
  assert.equal(message.messageId, ID);
  assert.equal(message.kind, "security");
  assert.deepEqual(message.properties, { kind: "security", schema: "1.0" });
  assert.equal(message.contentType, "application/json");
  assert.equal(message.contentEncoding, "utf-8");
});

test("the metered size is the body, the system property values and the application properties", () => {
  const message = createEnvelope({ agentVersion: "1", agentId: "ü", addedPropertyBytes: 35 }).build(
    ID,
    ["{}"],
  );
  const body = '{"AgentVersion":"1","AgentId":"ü","MessageSchemaVersion":"1.0","Events":[{}]}';
  const system = 36 + "application/json".length + "utf-8".length + 35;
  const application = "kindsecurityschema1.0".length;
  assert.equal(Buffer.from(message.body).toString("utf8"), body);
  assert.equal(message.meteredBytes, body.length + 1 + system + application);
});

test("the size foretold from byte counts is the size of the message built, in any script", () => {
  const text = fc.string({ unit: "binary", maxLength: 60 });
  fc.assert(
    fc.property(text, fc.array(text, { minLength: 1, maxLength: 9 }), (agentId, texts) => {
      const envelope = createEnvelope({ agentVersion: "1", agentId, addedPropertyBytes: 5 });
      const events = texts.map((value) => JSON.stringify({ value }));
      const bytes = events.reduce((sum, event) => sum + Buffer.byteLength(event), 0);
      const message = envelope.build(ID, events);
      assert.equal(message.meteredBytes, envelope.meteredBytes(bytes, events.length));
      const parsed: { AgentId: string; Events: unknown[] } = JSON.parse(
        Buffer.from(message.body).toString("utf8"),
      );
      assert.deepEqual(
        parsed.Events,
        texts.map((value) => ({ value })),
      );
      assert.equal(parsed.AgentId, agentId);
    }),
  );
});

test("an event of exactly the room for one event fills the limit", () => {
  const envelope = createEnvelope({ agentVersion: "1", agentId: "a" });
  const room = envelope.roomForOneEvent(8_192);
  assert.equal(envelope.meteredBytes(room, 1), 8_192);
  assert.equal(envelope.build(ID, ["1".repeat(room)]).meteredBytes, 8_192);
});
