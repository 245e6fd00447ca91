import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TransportOptions } from "../transport/transport-options.ts";
import { readConfig } from "./read-config.ts";
import type { TransportChoice } from "./transport-choice.ts";

/** Compiles only while a choice carries all that the transports ask of the configuration. */
function transportOptionsOf(choice: TransportChoice): TransportOptions {
  if (choice.kind === "file") {
    const { maxBytes, maxFiles } = choice.config;
    return { kind: "file", path: choice.path, maxBytes, maxFiles };
  }
  if (choice.kind === "mqtt") {
    const { topic, deviceId = "host", keepAliveSeconds } = choice.config;
    return { kind: "mqtt", url: choice.url, topic, deviceId, agentId: "agent", keepAliveSeconds };
  }
  const { tokenLifetimeMinutes, keepAliveSeconds, markAsSecurity } = choice.config;
  const { identity } = choice;
  return { kind: choice.kind, identity, tokenLifetimeMinutes, keepAliveSeconds, markAsSecurity };
}

describe("the transport that a configuration chooses", () => {
  it("is what the transports take", () => {
    const iothub = {
      provisioning: { idScope: "0ne1", registrationId: "gw1", symmetricKeyFile: "/etc/key" },
    };
    const { transport } = readConfig(JSON.stringify({ transport: "iothub-sdk", iothub }), {});
    assert.ok(transport !== undefined);
    assert.deepEqual(transportOptionsOf(transport), {
      kind: "iothub-sdk",
      identity: {
        source: "provisioning",
        endpoint: "global.azure-devices-provisioning.net",
        idScope: "0ne1",
        registrationId: "gw1",
        attestation: { kind: "symmetric-key", keyFile: "/etc/key" },
      },
      tokenLifetimeMinutes: 60,
      keepAliveSeconds: 240,
      markAsSecurity: false,
    });
  });
});
