import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../../contract/json.ts";
import { postureReply } from "./posture-reply.ts";

describe("the answer of a method", () => {
  it("loses evidence until it fits, and says how much", () => {
    const item = (Type: string): JsonObject => ({
      Type,
      Evidence: Array.from({ length: 32 }, () => ({ rule: "x".repeat(600) })),
    });
    const recommendations = Array.from({ length: 8 }, (_, at) => item(String(at)));
    const reply = postureReply({ unhealthy: 8, recommendations });
    assert.ok(JSON.stringify(reply).length < 100_000);
    const [first] = Array.isArray(reply["recommendations"]) ? reply["recommendations"] : [];
    assert.equal(first["Evidence"].length + first["EvidenceOmitted"], 32);
    assert.ok(first["Evidence"].length > 0);
    const small = { unhealthy: 0, recommendations: [{ Type: "a", Evidence: [] }] };
    assert.deepEqual(postureReply(small), small);
  });
});
