/** The live look with the real packages of Azure against a stand-in for its services. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Clock } from "../../src/contract/clock.ts";
import { type LiveOutcome, readLive } from "../../src/fleet/azure/read-live.ts";
import { readResourceId } from "../../src/fleet/azure/resource-id.ts";
import { createRecordDesk, type RecordDesk } from "../../src/fleet/record-desk.ts";
import { judgeHub } from "../../src/posture/hub/judge-hub.ts";
import { systemClock } from "../../src/system/clock.ts";
import { fixedDigest } from "../posture/hub/judged.ts";
import {
  deviceTwin,
  edgeAgentTwin,
  edgeHubTwin,
  exportedDevice,
  hubResource,
  keyOf,
  SECRET_MARK,
} from "../posture/hub/records.ts";
import { type Answer, type Asked, type StandIn, startStandIn } from "./azure-stand-in.ts";

const SUBSCRIPTION = "11111111-2222-3333-4444-555555555555";
const ADDRESS = { subscriptionId: SUBSCRIPTION, resourceGroup: "plant", hubName: "plant-hub" };
const TOKEN = "eyJ0b2tlbg.of-nobody.x";
const CREDENTIAL = {
  getToken: async () => ({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }),
};
const POLICY = `HostName=plant-hub.azure-devices.net;SharedAccessKeyName=service;SharedAccessKey=${keyOf("policy")}`;

const FORBIDDEN: Answer = {
  status: 403,
  body: { error: { code: "AuthorizationFailed", message: "no right" } },
};

/** What a hub with three gateways answers. */
function plant({ path, body, continuation }: Asked): Answer {
  if (path.startsWith("/subscriptions/")) return { body: hubResource() };
  if (path === "/devices/query" && body.includes("devices.modules")) {
    if (continuation === "second") return { body: [edgeAgentTwin("gw-3")] };
    const twins = [
      edgeAgentTwin("gw-1"),
      edgeAgentTwin("gw-2"),
      edgeHubTwin("gw-1", {}),
      { odd: 1 },
    ];
    return { body: twins, headers: { "x-ms-continuation": "second" } };
  }
  if (path === "/devices/query")
    return { body: ["gw-1", "gw-2", "gw-3"].map((id) => deviceTwin(id)) };
  const devices = ["gw-1", "gw-2", "gw-3"].map((id) => {
    const { id: deviceId, ...rest } = exportedDevice(id);
    return { deviceId, ...rest };
  });
  return path.startsWith("/devices") ? { body: devices } : { status: 404, body: {} };
}

async function look(
  answer: (asked: Asked) => Answer,
  more: {
    readonly connectionString?: string;
    readonly isWithKeys?: boolean;
    readonly clock?: Clock;
  } = {},
): Promise<{ readonly outcome: LiveOutcome; readonly desk: RecordDesk; readonly server: StandIn }> {
  const server = await startStandIn(answer);
  const desk = createRecordDesk(fixedDigest);
  try {
    const { armEndpoint } = server;
    const options = {
      address: ADDRESS,
      isWithKeys: false,
      clock: systemClock,
      credential: CREDENTIAL,
      armEndpoint,
      ...more,
    };
    return { outcome: await readLive(options, desk), desk, server };
  } finally {
    await server.close();
  }
}

function stateOf(desk: RecordDesk, type: string): string | undefined {
  return judgeHub(desk.facts()).find((one) => one.type === type)?.state;
}

describe("a live look", () => {
  it("reads the resource, all pages of edge twins and the gateways, with a token", async () => {
    const { outcome, desk, server } = await look(plant);
    assert.deepEqual(outcome, { gaps: [], isAnythingRead: true });
    assert.deepEqual(
      server.asked.map(({ method, path }) => `${method} ${path}`),
      [
        `GET /subscriptions/${SUBSCRIPTION}/resourceGroups/plant/providers/Microsoft.Devices/IotHubs/plant-hub`,
        "POST /devices/query",
        "POST /devices/query",
        "POST /devices/query",
      ],
    );
    assert.ok(server.asked.every(({ authorization }) => authorization === `Bearer ${TOKEN}`));
    const { hubs, edge } = desk.facts();
    assert.equal(hubs[0]?.minTlsVersion, "1.2");
    assert.equal(hubs[0]?.filterRules.length, 2);
    assert.deepEqual(
      edge.deployments.map(({ deviceId, group }) => `${deviceId} ${group}`),
      ["gw-1 press", "gw-2 press", "gw-3 press"],
    );
    assert.equal(edge.isComplete, true);
    assert.equal(desk.skipped().count, 1);
    assert.equal(stateOf(desk, "IoT_SharedCredentials"), "unknown");
    assert.equal(stateOf(desk, "IoT_IPFilter_DenyAll"), "healthy");
    assert.equal(stateOf(desk, "IoT_ACRAuthentication"), "healthy");
  });

  it("reads keys only when asked, and then judges them", async () => {
    const { desk, server } = await look(plant, { isWithKeys: true });
    assert.equal(stateOf(desk, "IoT_SharedCredentials"), "healthy");
    assert.ok(
      server.asked.some(({ method, path }) => method === "GET" && path.startsWith("/devices")),
    );
    assert.equal(JSON.stringify(desk.facts(), textOfBigint).includes(SECRET_MARK), false);
  });

  it("knows that a hub without gateways has no module to be wrong", async () => {
    const { desk } = await look((asked) =>
      asked.path === "/devices/query" ? { body: [] } : plant(asked),
    );
    assert.equal(stateOf(desk, "IoT_PrivilegedDockerOptions"), "healthy");
  });

  it("asks the hub with a service policy where the resource may not be read", async () => {
    const { outcome, desk, server } = await look(
      (asked) => (asked.path.startsWith("/subscriptions") ? FORBIDDEN : plant(asked)),
      { connectionString: POLICY },
    );
    assert.equal(desk.facts().edge.deployments.length, 3);
    assert.equal(outcome.gaps.length, 1);
    assert.match(outcome.gaps[0] ?? "", /^resource of the hub: .*\(it needs Reader on the hub\)$/);
    assert.match(server.asked[1]?.authorization ?? "", /^SharedAccessSignature sr=plant-hub/);
    assert.equal(stateOf(desk, "IoT_IPFilter_DenyAll"), "unknown");
  });

  it("tells the right that is missing for each part, and never a token", async () => {
    const { outcome, desk } = await look(
      (asked) => (asked.path.startsWith("/subscriptions") ? plant(asked) : FORBIDDEN),
      { isWithKeys: true },
    );
    assert.equal(outcome.isAnythingRead, true);
    assert.equal(outcome.gaps.length, 4);
    assert.match(outcome.gaps[0] ?? "", /^edge twins: .*IoT Hub Data Reader/);
    assert.match(outcome.gaps[3] ?? "", /^keys of identities: .*RegistryRead/);
    assert.equal(outcome.gaps.join().includes(TOKEN), false);
    assert.equal(desk.facts().edge.isComplete, false);
    assert.equal(stateOf(desk, "IoT_EdgeLoggingOptions"), "unknown");
  });

  it("says so where nothing could be read", async () => {
    const { outcome } = await look(() => FORBIDDEN);
    assert.equal(outcome.isAnythingRead, false);
    assert.match(outcome.gaps.join("\n"), /twins: the host name of the hub is not known/);
  });

  it("waits while the hub says that there are too many requests", async () => {
    let refusals = 2;
    const pauses: number[] = [];
    const clock = {
      ...systemClock,
      sleep: async (delayMs: number) => {
        pauses.push(delayMs);
      },
    };
    const { outcome, desk } = await look(
      (asked) => {
        if (asked.path !== "/devices/query" || refusals === 0) return plant(asked);
        refusals -= 1;
        return { status: 429, body: { Message: "ErrorCode:ThrottlingException" } };
      },
      { clock },
    );
    assert.deepEqual(outcome.gaps, []);
    assert.deepEqual(pauses, [10_000, 10_000]);
    assert.equal(desk.facts().edge.deployments.length, 3);
  });

  it("refuses a connection string that is none, without quoting it", async () => {
    const connectionString = `HostName=h;SharedAccessKey=${keyOf("x")}`;
    await assert.rejects(look(plant, { connectionString }), (error: Error) => {
      assert.match(error.message, /no connection string/);
      return !error.message.includes(SECRET_MARK);
    });
  });
});

describe("the resource id of a hub", () => {
  it("is read in any case of its fixed parts, and refused in any other form", () => {
    const id = `/subscriptions/${SUBSCRIPTION}/resourceGroups/plant/providers/Microsoft.Devices/IotHubs/plant-hub`;
    assert.deepEqual(readResourceId(id), { ok: true, value: ADDRESS });
    assert.deepEqual(readResourceId(id.replace("resourceGroups", "resourcegroups")), {
      ok: true,
      value: ADDRESS,
    });
    for (const wrong of [
      "",
      "plant-hub",
      `${id}/extra`,
      id.replace("IotHubs", "Vaults"),
      id.replace("plant-hub", "a/../b"),
    ]) {
      assert.equal(readResourceId(wrong).ok, false, wrong);
    }
  });
});

function textOfBigint(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
