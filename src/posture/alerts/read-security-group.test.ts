import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { JsonObject, JsonValue } from "../../contract/json.ts";
import { CATALOGUE } from "./catalogue.ts";
import { nearestRuleType } from "./read-rule.ts";
import { readSecurityGroups, selectGroup } from "./read-security-group.ts";

const TYPE = "Microsoft.Security/deviceSecurityGroups";
const HUB = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/iotHubs/plant";

function timeWindow(ruleType: string, over: JsonObject = {}): JsonObject {
  const words = { displayName: `About ${ruleType}`, description: "Get an alert" };
  const bounds = { minThreshold: 0, maxThreshold: 0, timeWindowSize: "PT15M" };
  return { ruleType, ...words, isEnabled: false, ...bounds, ...over };
}

function allowlist(ruleType: string, over: JsonObject = {}): JsonObject {
  const valueType = ruleType.includes("Ip") ? "IpCidr" : "String";
  const words = { displayName: `About ${ruleType}`, description: "Get an alert" };
  return { ruleType, ...words, isEnabled: false, valueType, allowlistValues: [], ...over };
}

/** As the service answers a get request for a new group: all 19 rules, disabled. */
function fullExport(name = "default"): JsonObject {
  const listed = CATALOGUE.filter((entry) => entry.isListed);
  return {
    id: `${HUB}/providers/Microsoft.Security/deviceSecurityGroups/${name}`,
    name,
    type: TYPE,
    properties: {
      thresholdRules: [],
      timeWindowRules: listed
        .filter((entry) => entry.list === "timeWindowRules")
        .map((entry) => timeWindow(entry.ruleType)),
      allowlistRules: listed
        .filter((entry) => entry.list === "allowlistRules")
        .map((entry) => allowlist(entry.ruleType)),
      denylistRules: [],
    },
  };
}

function group(properties: JsonValue, more: JsonObject = {}): JsonObject {
  return { name: "default", type: TYPE, properties, ...more };
}

function groupsOf(exported: JsonValue) {
  const reading = readSecurityGroups(exported);
  assert.ok(reading.ok, reading.ok ? "" : JSON.stringify(reading.faults));
  return reading.groups;
}

function faultPaths(exported: JsonValue): readonly string[] {
  const reading = readSecurityGroups(exported);
  assert.ok(!reading.ok, "it was accepted");
  return reading.faults.map((fault) => fault.path);
}

describe("the catalogue", () => {
  it("has the 19 official rule types, 5 for the device and 14 for the hub", () => {
    const listed = CATALOGUE.filter((entry) => entry.isListed);
    assert.equal(listed.length, 19);
    assert.equal(listed.filter((entry) => entry.place === "device").length, 5);
    assert.equal(listed.filter((entry) => entry.place === "hub").length, 14);
    assert.equal(listed.filter((entry) => entry.list === "timeWindowRules").length, 16);
    assert.equal(new Set(CATALOGUE.map((entry) => entry.ruleType)).size, CATALOGUE.length);
  });

  it("has words of its own for each", () => {
    for (const entry of CATALOGUE) {
      for (const words of [entry.title, entry.description, entry.remediation]) {
        assert.ok(words.length > 20, `${entry.ruleType}: ${words}`);
      }
    }
  });
});

describe("an exported device security group", () => {
  it("loads unchanged with all 19 rules, and lists those of the hub", () => {
    const [only] = groupsOf(fullExport());
    assert.equal(only?.name, "default");
    assert.equal(only.hub, "plant");
    assert.equal(only.timeWindowRules.length, 16);
    assert.equal(only.allowlistRules.length, 3);
    assert.equal(only.hubOnly.length, 14);
    assert.deepEqual(only.unknown, []);
    assert.ok(only.timeWindowRules.every((rule) => rule.timeWindowMs === 900_000));
  });

  it("loads with the five device rules in use and non-canonical durations", () => {
    const [only] = groupsOf(
      group({
        timeWindowRules: [
          timeWindow("ActiveConnectionsNotInAllowedRange", {
            isEnabled: true,
            minThreshold: 1,
            maxThreshold: 50,
            timeWindowSize: "PT05M",
          }),
          timeWindow("FailedLocalLoginsNotInAllowedRange", {
            isEnabled: true,
            maxThreshold: 3,
            timeWindowSize: "PT3600S",
          }),
        ],
        allowlistRules: [
          allowlist("ConnectionToIpNotAllowed", {
            isEnabled: true,
            allowlistValues: [
              "192.168.0.1/8",
              "2001:db8::/32",
              "203.0.113.9",
              "::ffff:10.0.0.0/104",
            ],
          }),
          allowlist("LocalUserNotAllowed", { isEnabled: true, allowlistValues: ["root", "ops"] }),
          allowlist("ProcessNotAllowed", {
            isEnabled: true,
            allowlistValues: ["/usr/sbin/sshd", "bash"],
          }),
        ],
        denylistRules: null,
        thresholdRules: null,
      }),
    );
    assert.deepEqual(
      only?.timeWindowRules.map((rule) => [
        rule.isEnabled,
        rule.minThreshold,
        rule.maxThreshold,
        rule.timeWindowMs,
      ]),
      [
        [true, 1, 50, 300_000],
        [true, 0, 3, 3_600_000],
      ],
    );
    assert.deepEqual(only?.allowlistRules[1]?.allowlistValues, ["root", "ops"]);
    assert.equal(only?.allowlistRules[2]?.path, "properties.allowlistRules[2]");
  });

  it("may stand alone, in a list, in an answer, in a template or in the body of a request", () => {
    const own = fullExport("edge");
    const properties = own["properties"] ?? {};
    const hub = { type: "Microsoft.Devices/IotHubs", name: "plant", resources: [own] };
    const deployment = {
      type: "Microsoft.Resources/deployments",
      name: "nested",
      properties: { template: { resources: [own] } },
    };
    for (const exported of [
      own,
      [own],
      [{ type: "Microsoft.Devices/IotHubs", name: "plant", properties: {} }, own],
      { value: [own], nextLink: null },
      { $schema: "s", contentVersion: "1.0.0.0", parameters: {}, resources: [own] },
      { resources: [hub] },
      { languageVersion: "2.0", resources: { group: own } },
      { resources: [deployment] },
    ]) {
      const groups = groupsOf(exported);
      assert.deepEqual(
        groups.map((one) => one.name),
        ["edge"],
        JSON.stringify(exported).slice(0, 80),
      );
      assert.equal(groups[0]?.timeWindowRules.length, 16);
    }
    assert.equal(groupsOf({ properties })[0]?.name, "default");
  });

  it("has the name that a template gives it", () => {
    const parameters = { group: { type: "string", defaultValue: "night" } };
    const child = "Microsoft.Devices/IotHubs/providers/deviceSecurityGroups";
    const names: readonly (readonly [string, string])[] = [
      ["plant/Microsoft.Security/edge", "edge"],
      ["[concat(parameters('hub'), '/Microsoft.Security/edge')]", "edge"],
      ["[format('{0}/Microsoft.Security/{1}', parameters('hub'), 'edge')]", "edge"],
      ["[parameters('group')]", "night"],
      ["[concat('x/Microsoft.Security/', parameters('group'))]", "night"],
      ["[variables('g')]", "[variables('g')]"],
    ];
    for (const [name, expected] of names) {
      const resource = { name, type: child, apiVersion: "2019-08-01", properties: {} };
      assert.equal(groupsOf({ parameters, resources: [resource] })[0]?.name, expected, name);
    }
  });

  it("is chosen by its name, else the default one, else the only one", () => {
    const groups = groupsOf([fullExport("Edge"), fullExport("default")]);
    assert.equal(selectGroup(groups, "edge")?.name, "Edge");
    assert.equal(selectGroup(groups, undefined)?.name, "default");
    assert.equal(selectGroup(groups, "other"), undefined);
    assert.equal(selectGroup(groupsOf(fullExport("only")), undefined)?.name, "only");
    assert.equal(selectGroup(groupsOf([fullExport("a"), fullExport("b")]), undefined), undefined);
  });
});

describe("a malformed device security group is refused with the path of", () => {
  const active = "ActiveConnectionsNotInAllowedRange";
  const cases: readonly (readonly [string, JsonValue, readonly string[]])[] = [
    ["nothing that is a group", { type: "Microsoft.Devices/IotHubs" }, [""]],
    ["text instead of a resource", "deviceSecurityGroups", [""]],
    ["an empty list", [], [""]],
    ["missing properties", { name: "x", type: TYPE }, ["properties"]],
    ["properties of another form", group([]), ["properties"]],
    ["a list that is none", group({ timeWindowRules: {} }), ["properties.timeWindowRules"]],
    [
      "too many rules",
      group({ allowlistRules: Array.from({ length: 129 }, () => ({})) }),
      ["properties.allowlistRules"],
    ],
    ["a misspelled list", group({ timeWindowRule: [] }), ["properties.timeWindowRule"]],
    ["a rule that is none", group({ timeWindowRules: [7] }), ["properties.timeWindowRules[0]"]],
    [
      "a missing rule type",
      group({ timeWindowRules: [{ isEnabled: true }] }),
      ["properties.timeWindowRules[0].ruleType"],
    ],
    [
      "a rule type that is no text",
      group({ allowlistRules: [{ ruleType: 4 }] }),
      ["properties.allowlistRules[0].ruleType"],
    ],
    [
      "a misspelled rule type",
      group({ timeWindowRules: [timeWindow("ActivConnectionsNotInAllowedRange")] }),
      ["properties.timeWindowRules[0].ruleType"],
    ],
    [
      "a rule type in a list where it does not belong",
      group({
        timeWindowRules: [allowlist("ProcessNotAllowed")],
        denylistRules: [allowlist("LocalUserNotAllowed")],
      }),
      ["properties.timeWindowRules[0].ruleType", "properties.denylistRules[0].ruleType"],
    ],
    [
      "missing fields",
      group({ timeWindowRules: [{ ruleType: active }] }),
      ["isEnabled", "minThreshold", "maxThreshold"].map(
        (name) => `properties.timeWindowRules[0].${name}`,
      ),
    ],
    [
      "fields of another type",
      group({
        timeWindowRules: [
          timeWindow(active, {
            isEnabled: "yes",
            minThreshold: "1",
            maxThreshold: 1.5,
            timeWindowSize: 15,
          }),
        ],
      }),
      ["isEnabled", "minThreshold", "maxThreshold", "timeWindowSize"].map(
        (name) => `properties.timeWindowRules[0].${name}`,
      ),
    ],
    [
      "a negative threshold",
      group({ timeWindowRules: [timeWindow(active, { minThreshold: -1 })] }),
      ["properties.timeWindowRules[0].minThreshold"],
    ],
    [
      "a range that is empty",
      group({ timeWindowRules: [timeWindow(active, { minThreshold: 9, maxThreshold: 8 })] }),
      ["properties.timeWindowRules[0].minThreshold"],
    ],
    [
      "a misspelled field",
      group({ timeWindowRules: [timeWindow(active, { maxTreshold: 8 })] }),
      ["properties.timeWindowRules[0].maxTreshold"],
    ],
    [
      "a missing allow list",
      group({ allowlistRules: [{ ruleType: "ProcessNotAllowed", isEnabled: true }] }),
      ["properties.allowlistRules[0].allowlistValues"],
    ],
    [
      "values that are none",
      group({
        allowlistRules: [
          allowlist("ConnectionToIpNotAllowed", {
            allowlistValues: ["10.0.0.0/8", "10.0.0.0/33", "host", 5, "::/129", "10.0.0.0/ 8"],
          }),
          allowlist("LocalUserNotAllowed", { allowlistValues: ["root", " "] }),
        ],
      }),
      [
        "properties.allowlistRules[0].allowlistValues[1]",
        "properties.allowlistRules[0].allowlistValues[2]",
        "properties.allowlistRules[0].allowlistValues[3]",
        "properties.allowlistRules[0].allowlistValues[4]",
        "properties.allowlistRules[0].allowlistValues[5]",
        "properties.allowlistRules[1].allowlistValues[1]",
      ],
    ],
    [
      "a value type that is none",
      group({ allowlistRules: [allowlist("ProcessNotAllowed", { valueType: "Regex" })] }),
      ["properties.allowlistRules[0].valueType"],
    ],
    [
      "a second rule of the same type",
      group({ timeWindowRules: [timeWindow(active), timeWindow(active)] }),
      ["properties.timeWindowRules[1].ruleType"],
    ],
    ["a second group of the same name", [fullExport(), fullExport("Default")], ["[1].name"]],
    [
      "a fault deep in a template",
      { resources: [{ type: "x" }, group({ denylistRules: 1 })] },
      ["resources[1].properties.denylistRules"],
    ],
  ];
  for (const [what, exported, paths] of cases) {
    it(what, () => assert.deepEqual(faultPaths(exported), paths));
  }

  it("windows that are none", () => {
    for (const size of ["15M", "PT", "PT0S", "PT59S", "P32D", "-PT15M", "", "P1000000Y"]) {
      const rules = [timeWindow(active, { timeWindowSize: size })];
      assert.deepEqual(
        faultPaths(group({ timeWindowRules: rules })),
        ["properties.timeWindowRules[0].timeWindowSize"],
        size,
      );
    }
  });
});

describe("what is not known", () => {
  it("is listed with its path and does no harm", () => {
    const [only] = groupsOf(
      group({
        timeWindowRules: [timeWindow("GeofenceCrossingsNotInAllowedRange", { radius: 4 })],
        thresholdRules: [
          { ruleType: "Temperature", isEnabled: true, minThreshold: 1, maxThreshold: 2 },
        ],
        provisioningState: "Succeeded",
      }),
    );
    assert.deepEqual(only?.unknown, [
      { path: "properties.provisioningState", name: "provisioningState" },
      {
        path: "properties.timeWindowRules[0].ruleType",
        name: "GeofenceCrossingsNotInAllowedRange",
      },
      { path: "properties.thresholdRules[0].ruleType", name: "Temperature" },
    ]);
    assert.deepEqual(only?.timeWindowRules, []);
  });

  it("is a misspelling only where a known rule type is near", () => {
    const names: readonly (readonly [string, string | undefined])[] = [
      ["processNotAllowed", "ProcessNotAllowed"],
      ["ProcessNotAllow", "ProcessNotAllowed"],
      ["MqttD2CMesagesNotInAllowedRange", "MqttD2CMessagesNotInAllowedRange"],
      ["TwinUpdateNotInAllowedRange", "TwinUpdatesNotInAllowedRange"],
      ["NotInAllowedRange", undefined],
      ["NotAllowed", undefined],
      ["GeofenceCrossingsNotInAllowedRange", undefined],
    ];
    for (const [written, near] of names) assert.equal(nearestRuleType(written), near, written);
  });
});

describe("whatever is given", () => {
  it("is read or refused, never a crash", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const json: JsonValue = JSON.parse(JSON.stringify(value));
        for (const exported of [json, group(json), group({ timeWindowRules: [json] })]) {
          const reading = readSecurityGroups(exported);
          assert.ok(reading.ok || reading.faults.length > 0);
        }
      }),
    );
  });

  it("a fault anywhere in a full export is found", () => {
    const text = JSON.stringify(fullExport());
    const places = [...text.matchAll(/"isEnabled":false|"minThreshold":0|"allowlistValues":\[\]/g)];
    assert.ok(places.length > 30);
    fc.assert(
      fc.property(fc.nat({ max: places.length - 1 }), (index) => {
        const place = places[index];
        assert.ok(place !== undefined);
        const [found] = place;
        const broken = `${found.slice(0, found.indexOf(":"))}:{}`;
        const changed =
          text.slice(0, place.index) + broken + text.slice(place.index + found.length);
        assert.equal(faultPaths(JSON.parse(changed)).length, 1);
      }),
      { numRuns: 60 },
    );
  });
});
