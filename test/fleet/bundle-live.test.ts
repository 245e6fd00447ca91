/** The live look of the built bundle: its packages as they are bundled, against the stand-in. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, it } from "node:test";
import {
  edgeAgentTwin,
  exportedDevice,
  keyOf,
  module,
  SECRET_MARK,
} from "../posture/hub/records.ts";
import { BUNDLE, NODE } from "../support/bundle.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { type Asked, startStandIn } from "./azure-stand-in.ts";

const { file } = scratchFolder("bundle-live");

const LEAD = `const { Agent } = require("node:https");
const original = Agent.prototype.createConnection;
Agent.prototype.createConnection = function (options, ...rest) {
  const here = { host: "127.0.0.1", port: Number(process.env.PORT_HERE), servername: "localhost", ca: process.env.CA_HERE };
  return original.call(this, { ...options, ...here }, ...rest);
};`;

describe("the bundle, live with a service policy", () => {
  it("asks the hub, tells what it may not read, and shows no key", async () => {
    const strong = module("press:1", { HostConfig: { Privileged: true } });
    const server = await startStandIn(({ path, body }: Asked) => {
      if (path === "/devices/query" && body.includes("devices.modules")) {
        return { body: [edgeAgentTwin("gw-1", { modules: { press: strong } })] };
      }
      if (path === "/devices/query") return { body: [] };
      const { id: deviceId, ...rest } = exportedDevice("gw-1");
      return path.startsWith("/devices")
        ? { body: [{ deviceId, ...rest }] }
        : { status: 403, body: {} };
    });
    const policy = `HostName=h.example;SharedAccessKeyName=service;SharedAccessKey=${keyOf("p")}`;
    const args = [
      ...["hub-posture", "--live", "--with-keys", "--format", "json"],
      ...["--connection-string-file", file("policy", policy)],
      "--resource-id",
      "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/p/providers/Microsoft.Devices/IotHubs/h",
    ];
    try {
      const child = spawn(NODE, ["--require", file("lead.cjs", LEAD), BUNDLE, ...args], {
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          PATH: "/usr/bin:/bin",
          HOME: "/nonexistent",
          PORT_HERE: String(server.port),
          CA_HERE: server.caPem,
        },
      });
      const texts = { output: "", errors: "" };
      child.stdout.on("data", (chunk: Buffer) => {
        texts.output += chunk.toString("utf8");
      });
      child.stderr.on("data", (chunk: Buffer) => {
        texts.errors += chunk.toString("utf8");
      });
      const code = await new Promise((resolve) => child.once("close", resolve));
      assert.equal(code, 5, texts.errors);
      const report: { gaps: string[]; recommendations: { type: string; state: string }[] } =
        JSON.parse(texts.output);
      const states = new Map(report.recommendations.map(({ type, state }) => [type, state]));
      assert.equal(states.get("IoT_PrivilegedDockerOptions"), "unhealthy");
      assert.equal(states.get("IoT_SharedCredentials"), "healthy");
      assert.equal(states.get("IoT_IPFilter_DenyAll"), "unknown");
      assert.equal(report.gaps.length, 1);
      assert.match(report.gaps[0] ?? "", /it needs Reader on the hub/);
      assert.match(texts.errors, /reading keys of devices: it takes the right/);
      assert.equal(`${texts.output}${texts.errors}`.includes(SECRET_MARK), false);
    } finally {
      await server.close();
    }
  });
});
