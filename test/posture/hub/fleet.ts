/** Records of an invented plant: something wrong in every row, and something malformed in every list. */
import {
  certificateDevice,
  connectionLog,
  deviceTwin,
  edgeAgentTwin,
  edgeClient,
  edgeHubTwin,
  exportedDevice,
  hubResource,
  keyOf,
  module,
} from "./records.ts";

const STRONG = {
  Env: [`PASSWORD=${keyOf("module")}`, `PADDING=${"p".repeat(700)}`],
  HostConfig: { Privileged: true, LogConfig: { Type: "none" } },
};

/** The deployment of most gateways. */
function usual(id: string): object {
  return edgeAgentTwin(id, {
    modules: { press: module("plant.azurecr.io/press:2.1", STRONG) },
    registryCredentials: {
      plant: { address: "plant.azurecr.io", username: "plant", password: keyOf("registry") },
    },
    env: {},
  });
}

/** Files of a folder as somebody saves them, by name. */
export const FLEET: Readonly<Record<string, string>> = {
  "1-hub.json": JSON.stringify(
    [
      hubResource({
        minTlsVersion: null,
        ipFilterRules: [
          { filterName: "offices & <sites>", action: "Accept", ipMask: "10.0.0.0/8" },
          { filterName: "torn", action: "Accept", ipMask: "10.0.0.0/" },
          { filterName: "rest", action: "Accept", ipMask: "0.0.0.0/0" },
        ],
      }),
    ],
    null,
    2,
  ),
  "2-devices.txt": [
    exportedDevice("gw-01"),
    exportedDevice("gw-02", {
      authentication: { symmetricKey: { primaryKey: keyOf("gw-01 1"), secondaryKey: "" } },
    }),
    certificateDevice("gw-03", "AB".repeat(20)),
    certificateDevice("gw-04", "AB".repeat(20)),
  ]
    .map((one) => JSON.stringify(one))
    .concat('{"id":"gw-05","authentication":{"symmetricKey":{"primaryKey":"', keyOf("torn"))
    .join("\r\n"),
  "3-twins.json": JSON.stringify(
    [
      ...["gw-01", "gw-02", "gw-03"].flatMap((id) => [usual(id), deviceTwin(id)]),
      edgeAgentTwin("gw-04", {
        modules: {
          press: module("plant.azurecr.io/press:1.9"),
          torn: { settings: { image: "torn:1", createOptions: `{"Env":["${keyOf("torn")}` } },
        },
      }),
      deviceTwin("gw-04"),
      edgeHubTwin("gw-01", { "gw-01/press": edgeClient("Connected", "2026-01-15T11:00:00Z") }),
      { moduleId: "$edgeAgent", properties: { desired: {} } },
    ],
    null,
    1,
  ),
  "4-logs.jsonl": [
    connectionLog("gw-01", "device"),
    connectionLog("gw-09", "hub"),
    connectionLog("gw-01", "device", { category: "DeviceTelemetry" }),
    connectionLog("gw-01", "device", { properties: `{"deviceId":"${keyOf("log")}` }),
  ]
    .map((one) => JSON.stringify(one))
    .concat(`oops ${keyOf("oops")}`)
    .join("\n"),
};
