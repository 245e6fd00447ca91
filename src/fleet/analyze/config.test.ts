import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../../contract/json.ts";
import { readAnalyzeConfig } from "./config.ts";
import { connectionFacts } from "./connection-string.ts";

const GOOD: JsonObject = {
  hub: "fleet-hub",
  endpoint: { namespace: "ns.servicebus.windows.net", eventHub: "telemetry" },
  stateFolder: "/var/lib/x",
  outputs: { standardOutput: true },
};

describe("the configuration of analyze", () => {
  it("is complete with a handful of keys", () => {
    const { config, faults } = readAnalyzeConfig(GOOD);
    assert.deepEqual(faults, []);
    assert.equal(config.endpoint?.consumerGroup, "gatewarden");
    assert.deepEqual(config.completeInputs, ["messages"]);
  });

  const cases: readonly (readonly [string, JsonObject, RegExp])[] = [
    ["nothing to read", { endpoint: undefined as never }, /neither endpoint nor logs/],
    ["no output", { outputs: {} }, /outputs: none/],
    ["a hub with a slash", { hub: "a/b" }, /^hub:/],
    [
      "a webhook without TLS",
      { outputs: { webhook: { url: "http://x.example" } } },
      /webhook\.url/,
    ],
    [
      "a webhook with a password in its address",
      { outputs: { webhook: { url: "https://u:p@x.example" } } },
      /webhook\.url/,
    ],
    [
      "a secret for a path",
      { endpoint: { connectionStringFile: "Endpoint=sb" } },
      /connectionString/,
    ],
    [
      "an instance that counts as dead between two signs of life",
      { balancing: { intervalSeconds: 30, expirySeconds: 40 } },
      /expirySeconds/,
    ],
    ["an input that does not exist", { completeInputs: ["all"] }, /completeInputs/],
    ["an unknown key", { colour: "blue" }, /colour/],
  ];
  for (const [what, changes, expected] of cases) {
    it(`tells of ${what}`, () => {
      const { faults } = readAnalyzeConfig({ ...GOOD, ...changes });
      assert.ok(
        faults.some((fault) => expected.test(fault)),
        faults.join("; "),
      );
    });
  }
});

describe("a connection string", () => {
  const KEY = "SharedAccessKeyName=listen;SharedAccessKey=c2VjcmV0";

  it("tells the host and the event hub", () => {
    assert.deepEqual(connectionFacts(`Endpoint=sb://ns.example/;${KEY};EntityPath=e`, "x"), {
      ok: true,
      value: { host: "ns.example", eventHub: "e" },
    });
  });

  for (const text of [
    "",
    "Endpoint=sb://ns.example/",
    `Endpoint=https://ns.example/;${KEY}`,
    `Endpoint=sb://ns.example/path;${KEY}`,
    `Endpoint=sb://ns.example;${KEY};UseDevelopmentEmulator=true`,
    `Endpoint=sb://localhost.example;${KEY};UseDevelopmentEmulator=true`,
  ]) {
    it(`is refused, and not quoted: ${text.replace("c2VjcmV0", "…")}`, () => {
      const facts = connectionFacts(text, "the connection string");
      assert.ok(!facts.ok);
      assert.doesNotMatch(JSON.stringify(facts), /c2VjcmV0/);
    });
  }

  it("may do without TLS on this machine", () => {
    for (const host of ["localhost:5672", "127.0.0.1", "[::1]:5672"]) {
      const text = `Endpoint=sb://${host};${KEY};UseDevelopmentEmulator=true`;
      assert.ok(connectionFacts(text, "x").ok, host);
    }
  });
});
