/** What the built agent says of a device that changes: at the hub, in its twin and to who asks. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { after, before, describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/contract/json.ts";
import { until } from "../support/bundle.ts";
import { type AgentRig, agentRig } from "./agent-rig.ts";

const QUICK = {
  highPriorityMessageFrequency: "PT1S",
  lowPriorityMessageFrequency: "PT1S",
  snapshotFrequency: "PT1H",
  baselineFileSystemWalkEnabled: false,
};

function skipReason(): string | false {
  if (process.getuid?.() !== 0) return "only root may read the firewall";
  const outside = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return outside.some((one) => !one.internal) ? false : "this machine has no network";
}

function listening(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve) => server.listen(port, "0.0.0.0", () => resolve(server)));
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
const published = new URL("../../docs/schema/extension-message.schema.json", import.meta.url);
const isValid = ajv.compile(JSON.parse(readFileSync(published, "utf8")));

/** `IoT_OpenPorts` of the last Recommendation events, oldest first. */
function openPorts(rig: AgentRig): readonly JsonObject[] {
  return rig.extensions
    .flatMap(({ body }) => body.Events)
    .flatMap((event) => event.Payload)
    .filter((item) => item["Type"] === "IoT_OpenPorts");
}

function reportedPosture(rig: AgentRig): JsonObject {
  const own = rig.hub.twin().reported["gatewarden"];
  const posture = isJsonObject(own) ? own["posture"] : undefined;
  return isJsonObject(posture) ? posture : {};
}

function reportedState(rig: AgentRig): JsonValue | undefined {
  const entry = reportedPosture(rig)["IoT_OpenPorts"];
  return isJsonObject(entry) ? entry["state"] : undefined;
}

async function scan(rig: AgentRig): Promise<JsonObject> {
  const { status, payload } = await rig.hub.invokeMethod("scan", null);
  assert.equal(status, 200);
  assert.ok(isJsonObject(payload));
  return payload;
}

describe("an open port", { skip: skipReason() }, () => {
  let rig: AgentRig;
  let server: Server;
  let port: number;

  before(async () => {
    server = await listening(0);
    port = portOf(server);
    await new Promise((resolve) => server.close(resolve));
    // Whatever else this machine has open is not what is asked here.
    const postureAllowedPorts = `1-${port - 1}, ${port + 1}-65535`;
    rig = await agentRig("iothub", { ...QUICK, postureAllowedPorts });
    rig.start();
    await until(() => reportedState(rig) !== undefined, "the first verdict");
  });
  after(() => rig?.close());

  it("is no concern before it is open", async () => {
    assert.equal(reportedState(rig), "healthy");
    await until(() => openPorts(rig).length > 0, "the first Recommendation");
    assert.equal(openPorts(rig).at(-1)?.["State"], "healthy");
  });

  it("is unhealthy at the hub, in reported properties and in the answer to scan", async () => {
    server = await listening(port);
    const answer = await scan(rig);
    assert.match(JSON.stringify(answer["recommendations"]), new RegExp(`"port":"${port}"`));
    await until(() => openPorts(rig).at(-1)?.["State"] === "unhealthy", "the Recommendation");
    const item = openPorts(rig).at(-1);
    assert.equal(item?.["PreviousState"], "healthy");
    assert.equal(item?.["Severity"], "Medium");
    assert.equal(item?.["Count"], 1);
    const [evidence] = Array.isArray(item?.["Evidence"]) ? item["Evidence"] : [];
    assert.ok(isJsonObject(evidence));
    assert.deepEqual([evidence["port"], evidence["exposure"]], [String(port), "reachable"]);
    assert.equal(evidence["pid"], String(process.pid));
    await until(() => reportedState(rig) === "unhealthy", "the reported property");
    assert.ok(Number(reportedPosture(rig)["unhealthy"]) >= 1);
  });

  it("is told once, not at every look", async () => {
    const before = openPorts(rig).length;
    await scan(rig);
    await rig.hub.invokeMethod("flush", null);
    assert.equal(openPorts(rig).length, before);
  });

  it("is allowed as soon as the twin allows it", async () => {
    rig.desire({ postureAllowedPorts: "1-65535" });
    await until(() => reportedState(rig) === "healthy", "the allowed port");
    rig.desire({ postureAllowedPorts: `1-${port - 1}, ${port + 1}-65535` });
    await until(() => reportedState(rig) === "unhealthy", "the port that is not allowed");
  });

  it("is cleared when it is closed", async () => {
    await new Promise((resolve) => server.close(resolve));
    const answer = await scan(rig);
    assert.equal(answer["isComplete"], true);
    await until(() => openPorts(rig).at(-1)?.["State"] === "healthy", "the Recommendation");
    await until(() => reportedState(rig) === "healthy", "the reported property");
    assert.equal(openPorts(rig).at(-1)?.["PreviousState"], "unhealthy");
  });

  it("travels in extension messages that conform to their schema, apart from all others", () => {
    assert.ok(rig.extensions.length >= 3);
    for (const { body, properties } of rig.extensions) {
      assert.deepEqual(properties, { kind: "extension", schema: "1.0" });
      assert.equal(isValid(body), true, JSON.stringify(isValid.errors));
    }
    const names = new Set(
      rig.messages.flatMap(({ Events }) => Events.map(({ Name }) => String(Name))),
    );
    assert.ok(names.has("ListeningPorts"));
    assert.equal(names.has("Recommendation"), false);
  });

  it("shows in the answer to posture, with what is not settled", async () => {
    const { payload } = await rig.hub.invokeMethod("posture", null);
    assert.ok(isJsonObject(payload) && Array.isArray(payload["recommendations"]));
    const types = payload["recommendations"].map((item: JsonObject) => item["Type"]);
    assert.equal(types.length, 8, types.join(" "));
    assert.ok(types.includes("IoT_Baseline"));
  });
});

const CONFIGURATIONS = [
  ["IoT_TwinConfigurationNotOptimal", { maxMessageSizeInBytes: 10_000 }],
  ["IoT_TwinConfigurationConflict", { maxLocalCacheSizeInBytes: 8_192 }],
] as const;

describe("a twin that wastes or contradicts itself", () => {
  let rig: AgentRig;
  before(async () => {
    rig = await agentRig("iothub", QUICK);
    rig.start();
  });
  after(() => rig?.close());

  for (const [type, properties] of CONFIGURATIONS) {
    it(`is reported with the property, and cleared when it is put right: ${type}`, async () => {
      const stateIs = (state: string): Promise<void> =>
        until(() => isJsonObject(entry()) && entry()["state"] === state, `${type} ${state}`);
      const entry = (): JsonObject => {
        const found = reportedPosture(rig)[type];
        return isJsonObject(found) ? found : {};
      };
      await stateIs("healthy");
      rig.desire(properties);
      await stateIs("unhealthy");
      const { payload } = await rig.hub.invokeMethod("posture", null);
      const [property = ""] = Object.keys(properties);
      assert.match(JSON.stringify(payload), new RegExp(`"property":"${property}"`));
      rig.desire({ [property]: null });
      await stateIs("healthy");
    });
  }
});

const GROUP = {
  type: "Microsoft.Security/deviceSecurityGroups",
  name: "default",
  properties: {
    allowlistRules: [{ ruleType: "ProcessNotAllowed", isEnabled: true, allowlistValues: ["sshd"] }],
    timeWindowRules: [
      {
        ruleType: "TwinUpdatesNotInAllowedRange",
        isEnabled: true,
        minThreshold: 0,
        maxThreshold: 10,
        timeWindowSize: "PT15M",
      },
    ],
  },
};

describe("device security groups in the twin", () => {
  let rig: AgentRig;
  before(async () => {
    rig = await agentRig("iothub", { ...QUICK, deviceSecurityGroups: GROUP });
    rig.start();
  });
  after(() => rig?.close());
  const alertRules = (): JsonObject => {
    const rules = reportedPosture(rig)["alertRules"];
    return isJsonObject(rules) ? rules : {};
  };

  it("are in force, and those that only a hub can judge are listed", async () => {
    await until(() => alertRules()["rules"] === 1, "the rules");
    const { source, group, hubOnly, rejected } = alertRules();
    assert.deepEqual([source, group, hubOnly, rejected], ["twin", "default", 1, undefined]);
  });

  it("that are malformed are refused with their path, and the rules before stay", async () => {
    const faulty = structuredClone(GROUP);
    const [rule] = faulty.properties.timeWindowRules;
    assert.ok(rule !== undefined);
    rule.timeWindowSize = "soon";
    rule.maxThreshold = -1;
    rig.desire({ deviceSecurityGroups: faulty });
    await until(() => alertRules()["rejected"] !== undefined, "the fault");
    assert.match(String(alertRules()["rejected"]), /timeWindowRules\[0\]/);
    assert.equal(alertRules()["rules"], 1);
    const errors = () =>
      rig
        .events("ConfigurationError")
        .flatMap((event) => event.Payload.map((item) => item["ConfigurationName"]));
    const paths = ["maxThreshold", "timeWindowSize"].map(
      (key) => `deviceSecurityGroups: properties.timeWindowRules[0].${key}`,
    );
    await until(() => paths.every((path) => errors().includes(path)), "each fault with its path");
  });

  it("that are removed leave no rules", async () => {
    rig.desire({ deviceSecurityGroups: null });
    await until(() => alertRules()["rules"] === undefined, "no rules");
  });
});
